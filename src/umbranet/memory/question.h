// A question as recall reads it: the terms that the tiers are asked for, and what kind of answer it
// wants. Pure; may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "umbranet/domain/time_range.h"

namespace umbranet {

// A question longer than this asks for its first terms; every store bounds its statement by it.
inline constexpr std::size_t kQuestionTermsMax = 64;

struct Question {
  // Stems, each once: those of the question in its order, then related ones (related_words.h), then
  // acronyms (acronyms.h).
  std::vector<std::string> terms;
  // Parallel: 1, or less for words that only frame the question and for related ones, or the number
  // of words that an acronym is made of.
  std::vector<double> term_weights;
  // Parallel: the index of the asked term in whose place a related one counts, where that is
  // missing; of an asked term its own index. An acronym counts in the place of its first word.
  std::vector<std::size_t> stands_for;
  // The terms that are acronyms, by their index, and how they are written.
  std::vector<std::pair<std::size_t, std::string>> acronyms;
  std::vector<std::pair<std::size_t, std::size_t>> neighbours;  // Terms that stand side by side.
  std::vector<std::string> words;  // Every word folded, stop words too: names are found in these.
  bool about_development = false;  // Summary, order, over time: wants its sessions spread.
  bool about_present = false;      // What is so now: wants the latest of equals first.
  bool asks_when = false;          // A date or a length of time: wants what has one.
  // The times that it asks about ("in May", "last week"). Left empty by ReadQuestion: to resolve
  // them takes a clock and a grammar.
  std::vector<TimeRange> times;
  bool about_choice = false;  // Wants advice: what the user prefers matters to the answer.
  // "Have I ever ...": what was done stays done, whatever came in its place since.
  bool about_experience = false;
};

[[nodiscard]] Question ReadQuestion(std::string_view query);

// The question as its meaning is compared: without the names of those whom it is about ("did Mira
// ...", "Tom's dog"). People speak of themselves as "I" and call the others by name, so a name
// would bring what was said *to* whom the question is about; that it is said by or of them is what
// words and speakers tell. Unchanged when nothing else would be left.
[[nodiscard]] std::string QuestionToEmbed(std::string_view query);

// Takes out of `term_counts` the acronyms that `text` does not have in capitals.
void DropUnwritten(const Question& question, std::string_view text,
                   std::vector<std::uint32_t>& term_counts);

// Counts a question's terms in texts that no index has counted. The question must outlive it.
class QuestionTermCounter {
 public:
  explicit QuestionTermCounter(const Question& question);
  explicit QuestionTermCounter(Question&&) = delete;

  struct Counts {
    std::vector<std::uint32_t> term_counts;  // Parallel to Question::terms.
    std::uint32_t length = 0;                // Terms in the text.
  };

  // Adds the terms of `text` to `counts`.
  void Add(std::string_view text, Counts& counts) const;
  // The same, of a text of which there are only the terms.
  void AddTerms(const std::vector<std::string>& terms, Counts& counts) const;

  // For every pair in Question::neighbours whether its terms neighbour in `terms`, which are joined
  // by single spaces.
  [[nodiscard]] std::vector<bool> Neighbours(std::string_view terms) const;

 private:
  static constexpr std::size_t kNoTerm = static_cast<std::size_t>(-1);

  [[nodiscard]] std::size_t IndexOf(std::string_view term) const;

  const Question& question_;
  std::unordered_map<std::string_view, std::size_t> index_;  // Views into question_.terms.
  // The bytes that a term begins with, and its lengths modulo 64: most words are told apart by
  // these alone.
  std::array<bool, 256> first_bytes_{};
  std::uint64_t lengths_ = 0;
};

}  // namespace umbranet
