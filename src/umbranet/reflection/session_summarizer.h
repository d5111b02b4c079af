// Keeps a rolling summary of what has left a session's short-term window. It works behind the
// answers, after a batch was settled, and its failure fails nothing: the next look makes it good.
// Where there is a model it writes the summary; whenever it does not, the rules do.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/short_term_memory.h"
#include "umbranet/reflection/model_summary.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class SessionSummarizer {
 public:
  struct Options {
    ConversationWindow window = {};  // What a conversation is read with; see MemoryManager.
    std::size_t summary_tokens = 200;
    std::size_t turns_left_min = 8;    // Turns that must have left the window since the last one.
    std::size_t turns_read_max = 256;  // Of these, the newest so many go into a summary.
    std::size_t look_every_turns = 8;  // Turns of a session that are reflected between two looks.
    std::size_t sessions_max = 4'096;  // Sessions counted at once.
  };

  SessionSummarizer(Journal& journal, ShortTermMemory& short_term, Metrics& metrics,
                    StructuredLog& log, Options options, ModelSummary* model = nullptr);

  // Counts `turns` turns of a session that were reflected. True: it is time to look at it, and the
  // counting begins anew. When too many sessions are counted, all counts are dropped, which only
  // delays the next look.
  [[nodiscard]] bool NoteTurns(const UserKey& user, std::string_view session_id, std::size_t turns);

  // Looks at the session and saves a new summary when enough has left the window. True: saved.
  Result<bool> Summarize(const UserKey& user, std::string_view session_id, Deadline deadline);

 private:
  std::string WriteSummary(std::string_view previous, std::span<const Interaction> turns,
                           Deadline deadline);
  Result<bool> SummarizeOnce(const UserKey& user, std::string_view session_id, Deadline deadline);

  Journal& journal_;
  ShortTermMemory& short_term_;
  Metrics& metrics_;
  StructuredLog& log_;
  const Options options_;
  ModelSummary* const model_;  // May be null.

  Mutex mutex_;
  std::map<std::pair<UserKey, std::string>, std::size_t> noted_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
