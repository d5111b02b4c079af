// Puts a move of a data folder to servers together. Part of the composition.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "umbranet/app/data_move.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"

namespace umbranet {

// The file that "sqlite://PATH" names, PATH being the file or the folder that it is in. PATH is
// taken as it is written: no part of it is decoded. kInvalidArgument: it is no such URL.
Result<std::string> ParseSqliteUrl(std::string_view url);

struct MoveRequest {
  std::string file;         // The source; nobody may have it open.
  std::size_t page = 1000;  // Rows of a transaction.
  // As DataMove::progress; may be empty.
  std::function<bool(std::string_view what, std::size_t done, std::size_t all)> progress;
};

// Carries the file over to the servers that `settings` name, without changing it, and compares.
// kFailedPrecondition: it is held by another process, the servers hold other memory, or not all
// that is needed is named.
Result<MoveReport> MoveData(const MoveRequest& request, const Settings& settings,
                            const Clock& clock);

}  // namespace umbranet
