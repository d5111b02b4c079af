// The one door to memory: Remember stores a turn durably and leaves the rest to reflection; Recall
// asks all tiers at once and answers with what there is by the deadline.
//
// All methods may be called from any thread. The collaborators must outlive the manager.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/answers_under_way.h"
#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/forgetting_certificate.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/rule.h"
#include "umbranet/domain/time_range.h"
#include "umbranet/memory/embedding_allowance.h"
#include "umbranet/memory/pending_turns.h"
#include "umbranet/memory/recall_explanation.h"
#include "umbranet/ports/doorbell.h"
#include "umbranet/ports/embedder.h"
#include "umbranet/ports/episodic_memory.h"
#include "umbranet/ports/job_ledger.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/procedural_memory.h"
#include "umbranet/ports/semantic_memory.h"
#include "umbranet/ports/short_term_memory.h"
#include "umbranet/ports/turn_spool.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

class EpisodeConsolidation;

struct RecallRequest {
  UserKey user;
  std::string query;
  std::size_t limit = 10;
  std::vector<Tier> tiers{kAllTiers.begin(), kAllTiers.end()};
  std::size_t token_budget = 2000;
  std::optional<Timestamp> as_of;
  // When given, the running conversation of this session comes along in
  // RecalledContext::conversation.
  std::optional<std::string> session_id;
  // The question may go without its vector when many ask at once (embedding_allowance.h).
  bool embedding_may_be_spared = false;
  bool explain = false;  // Fill in RecalledContext::explanation.
};

// What a recall found, ready for an answer or a prompt.
struct RecalledContext {
  std::vector<MemoryItem> items;  // Best first.
  std::vector<MemoryItem> rules;  // Standing instructions and preferences that apply; not in items.
  std::string context;  // Text for a prompt, within the token budget, recalled text fenced as data.
  Conversation conversation;        // Only when a session was named.
  std::vector<Tier> missing_tiers;  // Late or away.
  // What else was: "embedder", "consolidated" (episodes), "short_term" when the conversation had to
  // come from the journal or the spool, "queue" when the journal itself is away: then only what
  // waits in the spool is found of the turns that are not reflected, and freshness is of these
  // alone.
  std::vector<std::string> degraded;
  Freshness freshness;
  std::map<Tier, double> tier_ms;  // How long each tier took, milliseconds.
  double total_ms = 0;
  std::optional<RecallExplanation> explanation;  // Only when asked for.
};

struct ForgetReport {
  std::map<Tier, std::uint64_t> deleted;  // short_term counts the turns of the journal.
  std::uint64_t queued_jobs_cancelled = 0;
  ForgettingCertificate certificate;
};

// Entries of caches that know a text but not whose it is.
struct CachesDropped {
  std::uint64_t questions = 0;      // With their vectors.
  std::uint64_t model_answers = 0;  // Of a reflecting model.
};

class MemoryManager {
 public:
  struct Options {
    Millis recall_budget{250};  // For all tiers together, unless the caller's deadline is sooner.
    std::size_t episode_candidates = 200;  // Neighbours come on top. 400 find no more.
    std::size_t similar_episodes = 100;    // By meaning, on top of those by words.
    std::size_t fact_candidates = 64;
    std::size_t rules_max = 10;          // In one recall; more would push memories out of a prompt.
    std::size_t unreflected_max = 2000;  // Pending turns searched for read-your-writes.
    ConversationWindow conversation;
    // May be null: then nothing is found by meaning alone. Must outlive the manager.
    Embedder* embedder = nullptr;
    bool embedder_missing = false;      // There should be one: recall names it as degraded.
    Millis embedding_budget{100};       // For the question; later, recall goes on without it.
    double chat_embeddings_per_s = 20;  // Of recalls that may be spared theirs.
    // Counts the recalls under way; may be null, must outlive the manager. With more of them than
    // processors, questions that may go without a vector do.
    AnswersUnderWay* answers = nullptr;
    // These are asked on the caller's own thread, while the others are on the pool: tiers that
    // answer from this process's memory in less time than it takes to wake another thread, and at
    // most one whose store is a server. What answers at once by itself (SemanticMemory) is too.
    std::vector<Tier> near_tiers;
    // What a recall reads on its caller's thread while this handle lives is cheaper read together
    // than alone. May be empty.
    std::function<std::shared_ptr<void>()> begin_reading;
    // The times that a text speaks of when it is said at a time. May be empty: then what a question
    // says of times counts as words alone.
    std::function<std::vector<TimeRange>(std::string_view text, Timestamp said_at)> read_times;

