// What a set of statements about one thing amounts to: which facts there are, which turns bear
// witness to each, and which of them ended when and by what.
//
// The outcome is a function of the set of statements alone. The turns' times decide, never the
// order in which the turns were reflected, so a store that folds again whatever a new statement may
// touch keeps the same memory for every order of arrival. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

// A statement's place in time: by the turn's time, then by its place in the journal, then within
// the turn.
struct StatementPlace {
  Timestamp occurred_at{};
  std::int64_t sequence = 0;
  std::string interaction_id;
  std::uint32_t ordinal = 0;

  auto operator<=>(const StatementPlace&) const = default;
};

// One planned fact as it matters to the others of its slot: same subject, predicate and qualifier.
struct FactStatement {
  StatementPlace place;
  std::string object_key;  // Equal for equal values. May be empty in a retraction: whatever it is.
  std::string ends_key;    // Of PlannedFact::ends_object; empty when there is none.
  bool functional = false;
  bool negated = false;
  bool supersedes = false;
  bool retracts = false;
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_to;
  std::optional<Timestamp> edited_valid_to;  // The owner's word: it stands above what was said.
};

inline constexpr std::size_t kNoStatement = std::numeric_limits<std::size_t>::max();

// What became of one statement. Indices are into the statements that were folded.
struct StatementFate {
  // The first statement of the fact that this one bears witness to: its own index when it opens a
  // fact, kNoStatement for a retraction, which only ends what others said.
  std::size_t head = kNoStatement;
  // Of a head:
  std::optional<Timestamp> valid_to;
  std::size_t superseded_by = kNoStatement;  // The head of the successor.
};

// Folds the statements of one slot, given in any order; the result is parallel to them.
//
// A positive statement bears witness to the fact of the same value that still holds, or opens one.
// It ends the denial of that value; every other value when the predicate is functional (values of
// one turn stand beside each other) or the statement supersedes; and the value that it names with
// ends_object. A negated statement ends the same value. Whatever ends does so at the statement's
// valid_from, or else at its turn's time. A statement about a time that was over when it was made
// ("until 2019") ends nothing but its own value.
std::vector<StatementFate> FoldFactStatements(std::span<const FactStatement> statements);

// True when a statement may touch facts of its slot whose value is another one than its own.
bool ReachesOtherValues(const FactStatement& statement);

// The same statement of the same turn has the same id for ever, whichever generation of the job
// made the plan. A fact's memory id is kFactPrefix + the id of its first statement.
std::string MakeStatementId(const UserKey& user, std::string_view interaction_id,
                            const PlannedFact& fact);

// What a fact is found by: the terms of its sentence, and the terms of the names that are not in
// it, each once. `text_length` is the number of the former.
struct FactTerms {
  std::vector<std::string> terms;
  std::uint32_t text_length = 0;
};

FactTerms AnalyzeFact(std::string_view text, std::span<const std::string> names);

}  // namespace umbranet
