// Consolidated episodes: what sums up old episodes of a user, kept beside them, and who works on
// it.
//
// Promises:
// - The originals stay as they are, found and listed by EpisodicMemory as before. Everything here
//   is in addition to them.
// - An episode is a source of one consolidated episode at the most.
// - A consolidated episode lasts no longer than its sources: it is gone, words and all, in the same
//   transaction in which one of them is erased or its text changed, on whatever way. Where a user
//   has several generations of his memory (ports/memory_generations.h), each has its own.
// - One claim on a user at a time, of all processes. One that was put off, whose time has run out
//   and that somebody else took over, or whose user was forgotten, is void: kAborted, and nothing
//   is changed. A claim whose holder died is taken over when its time has run out.
// - Save is one step, after which the consolidated episode is there with all of its sources, or
//   nothing has changed. What died before it left nothing behind but its claim.
// - What was undone is not made again: its sources are left alone, in all generations.
//
// It shares its store with EpisodicMemory. All methods may be called from any thread. Times come
// from the store's clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/consolidated_episode.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

// Whose episodes are consolidated, and which.
struct ConsolidationPolicy {
  Millis age = std::chrono::hours{24 * 90};  // Since they occurred.
  std::size_t episodes_min = 200;  // So many that old, which are in no consolidated one yet.
  ConsolidationGroup group;
  Millis claim{600'000};  // How long a claim holds.
  // A user who has too few is looked at again after this.
  Millis look_again{3'600'000};
};

struct ConsolidationClaim {
  std::uint64_t token = 0;
  UserKey user;
  std::vector<OldEpisode> episodes;  // Of one group, oldest first.
};

// For how long a claim's user, and the episodes of its group, are to be left alone.
struct ConsolidationRest {
  Millis user{0};
  Millis episodes{0};
};

struct ConsolidatedQuery {
  UserKey user;
  std::vector<std::string> terms;  // Stems, each once.
  std::size_t limit = 20;
  std::optional<Timestamp> as_of = std::nullopt;  // Only those whose last source had occurred.
};

struct ConsolidatedPage {
  std::vector<ConsolidatedEpisode> episodes;
  std::string next_cursor;  // Empty at the end.
};

class EpisodeConsolidation {
 public:
  virtual ~EpisodeConsolidation() = default;

  // The next group of a user who has enough for it and is nobody's. Nothing: there is none, or not
  // among the users who were looked at this time, of whom there are at most a few dozen.
  virtual Result<std::optional<ConsolidationClaim>> Claim(const ConsolidationPolicy& policy,
                                                          Deadline deadline) = 0;

  // Keeps what sums up the claim's episodes, and ends the claim. kAborted: the claim is void, or
  // its episodes are not what they were.
  virtual Result<ConsolidatedEpisode> Save(const ConsolidationClaim& claim, std::string_view text,
                                           std::string_view model, Deadline deadline) = 0;

  // Ends the claim without anything. One that is void is no error.
  virtual Status PutOff(const ConsolidationClaim& claim, const ConsolidationRest& rest,
                        Deadline deadline) = 0;

  // Those with any of the terms: the ones that hold most of them, the later of equals first.
  virtual Result<std::vector<ConsolidatedEpisode>> Find(const ConsolidatedQuery& query,
                                                        Deadline deadline) = 0;

  // The user's, by their first source, oldest first. A bad cursor is kInvalidArgument.
  virtual Result<ConsolidatedPage> List(const UserKey& user, std::string_view cursor,
                                        std::size_t limit, Deadline deadline) = 0;
  // Nothing when the tenant has no such one.
  virtual Result<std::optional<ConsolidatedEpisode>> Get(std::string_view tenant,
                                                         std::string_view memory_id,
                                                         Deadline deadline) = 0;
  // Of these episodes of the user, the ones that are consolidated, and what in.
  virtual Result<std::map<std::string, std::string>> ConsolidatedIn(
      const UserKey& user, std::span<const std::string> memory_ids, Deadline deadline) = 0;

  // Takes a consolidated episode away, in whatever generation it is. False: there is none such.
  virtual Result<bool> Undo(std::string_view tenant, std::string_view memory_id,
                            Deadline deadline) = 0;
  // The same of all of the user's in force. How many there were.
  virtual Result<std::uint64_t> UndoAll(const UserKey& user, Deadline deadline) = 0;

  // Everything of the user, also what is to be left alone, and whoever's claim on him. How many
  // consolidated episodes there were.
  virtual Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) = 0;
};

}  // namespace umbranet
