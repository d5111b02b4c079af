#include "umbranet/adapters/redis/redis_short_term_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "umbranet/adapters/redis/redis_address.h"
#include "umbranet/adapters/redis/redis_client.h"
#include "umbranet/adapters/redis/redis_keys.h"
#include "umbranet/adapters/redis/short_term_scripts.h"
#include "umbranet/adapters/redis/stored_turn.h"
#include "umbranet/domain/newest_turns.h"

namespace umbranet {
namespace {

// Once so many turns have to be looked up in the journal, the next Reads are spared it.
constexpr std::size_t kUnverifiedMax = 4;

constexpr std::size_t kHeadFields = 8;

std::int64_t ToNumber(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

struct RedisShortTermMemory::SessionKeys {
  SessionKeys(std::string_view prefix, const UserKey& user, std::string_view session_id)
      : names(prefix, user),
        session(RedisUserKeys::SessionName(session_id)),
        turns(names.Turns(session)),
        about(names.About(session)),
        sessions(names.Sessions()),
        erased(names.Erased()) {}

  [[nodiscard]] std::array<std::string_view, 4> All() const {
    return {turns, about, sessions, erased};
  }

  RedisUserKeys names;
  std::string session;
  std::string turns;
  std::string about;
  std::string sessions;
  std::string erased;
};

// What Redis has of a session.
struct RedisShortTermMemory::Stored {
  bool whole = false;  // Otherwise the turns are missing, and only the rest is known.
  bool cut = false;    // There are older ones, beyond the budget.
  std::size_t kept = 0;
  std::int64_t verified = 0;
  std::string version;
  std::string erased_at;
  std::int64_t through = 0;
  std::string summary;
  std::vector<Interaction> turns;  // Newest first.
};

Result<std::unique_ptr<RedisShortTermMemory>> RedisShortTermMemory::Open(const Clock& clock,
                                                                         Journal& journal,
                                                                         const Options& options) {
  UMBRANET_ASSIGN_OR_RETURN(const RedisAddress address, ParseRedisUrl(options.url));
  UMBRANET_ASSIGN_OR_RETURN(std::unique_ptr<RedisClient> client,
                            RedisClient::Open(clock, {.address = address,
                                                      .connections_max = options.connections_max,
                                                      .connect_budget = options.connect_budget,
                                                      .call_budget = options.call_budget,
                                                      .breaker = options.breaker,
                                                      .log = options.log}));
  return std::unique_ptr<RedisShortTermMemory>(
      new RedisShortTermMemory(clock, journal, options, std::move(client)));
}

RedisShortTermMemory::RedisShortTermMemory(const Clock& clock, Journal& journal, Options options,
                                           std::unique_ptr<RedisClient> client)
    : clock_(clock),
      journal_(journal),
      options_(std::move(options)),
      keep_for_ms_(std::to_string(options_.keep_for.count())),
      client_(std::move(client)) {}

RedisShortTermMemory::~RedisShortTermMemory() = default;

Status RedisShortTermMemory::Append(const Interaction& turn, Deadline deadline) {
  const SessionKeys keys(options_.key_prefix, turn.user, turn.session_id);
  const std::string sequence = std::to_string(turn.sequence);
  const std::string entry = EncodeTurn(turn);
  const std::string accepted_at = std::to_string(ToUnixMillis(turn.accepted_at));
  const std::string turns_max = std::to_string(options_.turns_max);
  const std::array<std::string_view, 6> arguments{keep_for_ms_, keys.session, sequence,
                                                  entry,        accepted_at,  turns_max};
  UMBRANET_RETURN_IF_ERROR(client_->Run(AppendScript(), keys.All(), arguments, deadline));
  return {};
}

Result<Conversation> RedisShortTermMemory::Read(const UserKey& user, std::string_view session_id,
                                                const ConversationWindow& window,
                                                Deadline deadline) {
  return ReadAgreeing(nullptr, user, session_id, window, deadline);
}

Result<Conversation> RedisShortTermMemory::ReadAfter(const SessionTail& tail, const UserKey& user,
                                                     std::string_view session_id,
                                                     const ConversationWindow& window,
                                                     Deadline deadline) {
  if (tail.sequences.empty()) {
    return Conversation{};  // No summary outlives the turns it is of.
  }
  return ReadAgreeing(&tail, user, session_id, window, deadline);
}

Result<Conversation> RedisShortTermMemory::ReadAgreeing(const SessionTail* tail,
                                                        const UserKey& user,
                                                        std::string_view session_id,
                                                        const ConversationWindow& window,
                                                        Deadline deadline) {
  const SessionKeys keys(options_.key_prefix, user, session_id);
  UMBRANET_ASSIGN_OR_RETURN(Stored stored, ReadStored(keys, user, session_id, window, deadline));
  if (stored.whole) {
    UMBRANET_ASSIGN_OR_RETURN(const bool agrees,
                              AgreesWithJournal(keys, user, session_id, stored, tail, deadline));
    if (agrees) {
      std::reverse(stored.turns.begin(), stored.turns.end());
      return Conversation{.summary = std::move(stored.summary),
                          .summarized_through = stored.through,
                          .turns = std::move(stored.turns)};
    }
  }
  return Rebuild(keys, user, session_id, stored, window, deadline);
}

Result<RedisShortTermMemory::Stored> RedisShortTermMemory::ReadStored(
    const SessionKeys& keys, const UserKey& user, std::string_view session_id,
    const ConversationWindow& window, Deadline deadline) {
  const std::string tokens = std::to_string(window.tokens);
  const std::string most = std::to_string(window.turns);
  UMBRANET_ASSIGN_OR_RETURN(const RedisReply reply,
                            client_->Run(ReadScript(), keys.All(),
                                         std::array<std::string_view, 2>{tokens, most}, deadline));
  Stored stored;
  const std::span<redisReply* const> parts = RedisReply::ElementsOf(reply.raw());
  if (parts.size() != 2 || RedisReply::ElementsOf(*parts[0]).size() != kHeadFields) {
    return Error{ErrorCode::kInternal, "redis: the reading script answered in another form"};
  }
  const std::span<redisReply* const> head = RedisReply::ElementsOf(*parts[0]);
  stored.whole = RedisReply::NumberOf(*head[0]) == 1;
  stored.cut = RedisReply::NumberOf(*head[1]) == 1;
  stored.kept = static_cast<std::size_t>(RedisReply::NumberOf(*head[2]));
  stored.verified = ToNumber(RedisReply::TextOf(*head[3]));
  stored.version = RedisReply::TextOf(*head[4]);
  stored.erased_at = RedisReply::TextOf(*head[5]);
  stored.through = ToNumber(RedisReply::TextOf(*head[6]));
  stored.summary = RedisReply::TextOf(*head[7]);
  for (const redisReply* const entry : RedisReply::ElementsOf(*parts[1])) {
    std::optional<Interaction> turn = DecodeTurn(RedisReply::TextOf(*entry), user, session_id);
    if (!turn) {
      // Written by another version: what the journal says replaces it.
      stored.whole = false;
      break;
    }
    stored.turns.push_back(*std::move(turn));
  }
  return stored;
}

Result<bool> RedisShortTermMemory::AgreesWithJournal(const SessionKeys& keys, const UserKey& user,
                                                     std::string_view session_id,
                                                     const Stored& stored, const SessionTail* tail,
                                                     Deadline deadline) {
  // Those that Append brought, and the one before them.
  const auto unverified = static_cast<std::size_t>(
      std::find_if(stored.turns.begin(), stored.turns.end(),
                   [&](const Interaction& turn) { return turn.sequence <= stored.verified; }) -
      stored.turns.begin());
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<std::int64_t> truth,
      NewestOfJournal(user, session_id, stored, unverified + 1, tail, deadline));
  for (std::size_t i = 0; i <= unverified; ++i) {
    if (i < stored.turns.size()) {
      if (i >= truth.size() || truth[i] != stored.turns[i].sequence) {
        return false;
      }
    } else if (stored.cut ? i >= truth.size()
                          : i < truth.size() && stored.kept < options_.turns_max) {
      // Beyond what fits the budget there should be another one; beyond what is kept, none.
      return false;
    }
  }
  if (unverified >= kUnverifiedMax) {
    const std::string verified = std::to_string(stored.turns.front().sequence);
    // A failure changes nothing but what the next Read has to look up.
    (void)client_->Run(VerifiedScript(), keys.All(),
                       std::array<std::string_view, 2>{stored.version, verified}, deadline);
  }
  return true;
}

Result<std::vector<std::int64_t>> RedisShortTermMemory::NewestOfJournal(
    const UserKey& user, std::string_view session_id, const Stored& stored, std::size_t count,
    const SessionTail* tail, Deadline deadline) {
  // A turn that is newer than the tail may have come since, or be one that is gone.
  if (tail != nullptr && (tail->IsWhole() || tail->sequences.size() >= count) &&
      (stored.turns.empty() || stored.turns.front().sequence <= tail->sequences.front())) {
    return tail->sequences;
  }
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<Interaction> turns,
      journal_.Recent(user, session_id, /*before_sequence=*/0, count, deadline));
  std::vector<std::int64_t> sequences;
  for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
    sequences.push_back(turn->sequence);
  }
  return sequences;
}

