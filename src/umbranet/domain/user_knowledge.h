// All that one user's turns said of who and what, and the facts that follow from it.
//
// What turns said is kept as it was said (names, merges, statements, and which statements were
// erased); entities and facts are worked out of it by NameGraph and FoldFactStatements whenever
// something that bears on them arrives, so the outcome is the same for every order of arrival. A
// store keeps the rows of what was said, asks what a change made different, and needs to put back
// nothing else to have it all again. A copy costs little: what is large is shared and never
// changed. A fact's memory id is that of its first statement; the ids of its other statements find
// it too.
//
// Reading is safe from any thread while nobody changes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/fact.h"
#include "umbranet/domain/fact_history.h"
#include "umbranet/domain/memory_item.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/domain/name_graph.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// A planned fact as a turn said it.
struct SaidFact {
  std::string statement_id;
  StatementPlace place;
  Timestamp recorded_at{};
  PlannedFact fact;
};

// What an owner made of a statement by hand.
struct StatementEdits {
  std::optional<std::string> text;
  std::optional<Timestamp> valid_to;

  bool operator==(const StatementEdits&) const = default;
};

// A fact with what it is found by.
struct KnownFact {
  Fact fact;
  MemoryPlace place;
  std::vector<std::string> terms;
  std::uint32_t length = 0;  // In terms, without those of names alone.
};

// As it is listed.
MemoryItem ItemOfFact(const Fact& fact);

class UserKnowledge {
 public:
  // The names of a statement, normalised.
  struct NormalNames {
    std::string subject;
    std::string object;
    std::string qualifier;
    std::string ends;
  };

  // A statement with what was made of it. Indices stay the same for ever.
  struct Statement {
    std::shared_ptr<const SaidFact> said;  // Null: it was erased.
    std::shared_ptr<const NormalNames> normal;
    StatementEdits edits;
    std::string subject_root;
    std::string object_root;  // What equal values have in common; an entity's root, if it is one.
    std::size_t head = kNoStatement;
    std::size_t superseded_by = kNoStatement;  // Of a head.
    std::shared_ptr<const KnownFact> fact;     // The same.

    [[nodiscard]] bool ObjectIsEntity() const {
      return said->fact.object_is_entity && !normal->object.empty();
    }
  };

  // What is to be written down again.
  struct Changes {
    std::set<std::string> names;
    std::set<std::string> relinked;  // Names of other entities than before.
    std::set<NamePair> merges;
    std::set<std::string> entities;    // Roots; those that are not there any more are to go.
    std::set<std::size_t> statements;  // That are there.
    std::vector<SaidFact> erased;      // Statements that are to go and not to come back.

    [[nodiscard]] bool empty() const;
    // Those of what was done next.
    void Add(Changes later);
  };

  // Whose word counts where an owner changed the same statement in two accounts of his turns.
  enum class Prevails : std::uint8_t { kHere, kThere };

  explicit UserKnowledge(UserKey user) : user_(user), names_(std::move(user)) {}

  [[nodiscard]] const UserKey& user() const { return user_; }

  // Takes in plans that were not applied before.
  Changes Apply(std::span<const ReflectionPlan* const> plans, Timestamp now);
  // `head` is of a fact.
  Changes Edit(std::size_t head, const MemoryPatch& patch);
  Changes Erase(std::size_t head);
  // Both normalised; `from` may be empty. How many merges were undone goes into `undone`.
  Changes Part(std::string_view name, std::string_view from, Timestamp now, std::size_t& undone);

  // What the owner did by hand to another account of the same turns: what was erased goes and stays
  // away, statements that are here are changed as they were there, parted names are parted.
  Changes TakeOver(const UserKnowledge& other, Prevails prevails);

  // Rows as they were stored, in place of those that are here. Settle ends it.
  void PutName(const std::string& name, KnownName row) { names_.PutName(name, std::move(row)); }

  void PutMerge(const NamePair& names, NameMerge row) { names_.PutMerge(names, std::move(row)); }

  void PutStatement(SaidFact said, StatementEdits edits);
  void PutErased(const std::string& statement_id, const std::string& interaction_id);
  void Settle();

  // The head of the fact that the statement bears witness to; nothing for a retraction.
  [[nodiscard]] std::optional<std::size_t> HeadOf(const std::string& statement_id) const;

  [[nodiscard]] const Statement& at(std::size_t index) const { return statements_[index]; }

  // Of all indices, those of erased ones too.
  [[nodiscard]] std::size_t statement_count() const { return statements_.size(); }

  // By their places, oldest first.
  [[nodiscard]] std::span<const std::size_t> heads() const { return heads_; }

  [[nodiscard]] const NameGraph& names() const { return names_; }

  // All rows, statements, names and merges, for whoever bounds what is kept.
  [[nodiscard]] std::size_t size() const {
    return statements_.size() + names_.names().size() + names_.merges().size();
  }

  // The facts as they stood at a time in the past, oldest first, under the names of today.
  [[nodiscard]] std::vector<std::shared_ptr<const KnownFact>> AsOf(Timestamp time) const;

 private:
  struct SlotKey {
    std::string subject_root;
    Predicate predicate = Predicate::kOther;
    std::string qualifier;  // Normalised.

    auto operator<=>(const SlotKey&) const = default;
  };

  using Slot = std::vector<std::size_t>;

  // The statements of a slot by their places, and what became of each. Heads and successors are
  // indices of statements.
  struct Folded {
    std::vector<std::size_t> said;
    std::vector<StatementFate> fates;
    std::map<std::size_t, std::vector<std::size_t>> witnesses;  // Of each head, by their places.
  };

  Changes SettleChanges();
  void Add(SaidFact said, StatementEdits edits);
  void Remove(std::size_t index);
  [[nodiscard]] SlotKey KeyOf(const Statement& statement) const;
  // Puts the statement into the slot where it belongs now; false when it is there already.
  bool Place(std::size_t index, bool fresh);
  void TouchRenamed(const std::set<std::string>& roots);
  void SettleSlot(const Slot& slot, const std::set<std::string>& renamed, Changes& changes);
  [[nodiscard]] Folded Fold(const Slot& slot, Timestamp until) const;
  // `before`, when not null, is the same fact with the same text and names.
  [[nodiscard]] std::shared_ptr<const KnownFact> MakeFact(std::size_t head,
                                                          const StatementFate& fate,
                                                          std::span<const std::size_t> witnesses,
                                                          const KnownFact* before) const;
  void ListHeads();

  UserKey user_;
  NameGraph names_;
  std::vector<Statement> statements_;
  std::unordered_map<std::string, std::size_t> by_id_;
  std::map<std::string, std::string> erased_;  // Statement ids, and the ids of their turns.
  std::map<SlotKey, Slot> slots_;
  std::vector<std::size_t> heads_;

  // Since the last settling.
  std::vector<std::size_t> unplaced_;
  std::set<SlotKey> touched_;
};

}  // namespace umbranet
