// MemoryManager::Recall: the tiers are asked on the pool, all at once, and what they have brought
// by the deadline is ranked. A tier that is late writes into state that it shares with nobody any
// more.
#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "umbranet/base/mutex.h"
#include "umbranet/domain/newest_turns.h"
#include "umbranet/memory/consolidated_ranking.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/prompt_context.h"
#include "umbranet/memory/question.h"
#include "umbranet/memory/ranking.h"
#include "umbranet/memory/rule_selection.h"
#include "umbranet/ports/episode_consolidation.h"

namespace umbranet {
namespace {

// Of the rules in force, before the pertinent ones are chosen.
constexpr std::size_t kRulesConsidered = 256;
constexpr std::size_t kLimitMax = 1'000;
// Consolidated episodes, of which few are answered with.
constexpr std::size_t kConsolidatedConsidered = 20;
// Of a running conversation that the journal has to stand in for.
constexpr std::size_t kConversationTurnsMax = 128;
// Bytes of a question in which times are looked for.
constexpr std::size_t kTimesReadIn = 4096;

// What the tiers of one recall have brought so far.
struct Gathering {
  Gathering(RecallRequest asked, bool by_meaning, bool without_journal, RecallOpening opened,
            Deadline by)
      : request(std::move(asked)),
        question(ReadQuestion(request.query)),
        embed(by_meaning),
        journal_away(without_journal),
        opening(std::move(opened)),
        deadline(by) {}

  const RecallRequest request;
  const Question question;
  const bool embed;             // The question is to get a vector.
  const bool journal_away;      // Known before any tier was asked.
  const RecallOpening opening;  // The spool's while the journal is away.
  const Deadline deadline;

  Mutex mutex;
  ConditionVariable changed;
  std::size_t running GUARDED_BY(mutex) = 0;
  bool closed GUARDED_BY(mutex) = false;  // Nobody waits any more.
  std::optional<Conversation> short_term GUARDED_BY(mutex);
  bool short_term_away GUARDED_BY(mutex) = false;  // The conversation is the journal's.
  std::optional<EpisodesFound> episodes GUARDED_BY(mutex);
  bool embedder_failed GUARDED_BY(mutex) = false;
  // The question's, where it is made beside the tiers.
  bool embedding_done GUARDED_BY(mutex) = false;
  std::optional<Embedding> embedding GUARDED_BY(mutex);
  std::optional<FactsFound> facts GUARDED_BY(mutex);
  std::optional<std::vector<Rule>> rules GUARDED_BY(mutex);
  std::optional<std::vector<ConsolidatedEpisode>> consolidated GUARDED_BY(mutex);
  std::map<Tier, double> tier_ms GUARDED_BY(mutex);
};

using Found = std::shared_ptr<Gathering>;

void AwaitChange(Gathering& found, Deadline by) REQUIRES(found.mutex) {
  if (const std::optional<SteadyTime> at = by.At()) {
    found.changed.WaitUntil(found.mutex, *at);
  } else {
    found.changed.Wait(found.mutex);
  }
}

double MillisSince(const Clock& clock, SteadyTime start) {
  return std::chrono::duration<double, std::milli>(clock.SteadyNow() - start).count();
}

// Runs `ask` and files what it brought under `slot`, unless the recall is over by then.
template <typename T, typename Ask>
void File(const Clock& clock, const Found& found, Tier tier, std::optional<T> Gathering::* slot,
          const Ask& ask) {
  const SteadyTime start = clock.SteadyNow();
  Result<T> brought = ask();
  const double took_ms = MillisSince(clock, start);
  MutexLock lock(found->mutex);
  if (brought.ok() && !found->closed) {
    (*found).*slot = std::move(brought).value();
    found->tier_ms[tier] = took_ms;
  }
  --found->running;
  found->changed.NotifyAll();
}

bool Wants(const RecallRequest& request, Tier tier) {
  return std::find(request.tiers.begin(), request.tiers.end(), tier) != request.tiers.end();
}

std::vector<std::string> TurnsInView(const Conversation& conversation) {
  std::vector<std::string> ids;
  ids.reserve(conversation.turns.size());
  for (const Interaction& turn : conversation.turns) {
    ids.push_back(turn.interaction_id);
  }
  return ids;
}

// Puts one recall's question to the tiers, on the pool. Tasks may outlive the recall, so they hold
// the gathering and otherwise refer only to what outlives the manager.
class Asking {
 public:
  // Tiers in `near` are asked by Finish, on its thread.
  Asking(const Clock& clock, BoundedWorkerPool& pool, const std::vector<Tier>& near, Found found)
      : clock_(clock), pool_(pool), near_(near), found_(std::move(found)) {}