Result<Conversation> RedisShortTermMemory::Rebuild(const SessionKeys& keys, const UserKey& user,
                                                   std::string_view session_id,
                                                   const Stored& stored,
                                                   const ConversationWindow& window,
                                                   Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<Interaction> turns,
      journal_.Recent(user, session_id, /*before_sequence=*/0, options_.turns_max, deadline));
  // The summary outlives the turns it is of in Redis, but not in the journal.
  bool keep_summary = !stored.summary.empty() && !turns.empty();
  if (keep_summary && turns.front().sequence > stored.through) {
    UMBRANET_ASSIGN_OR_RETURN(keep_summary,
                              HasTurnUpTo(user, session_id, stored.through, deadline));
  }
  const std::string verified = std::to_string(turns.empty() ? 0 : turns.back().sequence);
  std::vector<std::string> entries;
  entries.reserve(2 * turns.size());
  for (const Interaction& turn : turns) {
    entries.push_back(std::to_string(turn.sequence));
    entries.push_back(EncodeTurn(turn));
  }
  std::vector<std::string_view> arguments{
      keep_for_ms_, keys.session, stored.version, stored.erased_at, keep_summary ? "1" : "0",
      verified};
  arguments.insert(arguments.end(), entries.begin(), entries.end());
  // The conversation is known by now; should this fail, the next Read tries again.
  (void)client_->Run(RebuildScript(), keys.All(), arguments, deadline);
  Conversation conversation;
  if (keep_summary) {
    conversation.summary = stored.summary;
    conversation.summarized_through = stored.through;
  }
  conversation.turns = NewestWithin(std::move(turns), window);
  return conversation;
}

