// SQLite's result codes in the house's words. Pure; any thread.
#pragma once

#include <string_view>

#include "umbranet/base/result.h"

struct sqlite3;

namespace umbranet {

// `what` is the action that failed: "sqlite: <what>: <SQLite's message>". `database` may be null.
Error SqliteError(int code, sqlite3* database, std::string_view what);

}  // namespace umbranet
