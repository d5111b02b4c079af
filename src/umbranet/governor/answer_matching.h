// How well a remembered text answers a question, judged by words alone: for replies that are made
// without a model. Pure; may be called from any thread.
//
// A text answers when it holds at least half of the question's content words (both of two, the one
// of one), compared as stems. Words of one family count as 0.8 of the word itself: who asks where
// somebody lives is answered by "moved", and one spelling answers another. Whoever the question is
// about must be in the text: a name that it gives, a relative that it names ("my sister"), and for
// a question about the user themselves the first person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "umbranet/base/text_analysis.h"

namespace umbranet {

class AskedQuestion {
 public:
  explicit AskedQuestion(std::string_view message);

  struct Match {
    double share = 0;         // Of the question's content words that the text holds, 0 to 1.
    std::size_t words = 0;    // How many those are.
    std::size_t same = 0;     // Of these, not only of a family, but the same.
    bool enough = false;      // Enough of them for an answer.
    bool about_same = false;  // Whoever is asked about is in the text.
    bool names_same = false;  // At least one name or relative of the question is in the text.
    bool right_kind = false;  // It holds what is asked for: a number, a date, a name, a place.
    bool same_words = false;  // It says the same and nothing more: the question itself, maybe.

    [[nodiscard]] bool Answers() const { return enough && about_same; }
  };

  // `speaker` is who said the text; empty when it was the user.
  [[nodiscard]] Match Compare(std::string_view text, std::string_view speaker) const;

  // Nothing to compare by: "what do you know about me?"
  [[nodiscard]] bool AsksForAnything() const { return terms_.empty(); }

  // It wants more than one thing: "what are my hobbies?"
  [[nodiscard]] bool WantsSeveral() const { return wants_several_; }

  // What is so now, and therefore what was told last: "where do I live?"
  [[nodiscard]] bool AsksForPresent() const { return asks_for_present_; }

  // What was told first: "what was the first plan?"
  [[nodiscard]] bool AsksForFirst() const { return asks_for_first_; }

 private:
  enum class Kind { kAny, kWhen, kWhere, kWho, kHowMany };

  struct Term {
    std::string stem;
    bool anchor = false;  // Names whom the question is about.
  };

  [[nodiscard]] bool IsOfKind(const std::vector<TextToken>& tokens) const;

  std::vector<Term> terms_;
  std::unordered_set<std::string> stems_;
  bool about_user_ = false;  // "Where do I live?"
  bool wants_several_ = false;
  bool asks_for_present_ = false;
  bool asks_for_first_ = false;
  Kind kind_ = Kind::kAny;
};

// What a message is, for a reply without a model.
enum class MessageKind { kGreeting, kThanks, kFarewell, kQuestion, kStatement };

[[nodiscard]] MessageKind ClassifyMessage(std::string_view message);

// The sentences and lines of a text, trimmed, none empty.
[[nodiscard]] std::vector<std::string_view> SplitSentences(std::string_view text);

// By its mark, or by how it begins: "where does she live", "tell me about her".
[[nodiscard]] bool IsQuestion(std::string_view sentence);

// True when two texts say much the same: most of the shorter one's content words are in the other.
[[nodiscard]] bool SaysTheSame(std::string_view a, std::string_view b);

}  // namespace umbranet