  // `near`: as if the tier were in `near`.
  template <typename T, typename Ask>
  void Put(Tier tier, std::optional<T> Gathering::* slot, Ask ask, bool near = false) {
    if (!Wants(found_->request, tier)) {
      return;
    }
    {
      MutexLock lock(found_->mutex);
      ++found_->running;
    }
    BoundedWorkerPool::Task task = [&clock = clock_, found = found_, tier, slot,
                                    ask = std::move(ask)] {
      File(clock, found, tier, slot, [&] { return ask(*found); });
    };
    if (near || IsNear(tier)) {
      put_off_.push_back(std::move(task));
    } else if (!pool_.TrySubmit(task)) {  // A full pool makes this recall slower, not poorer.
      task();
    }
  }

  // On another thread where one is to be had.
  template <typename Make>
  void MakeBeside(Make make) {
    const BoundedWorkerPool::Task task = [found = found_, make = std::move(make)] { make(*found); };
    if (!pool_.TrySubmit(task)) {
      task();
    }
  }

  // Asks what no other thread was asked, the last that was put first: what may have to wait for
  // something was put before the others.
  void Finish() {
    const std::vector<BoundedWorkerPool::Task> tasks = std::exchange(put_off_, {});
    for (auto task = tasks.rbegin(); task != tasks.rend(); ++task) {
      (*task)();
    }
  }

  [[nodiscard]] bool IsNear(Tier tier) const {
    return std::find(near_.begin(), near_.end(), tier) != near_.end();
  }

 private:
  const Clock& clock_;
  BoundedWorkerPool& pool_;
  const std::vector<Tier>& near_;
  const Found found_;
  std::vector<BoundedWorkerPool::Task> put_off_;
};

// Nothing: it could not be had in time, and the question goes by its words.
std::optional<Embedding> EmbedQuestion(const MemoryManager::Options& options, Deadline by,
                                       Gathering& asked) {
  Result<Embedding> embedding =
      options.embedder->EmbedQuestion(QuestionToEmbed(asked.request.query), by);
  if (embedding.ok()) {
    return std::move(embedding).value();
  }
  const MutexLock lock(asked.mutex);
  asked.embedder_failed = true;
  return std::nullopt;
}

void MakeEmbedding(const MemoryManager::Options& options, Deadline by, Gathering& asked) {
  std::optional<Embedding> embedding = EmbedQuestion(options, by, asked);
  const MutexLock lock(asked.mutex);
  asked.embedding = std::move(embedding);
  asked.embedding_done = true;
  asked.changed.NotifyAll();
}

std::optional<Embedding> AwaitEmbedding(Deadline by, Gathering& asked) {
  const MutexLock lock(asked.mutex);
  while (!asked.embedding_done && !by.Expired()) {
    AwaitChange(asked, by);
  }
  asked.embedder_failed = asked.embedder_failed || !asked.embedding_done;
  return std::move(asked.embedding);
}

// By words, and by meaning when the question's vector can be had in time. `beside`: it is made on
// another thread meanwhile.
Result<EpisodesFound> FindEpisodes(EpisodicMemory& episodic, const MemoryManager::Options& options,
                                   Deadline embedding_by, bool beside, Gathering& asked) {
  EpisodeQuery query{.user = asked.request.user,
                     .terms = asked.question.terms,
                     .candidates_max = options.episode_candidates,
                     .similar_max = options.similar_episodes,
                     .as_of = asked.request.as_of};
  if (asked.embed) {
    query.embedding_space = options.embedder->space();
    if (beside) {
      query.embedding_to_come = [&asked, embedding_by] {
        return AwaitEmbedding(embedding_by, asked);
      };
    } else {
      query.embedding = EmbedQuestion(options, embedding_by, asked);
    }
  }
  return episodic.Find(query, asked.deadline);
}

// The turns of the session that wait in the spool, behind those of the conversation.
Status AddSpooledTurns(TurnSpool& spool, const ConversationWindow& window, const Gathering& asked,
                       Conversation& conversation) {
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<Interaction> spooled,
      spool.turns().Recent(asked.request.user, *asked.request.session_id, /*before_sequence=*/0,
                           kConversationTurnsMax, asked.deadline));
  std::vector<Interaction> turns = std::move(conversation.turns);
  for (Interaction& turn : spooled) {
    const auto same = [&turn](const Interaction& other) {
      return other.interaction_id == turn.interaction_id;
    };
    if (std::none_of(turns.begin(), turns.end(), same)) {
      turns.push_back(std::move(turn));
    }
  }
  conversation.turns = NewestWithin(std::move(turns), window);
  return {};
}

// What the journal says of the conversation: the same turns without a summary.
Result<Conversation> ConversationOfJournal(const MemoryManager::Stores& stores,
                                           const ConversationWindow& window,
                                           const Gathering& asked) {
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<Interaction> turns,
      stores.journal.Recent(asked.request.user, *asked.request.session_id, /*before_sequence=*/0,
                            kConversationTurnsMax, asked.deadline));
  Conversation conversation;
  conversation.turns = NewestWithin(std::move(turns), window);
  return conversation;
}

