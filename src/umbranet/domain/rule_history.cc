#include "umbranet/domain/rule_history.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

std::unordered_set<std::string_view> WordsOf(std::string_view key) {
  std::unordered_set<std::string_view> words;
  while (!key.empty()) {
    const std::size_t end = std::min(key.find(' '), key.size());
    if (end > 0) {
      words.insert(key.substr(0, end));
    }
    key.remove_prefix(std::min(end + 1, key.size()));
  }
  return words;
}

// Two wordings of one rule: one holds all that the other says and hardly more, unless that says
// enough by itself. Rules that differ in a word on either side ("two spaces", "four spaces") are
// two.
bool SayTheSame(std::size_t shared, std::size_t words, std::size_t others) {
  constexpr std::size_t kWordsMin = 3;
  constexpr std::size_t kWordsEnough = 5;
  const std::size_t fewer = std::min(words, others);
  return shared == fewer && fewer >= kWordsMin &&
         (fewer >= kWordsEnough || std::max(words, others) - fewer <= 1);
}

std::size_t SharedWords(const std::unordered_set<std::string_view>& words, std::string_view key) {
  const std::unordered_set<std::string_view> others = WordsOf(key);
  return static_cast<std::size_t>(std::count_if(
      others.begin(), others.end(), [&](std::string_view word) { return words.contains(word); }));
}

class Folding {
 public:
  explicit Folding(std::span<const RuleStatement> statements)
      : statements_(statements), fates_(statements.size()) {}

  std::vector<RuleFate> Run() {
    std::vector<std::size_t> order(statements_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [this](std::size_t a, std::size_t b) {
      return statements_[a].place < statements_[b].place;
    });
    for (const std::size_t index : order) {
      if (statements_[index].withdraws) {
        Withdraw(statements_[index]);
      } else {
        State(index);
      }
    }
    return std::move(fates_);
  }

 private:
  void State(std::size_t index) {
    const RuleStatement& statement = statements_[index];
    std::size_t known = FindInForce(statement, statement.negative);
    if (known == kNoStatement) {
      known = FindReworded(statement);
    }
    if (known == kNoStatement) {
      known = index;
      heads_.push_back(index);
      by_key_[statement.key].push_back(index);
      const std::unordered_set<std::string_view> words = WordsOf(statement.key);
      words_of_[index] = words.size();
      for (const std::string_view word : words) {
        by_word_[word].push_back(index);
      }
    }
    fates_[index].head = known;
    fates_[known].newest = index;
    if (statement.edited_withdrawn_at.has_value()) {
      fates_[known].withdrawn_at = statement.edited_withdrawn_at;
    }
    const std::size_t opposite = FindInForce(statement, !statement.negative);
    if (opposite != kNoStatement) {
      fates_[opposite].withdrawn_at = statement.place.occurred_at;
      fates_[opposite].superseded_by = known;
    }
  }

  void Withdraw(const RuleStatement& statement) {
    const std::unordered_set<std::string_view> words = WordsOf(statement.key);
    std::size_t best = kNoStatement;
    std::size_t best_shared = 0;
    for (const std::size_t head : heads_) {
      if (!InForce(head, statement.place.occurred_at)) {
        continue;
      }
      const std::size_t shared = statements_[head].key == statement.key
                                     ? kNoStatement
                                     : SharedWords(words, statements_[head].key);
      if (shared > 0 && shared >= best_shared) {
        best_shared = shared;
        best = head;
      }
    }
    if (best != kNoStatement) {
      fates_[best].withdrawn_at = statement.place.occurred_at;
    }
  }

  [[nodiscard]] bool InForce(std::size_t head, Timestamp at) const {
    const auto& withdrawn_at = fates_[head].withdrawn_at;
    return !withdrawn_at.has_value() || *withdrawn_at > at;
  }

  [[nodiscard]] std::size_t FindInForce(const RuleStatement& statement, bool negative) const {
    const auto same_key = by_key_.find(statement.key);
    if (same_key == by_key_.end()) {
      return kNoStatement;
    }
    for (auto head = same_key->second.rbegin(); head != same_key->second.rend(); ++head) {
      if (statements_[*head].negative == negative && InForce(*head, statement.place.occurred_at)) {
        return *head;
      }
    }
    return kNoStatement;
  }

  // The newest rule in force that says the same in other words.
  [[nodiscard]] std::size_t FindReworded(const RuleStatement& statement) const {
    const std::unordered_set<std::string_view> words = WordsOf(statement.key);
    std::unordered_map<std::size_t, std::size_t> shared;  // By head.
    for (const std::string_view word : words) {
      const auto heads = by_word_.find(word);
      if (heads != by_word_.end()) {
        for (const std::size_t head : heads->second) {
          ++shared[head];
        }
      }
    }
    std::size_t newest = kNoStatement;
    for (const auto& [head, count] : shared) {
      const bool later =
          newest == kNoStatement || statements_[newest].place < statements_[head].place;
      if (later && statements_[head].negative == statement.negative &&
          SayTheSame(count, words.size(), words_of_.at(head)) &&
          InForce(head, statement.place.occurred_at)) {
        newest = head;
      }
    }
    return newest;
  }

  const std::span<const RuleStatement> statements_;
  std::vector<RuleFate> fates_;
  std::vector<std::size_t> heads_;  // In the order in which they were said.
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_key_;   // The same.
  std::unordered_map<std::string_view, std::vector<std::size_t>> by_word_;  // Heads by key's words.
  std::unordered_map<std::size_t, std::size_t> words_of_;  // By head: the number of them.
};

}  // namespace

std::vector<RuleFate> FoldRuleStatements(std::span<const RuleStatement> statements) {
  return Folding(statements).Run();
}

std::string MakeStatementId(const UserKey& user, std::string_view interaction_id,
                            const PlannedRule& rule) {
  const std::string_view kind = rule.withdraws  ? "withdraws"
                                : rule.negative ? "negative"
                                                : "positive";
  return NameUuidV5({"rule", user.tenant, user.user_id, interaction_id, rule.key, kind});
}

}  // namespace umbranet