    // Whether consolidated episodes are recalled and listed beside the others.
    bool with_consolidated = false;

    // Whether the bell is rung for turns in the inline mode too, since workers are to take them.
    // Empty: it is not.
    std::function<bool()> ring_for_inline;

    // What turns are stamped with when they are accepted, to be compared with the forgetting of
    // their user (base/ledger_clock.h). Null: the clock.
    const Clock* ledger_clock = nullptr;

    // Empties this process's caches, when somebody is forgotten. May be empty: there are none.
    std::function<CachesDropped()> drop_caches;

    Metrics* metrics = nullptr;  // May be null; must outlive the manager.
  };

  struct Stores {
    Journal& journal;
    JobLedger& ledger;
    Doorbell& doorbell;
    ShortTermMemory& short_term;
    EpisodicMemory& episodic;
    SemanticMemory& semantic;
    ProceduralMemory& procedural;
    // Where `journal` leaves turns while its server is away. May be null.
    TurnSpool* spool = nullptr;
    // May be null: there are none.
    EpisodeConsolidation* consolidation = nullptr;
  };

  MemoryManager(const Clock& clock, BoundedWorkerPool& recall_pool, Stores stores,
                const Options& options);

  // Turns and jobs durable in one transaction, then tier 1, then the bell. Fills in what is empty:
  // interaction_id (UUIDv7), occurred_at (now), accepted_at. A failure of tier 1 is not a failure:
  // it is named in `degraded`.
  struct Remembered {
    std::vector<AcceptedTurn> turns;
    std::vector<std::string> degraded;
  };

  Result<Remembered> Remember(std::vector<Interaction> turns, RunMode mode,
                              std::string_view traceparent, Deadline deadline);

  // Never fails because a tier does: what is late or away is in missing_tiers. Fails for a bad
  // request, or when the journal itself is away and there is no spool.
  Result<RecalledContext> Recall(const RecallRequest& request, Deadline deadline);

  // Memories of a user over all tiers, or of one; consolidated episodes before the others. Cursor
  // of the page before; "" for the first.
  Result<MemoryPage> List(const UserKey& user, std::optional<Tier> tier, std::string_view cursor,
                          std::size_t limit, Deadline deadline);
  Result<std::optional<MemoryItem>> Get(std::string_view tenant, std::string_view memory_id,
                                        Deadline deadline);
  Result<std::optional<MemoryItem>> Update(std::string_view tenant, std::string_view memory_id,
                                           const MemoryPatch& patch, Deadline deadline);
  // A consolidated episode is undone: what it was made of stays.
  Result<bool> Erase(std::string_view tenant, std::string_view memory_id, Deadline deadline);

  // Of these memories of one user, the episodes that are consolidated, and the ids of what in.
  Result<std::map<std::string, std::string>> ConsolidatedIn(std::span<const MemoryItem> items,
                                                            Deadline deadline);

  // The journal first, so that nothing new arises from it; then every tier and this process's
  // caches. Repeating it after a failure completes it; the certificate then tells what was left.
  Result<ForgetReport> ForgetUser(const UserKey& user, Deadline deadline);

  // Of what this holds in memory of users; the stores stay as they are.
  void LetGo(const UserKey& user);
  void LetGoOfAll();

  // Everything held on the user, as NDJSON lines {"type":
  // "interaction|episodic|semantic|procedural|entity", ...} handed to `line` one by one; false from
  // it stops.
  Status Export(const UserKey& user, const std::function<bool(std::string_view)>& line,
                Deadline deadline);

  // Drops tiers 2 to 4 of the user and queues every turn again. How many jobs.
  Result<std::uint64_t> ReflectAgain(const UserKey& user, Deadline deadline);

  [[nodiscard]] Journal& journal() { return stores_.journal; }

  [[nodiscard]] JobLedger& ledger() { return stores_.ledger; }

  [[nodiscard]] SemanticMemory& semantic() { return stores_.semantic; }

 private:
  const Clock& clock_;
  BoundedWorkerPool& recall_pool_;
  const Stores stores_;
  const Options options_;
  // Of the journal, or else of the spool; in the latter case this says so in `context`.
  Result<RecallOpening> OpenRecall(const RecallRequest& request, RecalledContext& context,
                                   Deadline deadline);

  EmbeddingAllowance embedding_allowance_;
  PendingTurns pending_turns_;
  std::optional<PendingTurns> spooled_turns_;  // Of the spool alone.
};

}  // namespace umbranet