// The running conversation; from the journal when tier 1 is away, and from the spool what is only
// there.
Result<Conversation> ReadConversation(const Clock& clock, const MemoryManager::Stores& stores,
                                      const ConversationWindow& window, Gathering& asked) {
  if (!asked.request.session_id) {
    return Conversation{};
  }
  // A tier 1 that leans on a journal that is away may wait for it, and the spool is to be asked
  // still.
  const Deadline by = asked.journal_away
                          ? asked.deadline.Within(clock, asked.deadline.Remaining() / 2)
                          : asked.deadline;
  const std::optional<SessionTail>& tail = asked.opening.session;
  Result<Conversation> read =
      tail ? stores.short_term.ReadAfter(*tail, asked.request.user, *asked.request.session_id,
                                         window, by)
           : stores.short_term.Read(asked.request.user, *asked.request.session_id, window, by);
  if (!read.ok()) {
    read = ConversationOfJournal(stores, window, asked);
    if (!read.ok() && stores.spool == nullptr) {
      return read;
    }
    const MutexLock lock(asked.mutex);
    asked.short_term_away = true;
  }
  Conversation conversation = std::move(read).value_or(Conversation{});
  if (stores.spool != nullptr) {
    UMBRANET_RETURN_IF_ERROR(AddSpooledTurns(*stores.spool, window, asked, conversation));
  }
  return conversation;
}

bool AsksForConsolidated(const MemoryManager::Stores& stores,
                         const MemoryManager::Options& options) {
  return options.with_consolidated && stores.consolidation != nullptr;
}

// Whether no tier but the first has ever had anything of the user: what is kept beside the journal,
// which has just said so, need not be asked.
bool HasNothingYet(const std::optional<std::int64_t>& memory_version) {
  return memory_version == 0;
}

void AnswerWithNothing(Gathering& found) {
  const MutexLock lock(found.mutex);
  found.episodes.emplace();
  found.rules.emplace();
  found.consolidated.emplace();
  for (const Tier tier : {Tier::kEpisodic, Tier::kProcedural}) {
    if (Wants(found.request, tier)) {
      found.tier_ms[tier] = 0;
    }
  }
}

void AskForEpisodes(const Clock& clock, const MemoryManager::Stores& stores,
                    const MemoryManager::Options& options, const Gathering& found, Asking& asking) {
  const bool beside =
      found.embed && asking.IsNear(Tier::kEpisodic) && Wants(found.request, Tier::kEpisodic);
  const Deadline embedding_by = found.deadline.Within(clock, options.embedding_budget);
  if (beside) {
    asking.MakeBeside(
        [&, embedding_by](Gathering& asked) { MakeEmbedding(options, embedding_by, asked); });
  }
  asking.Put(Tier::kEpisodic, &Gathering::episodes, [&, embedding_by, beside](Gathering& asked) {
    return FindEpisodes(stores.episodic, options, embedding_by, beside, asked);
  });
  if (AsksForConsolidated(stores, options)) {
    asking.Put(Tier::kEpisodic, &Gathering::consolidated, [&](const Gathering& asked) {
      return stores.consolidation->Find({.user = asked.request.user,
                                         .terms = asked.question.terms,
                                         .limit = kConsolidatedConsidered,
                                         .as_of = asked.request.as_of},
                                        asked.deadline);
    });
  }
}

