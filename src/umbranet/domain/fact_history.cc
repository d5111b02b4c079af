#include "umbranet/domain/fact_history.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "umbranet/base/text_analysis.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/domain/entity_name.h"

namespace umbranet {
namespace {

// A fact while its slot is being folded.
struct OpenFact {
  std::size_t head = 0;
  bool negated = false;
  std::optional<Timestamp> valid_from;
  std::optional<Timestamp> valid_to;
  bool edited = false;
  std::size_t superseded_by = kNoStatement;
  std::string_view last_turn;  // The interaction of its newest witness.
};

bool Holds(const OpenFact& fact, Timestamp at) {
  return !fact.valid_to.has_value() || *fact.valid_to > at;
}

class Folding {
 public:
  explicit Folding(std::span<const FactStatement> statements)
      : statements_(statements), fates_(statements.size()) {}

  std::vector<StatementFate> Run() {
    std::vector<std::size_t> order(statements_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return statements_[a].place < statements_[b].place;
    });
    for (const std::size_t index : order) {
      if (statements_[index].retracts) {
        Retract(statements_[index]);
      } else {
        State(index);
      }
    }
    for (const OpenFact& fact : facts_) {
      StatementFate& fate = fates_[fact.head];
      fate.valid_to = fact.valid_to;
      fate.superseded_by = fact.superseded_by;
    }
    return std::move(fates_);
  }

 private:
  void Retract(const FactStatement& statement) {
    const std::string& target =
        statement.object_key.empty() ? statement.ends_key : statement.object_key;
    const Timestamp end =
        statement.valid_to.value_or(statement.valid_from.value_or(statement.place.occurred_at));
    DropEnded(statement.place.occurred_at);
    for (const std::size_t at : open_) {
      OpenFact& fact = facts_[at];
      if (!fact.negated && (target.empty() || ObjectOf(fact) == target)) {
        End(fact, statement, end, kNoStatement);
      }
    }
  }

  void State(std::size_t index) {
    const FactStatement& statement = statements_[index];
    const Timestamp said_at = statement.place.occurred_at;
    const bool over = statement.valid_to.has_value() && *statement.valid_to <= said_at;
    std::size_t known = Find(statement, over);
    if (known == kNoStatement) {
      known = facts_.size();
      facts_.emplace_back();
      facts_.back().head = index;
      facts_.back().negated = statement.negated;
      by_value_[statement.object_key].push_back(known);
      open_.push_back(known);
    }
    fates_[index].head = facts_[known].head;
    Witness(facts_[known], statement);
    if (over) {
      return;
    }
    const Timestamp end = statement.valid_from.value_or(said_at);
    DropEnded(said_at);
    for (const std::size_t at : open_) {
      if (at != known && Ends(statement, facts_[at])) {
        End(facts_[at], statement, end, facts_[known].head);
      }
    }
    if (statement.supersedes && !facts_[known].edited &&
        facts_[known].superseded_by != kNoStatement) {
      // What was announced to end it ("from July on") has been taken back.
      facts_[known].superseded_by = kNoStatement;
      facts_[known].valid_to = statement.valid_to;
    }
  }

  // Statements come in the order of their times, so what has ended by now has ended for all that
  // follow.
  void DropEnded(Timestamp now) {
    std::erase_if(open_, [&](std::size_t at) { return !Holds(facts_[at], now); });
  }

  // The newest fact of the same value that still holds; of a time that is over, the newest one
  // however it ended, since it is told about again.
  std::size_t Find(const FactStatement& statement, bool over) const {
    const auto same_value = by_value_.find(statement.object_key);
    if (same_value == by_value_.end()) {
      return kNoStatement;
    }
    for (auto at = same_value->second.rbegin(); at != same_value->second.rend(); ++at) {
      if (facts_[*at].negated == statement.negated &&
          (over || Holds(facts_[*at], statement.place.occurred_at))) {
        return *at;
      }
    }
    return kNoStatement;
  }

  static void Witness(OpenFact& fact, const FactStatement& statement) {
    fact.last_turn = statement.place.interaction_id;
    if (!fact.valid_from.has_value()) {
      fact.valid_from = statement.valid_from;
    }
    if (statement.edited_valid_to.has_value()) {
      fact.valid_to = statement.edited_valid_to;
      fact.edited = true;
    } else if (statement.valid_to.has_value() && !fact.edited) {
      fact.valid_to = statement.valid_to;
    }
  }

  bool Ends(const FactStatement& statement, const OpenFact& other) const {
    const bool same_value = ObjectOf(other) == statement.object_key;
    if (statement.negated || other.negated) {
      return same_value && statement.negated != other.negated;
    }
    if (same_value) {
      return false;
    }
    if (!statement.ends_key.empty() && ObjectOf(other) == statement.ends_key) {
      return true;
    }
    if (statement.supersedes) {
      return statement.ends_key.empty();
    }
    // What is announced for later is not ended by what holds until then.
    const Timestamp from = statement.valid_from.value_or(statement.place.occurred_at);
    return statement.functional && other.last_turn != statement.place.interaction_id &&
           other.valid_from.value_or(from) <= from;
  }

  static void End(OpenFact& fact, const FactStatement& statement, Timestamp end,
                  std::size_t successor) {
    if (!Holds(fact, std::max(end, statement.place.occurred_at))) {
      return;
    }
    if (!fact.edited) {
      fact.valid_to = fact.valid_from.has_value() ? std::max(end, *fact.valid_from) : end;
    }
    fact.superseded_by = successor;
  }

  [[nodiscard]] const std::string& ObjectOf(const OpenFact& fact) const {
    return statements_[fact.head].object_key;
  }

  const std::span<const FactStatement> statements_;
  std::vector<StatementFate> fates_;
  std::vector<OpenFact> facts_;
  std::vector<std::size_t> open_;  // Into facts_: those that may still hold.
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_value_;  // Into facts_.
};

}  // namespace

std::vector<StatementFate> FoldFactStatements(std::span<const FactStatement> statements) {
  return Folding(statements).Run();
}

bool ReachesOtherValues(const FactStatement& statement) {
  return (statement.functional && !statement.negated) || statement.supersedes ||
         !statement.ends_key.empty() || (statement.retracts && statement.object_key.empty());
}

std::string MakeStatementId(const UserKey& user, std::string_view interaction_id,
                            const PlannedFact& fact) {
  const std::string_view kind = fact.retracts ? "retracts" : fact.negated ? "negated" : "positive";
  return NameUuidV5({"fact", user.tenant, user.user_id, interaction_id, NormalizeName(fact.subject),
                     PredicateName(fact.predicate), NormalizeName(fact.qualifier),
                     NormalizeName(fact.object), NormalizeName(fact.ends_object), kind});
}

FactTerms AnalyzeFact(std::string_view text, std::span<const std::string> names) {
  FactTerms analyzed{.terms = AnalyzeTerms(text)};
  analyzed.text_length = static_cast<std::uint32_t>(analyzed.terms.size());
  std::unordered_set<std::string> seen(analyzed.terms.begin(), analyzed.terms.end());
  for (const std::string& name : names) {
    for (std::string& term : AnalyzeName(name)) {
      if (seen.insert(term).second) {
        analyzed.terms.push_back(std::move(term));
      }
    }
  }
  return analyzed;
}

}  // namespace umbranet