Result<bool> RedisShortTermMemory::HasTurnUpTo(const UserKey& user, std::string_view session_id,
                                               std::int64_t sequence, Deadline deadline) {
  UMBRANET_ASSIGN_OR_RETURN(
      const std::vector<Interaction> turns,
      journal_.Recent(user, session_id, /*before_sequence=*/sequence + 1, 1, deadline));
  return !turns.empty();
}

Status RedisShortTermMemory::SaveSummary(const UserKey& user, std::string_view session_id,
                                         std::int64_t through_sequence, std::string_view summary,
                                         Deadline deadline) {
  const SessionKeys keys(options_.key_prefix, user, session_id);
  // In this order: a user who is forgotten after the first look makes the script pass it over.
  UMBRANET_ASSIGN_OR_RETURN(
      const RedisReply erased_at,
      client_->Call(std::array<std::string_view, 2>{"GET", keys.erased}, deadline));
  UMBRANET_ASSIGN_OR_RETURN(const bool has_turns,
                            HasTurnUpTo(user, session_id, through_sequence, deadline));
  if (!has_turns) {
    return {};
  }
  const std::string through = std::to_string(through_sequence);
  const std::array<std::string_view, 5> arguments{keep_for_ms_, keys.session, erased_at.Text(),
                                                  through, summary};
  UMBRANET_RETURN_IF_ERROR(client_->Run(SaveSummaryScript(), keys.All(), arguments, deadline));
  return {};
}

Result<std::uint64_t> RedisShortTermMemory::EraseUser(const UserKey& user, Deadline deadline) {
  const RedisUserKeys names(options_.key_prefix, user);
  const std::string sessions = names.Sessions();
  const std::string erased = names.Erased();
  const std::string now = std::to_string(ToUnixMillis(clock_.Now()));
  UMBRANET_ASSIGN_OR_RETURN(
      const RedisReply summaries,
      client_->Run(EraseUserScript(), std::array<std::string_view, 2>{sessions, erased},
                   std::array<std::string_view, 3>{now, keep_for_ms_, names.base()}, deadline));
  return static_cast<std::uint64_t>(summaries.Number());
}

const CircuitBreaker& RedisShortTermMemory::breaker() const {
  return client_->breaker();
}

Status RedisShortTermMemory::Probe(Deadline deadline) {
  UMBRANET_RETURN_IF_ERROR(client_->Call(std::array<std::string_view, 1>{"PING"}, deadline));
  return {};
}

}  // namespace umbranet