void AskTiers(const Clock& clock, const MemoryManager::Stores& stores,
              const MemoryManager::Options& options, Gathering& found, Asking asking) {
  const std::optional<std::int64_t>& version = found.opening.freshness.memory_version;
  const bool has_nothing = HasNothingYet(version);
  if (has_nothing) {
    AnswerWithNothing(found);
  } else {
    AskForEpisodes(clock, stores, options, found, asking);
  }
  const FactQuery facts{.user = found.request.user,
                        .terms = found.question.terms,
                        .candidates_max = options.fact_candidates,
                        .as_of = found.request.as_of,
                        .version = version};
  asking.Put(
      Tier::kSemantic, &Gathering::facts,
      [&semantic = stores.semantic, facts](const Gathering& asked) {
        return semantic.Find(facts, asked.deadline);
      },
      stores.semantic.AnswersAtOnce(facts));
  if (!has_nothing) {
    asking.Put(Tier::kProcedural, &Gathering::rules, [&](const Gathering& asked) {
      return stores.procedural.Active(asked.request.user, asked.request.as_of, kRulesConsidered,
                                      asked.deadline);
    });
  }
  asking.Put(Tier::kShortTerm, &Gathering::short_term, [&](Gathering& asked) {
    return ReadConversation(clock, stores, options.conversation, asked);
  });
  asking.Finish();
}

// The turns that wait for reflection. They have to be read before any tier is asked: a turn that is
// reflected in between is then found twice, which ranking knows how to deal with; the other way
// round it would be found in neither place.
Result<EpisodesFound> FindPending(PendingTurns& turns, const Gathering& asked, std::size_t limit) {
  const Freshness& freshness = asked.opening.freshness;
  if (!Wants(asked.request, Tier::kShortTerm) || freshness.reflected == freshness.accepted) {
    return EpisodesFound();
  }
  if (asked.opening.unreflected) {
    return turns.FindAmong(asked.request.user, *asked.opening.unreflected, asked.question.terms,
                           asked.request.as_of, asked.deadline);
  }
  return turns.Find(asked.request.user, asked.question.terms, asked.request.as_of, limit,
                    asked.deadline);
}

// What the tiers have brought by the deadline; the rest is named in `context`.
struct Harvest {
  RankingInput input;
  std::vector<Rule> rules;
  std::vector<ConsolidatedEpisode> consolidated;
};

// `with_consolidated`: they were asked for.
Harvest Collect(Gathering& found, bool with_consolidated, RecalledContext& context) {
  Harvest harvest;
  MutexLock lock(found.mutex);
  while (found.running > 0 && !found.deadline.Expired()) {
    AwaitChange(found, found.deadline);
  }
  found.closed = true;
  if (found.embedder_failed) {
    context.degraded.emplace_back("embedder");
  }
  if (found.short_term_away && found.short_term) {
    context.degraded.emplace_back(TierName(Tier::kShortTerm));
  }
  const auto missing = [&](Tier tier, bool there) {
    if (Wants(found.request, tier) && !there) {
      context.missing_tiers.push_back(tier);
    }
  };
  missing(Tier::kShortTerm, found.short_term.has_value());
  missing(Tier::kEpisodic, found.episodes.has_value());
  missing(Tier::kSemantic, found.facts.has_value());
  missing(Tier::kProcedural, found.rules.has_value());
  context.conversation = std::move(found.short_term).value_or(Conversation{});
  harvest.input.episodes = std::move(found.episodes).value_or(EpisodesFound{});
  harvest.input.facts = std::move(found.facts).value_or(FactsFound{});
  harvest.rules = std::move(found.rules).value_or(std::vector<Rule>{});
  if (with_consolidated && Wants(found.request, Tier::kEpisodic) && !found.consolidated) {
    context.degraded.emplace_back("consolidated");
  }
  harvest.consolidated = std::move(found.consolidated).value_or(std::vector<ConsolidatedEpisode>{});
  context.tier_ms = found.tier_ms;
  return harvest;
}

std::vector<RankedItem> Rank(const Question& question, Harvest harvest,
                             RecallExplanation* explanation) {
  const std::size_t limit = harvest.input.limit;
  std::optional<ConsolidatedRanking> consolidated;
  if (!harvest.consolidated.empty()) {
    consolidated.emplace(question, harvest.input.episodes.statistics);
  }
  std::vector<RankedItem> ranked = RankMemories(question, std::move(harvest.input), explanation);
  if (consolidated) {
    consolidated->Add(std::move(harvest.consolidated), limit, ranked, explanation);
  }
  return ranked;
}

