// The search of tier 2: the best documents of a corpus, and the turns around them.
#pragma once

#include <cstdint>

#include "umbranet/adapters/sqlite/sqlite_connection.h"
#include "umbranet/adapters/sqlite/sqlite_text_index.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/episodic_memory.h"

namespace umbranet {

// Works in the snapshot of its connection, on that connection's thread.
Result<EpisodesFound> SearchEpisodes(SqliteConnection& connection, const SqliteTextIndex& index,
                                     std::int64_t user_key, const EpisodeQuery& query);

}  // namespace umbranet
