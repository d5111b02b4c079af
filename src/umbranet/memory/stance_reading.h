// A text word by word and clause by clause, as stance.h reads it: what a clause denies, gives up,
// and names for values. Pure; may be called from any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/stance.h"

namespace umbranet {

// Half-open range of words.
struct StanceClause {
  std::size_t first = 0;
  std::size_t last = 0;
};

// One text, word by word and clause by clause.
class StanceReading {
 public:
  explicit StanceReading(std::string_view text);

  [[nodiscard]] const std::vector<TextToken>& tokens() const { return tokens_; }

  [[nodiscard]] const std::vector<StanceClause>& clauses() const { return clauses_; }

  // The word behind the one that denies; the clause's end when none does.
  [[nodiscard]] std::size_t DeniedFrom(const StanceClause& clause) const;
  [[nodiscard]] bool HasHappened(const StanceClause& clause) const;
  void NoteChange(const StanceClause& clause, Stance& stance) const;
  // Whether by the clause what was has been left for something else.
  [[nodiscard]] bool MovesOn(const StanceClause& clause) const;
  // Whether the clause gives something up.
  [[nodiscard]] bool Ends(const StanceClause& clause) const;
  // `which` are the stems of what is to be told from others of its kind.
  void AddValues(const StanceClause& clause, TermSet terms, const std::vector<std::string>& which,
                 std::vector<StatedValue>& values) const;

 private:
  [[nodiscard]] std::string_view Word(std::size_t i) const {
    return i < tokens_.size() ? std::string_view(tokens_[i].folded) : std::string_view();
  }

  // What stands between a word and the one before.
  [[nodiscard]] std::string_view Gap(std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : tokens_[i - 1].end;
    const std::size_t end = i < tokens_.size() ? tokens_[i].begin : text_.size();
    return text_.substr(begin, end - begin);
  }

  template <std::size_t kSize>
  [[nodiscard]] bool IsPair(std::size_t i,
                            const std::array<std::array<std::string_view, 2>, kSize>& pairs) const {
    return std::any_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return Word(i) == pair[0] && Word(i + 1) == pair[1];
    });
  }

  [[nodiscard]] bool OpensClause(std::size_t i) const;
  std::size_t ReadDate(std::size_t i, StatedValue& value) const;
  std::size_t ReadClock(std::size_t i, StatedValue& value) const;
  std::size_t ReadAmount(std::size_t i, std::size_t last, StatedValue& value) const;

  std::string_view text_;
  std::vector<TextToken> tokens_;
  std::vector<StanceClause> clauses_;
};

}  // namespace umbranet