bool TooManyAtOnce(const AnswersUnderWay* answers) {
  static const std::size_t processors = std::max(std::thread::hardware_concurrency(), 1U);
  return answers != nullptr && answers->count() > processors;
}

bool IsAway(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
}

}  // namespace

Result<RecallOpening> MemoryManager::OpenRecall(const RecallRequest& request,
                                                RecalledContext& context, Deadline deadline) {
  RecallOpeningQuery query{.user = request.user,
                           .session_id = request.session_id,
                           .unreflected_max = options_.unreflected_max};
  auto opening = stores_.journal.OpenRecall(query, deadline);
  if (opening.ok() || stores_.spool == nullptr || !IsAway(opening.error())) {
    return opening;
  }
  context.degraded.emplace_back("queue");
  query.session_id.reset();  // Tier 1 holds a session against the journal, and not the spool.
  // This costs a read of the own disk, which is to be had even when the wait has used up the time.
  return stores_.spool->turns().OpenRecall(query, Deadline::After(clock_, options_.recall_budget));
}

Result<RecalledContext> MemoryManager::Recall(const RecallRequest& request, Deadline deadline) {
  const SteadyTime start = clock_.SteadyNow();
  const AnswersUnderWay::Share share(options_.answers);
  if (request.limit > kLimitMax) {
    return InvalidArgument("recall: limit is at most " + std::to_string(kLimitMax));
  }
  const Deadline by = deadline.Within(clock_, options_.recall_budget);
  RecalledContext context;
  std::shared_ptr<void> reading = options_.begin_reading ? options_.begin_reading() : nullptr;
  UMBRANET_ASSIGN_OR_RETURN(RecallOpening opening, OpenRecall(request, context, by));
  context.freshness = opening.freshness;
  const bool journal_away = !context.degraded.empty();
  const std::optional<std::int64_t> version = context.freshness.memory_version;
  const bool has_meaning =
      options_.embedder != nullptr && !request.query.empty() && !HasNothingYet(version);
  const bool spared = has_meaning && request.embedding_may_be_spared &&
                      (!embedding_allowance_.Take(!TooManyAtOnce(options_.answers)) ||
                       !options_.embedder->ReadyAtOnce());
  if (options_.embedder_missing || spared) {
    context.degraded.emplace_back("embedder");
  }
  const Found found = std::make_shared<Gathering>(request, has_meaning && !spared, journal_away,
                                                  std::move(opening), by);
  Result<EpisodesFound> pending = FindPending(journal_away ? *spooled_turns_ : pending_turns_,
                                              *found, options_.unreflected_max);
  AskTiers(clock_, stores_, options_, *found,
           Asking(clock_, recall_pool_, options_.near_tiers, found));
  reading.reset();
  Harvest harvest = Collect(*found, AsksForConsolidated(stores_, options_), context);
  if (!pending.ok() &&
      (context.missing_tiers.empty() || context.missing_tiers.front() != Tier::kShortTerm)) {
    context.missing_tiers.insert(context.missing_tiers.begin(), Tier::kShortTerm);
  }
  harvest.input.pending = std::move(pending).value_or({});

  harvest.input.as_of = request.as_of;
  harvest.input.limit = request.limit;
  Question question = found->question;
  if (options_.read_times) {
    question.times = options_.read_times(std::string_view(request.query).substr(0, kTimesReadIn),
                                         request.as_of.value_or(clock_.Now()));
  }
  context.rules = SelectRules(question, harvest.rules, options_.rules_max, harvest.input.episodes);
  harvest.input.rules = context.rules;
  if (request.explain) {
    context.explanation.emplace();
  }
  RecallExplanation* const explanation = context.explanation ? &*context.explanation : nullptr;
  std::vector<RankedItem> ranked = Rank(question, std::move(harvest), explanation);
  context.context = PackContext(question, ranked, context.rules, TurnsInView(context.conversation),
                                request.token_budget);
  for (RankedItem& item : ranked) {
    item.item.speaker = std::move(item.speaker);
    context.items.push_back(std::move(item.item));
  }
  context.total_ms = MillisSince(clock_, start);
  if (options_.metrics != nullptr) {
    options_.metrics->recall_seconds.Observe(context.total_ms / 1e3);
    for (const auto& [tier, took_ms] : context.tier_ms) {
      options_.metrics->recall_tier_seconds.At(TierName(tier)).Observe(took_ms / 1e3);
    }
  }
  return context;
}

}  // namespace umbranet
