#include "umbranet/memory/question.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/acronyms.h"
#include "umbranet/memory/related_words.h"

namespace umbranet {
namespace {

// Words that say what to do with the answer rather than what it is about. They still count a
// little: a user may well ask for the list that was mentioned.
constexpr std::string_view kFrameWords =
    "remind recall remember tell list mention conversation chat discuss talk say ask bring bring "
    "different aspect various summary summarize give provide item only order question answer";
constexpr double kFrameWeight = 0.3;
constexpr double kRelatedWeight = 0.3;

// How something went over time. Stems, as the question's terms are.
constexpr std::string_view kDevelopmentWords =
    "summary summarize overview throughout sequence timeline evolve progress develop development "
    "across history chronological evolution";
constexpr std::array<std::array<std::string_view, 2>, 3> kDevelopmentPairs = {
    {{"over", "time"}, {"in", "order"}, {"order", "in"}}};

// A proposal or a plan is asked for. Stems, as above.
constexpr std::string_view kAdviceWords =
    "suggest suggestion recommend recommendation advice advise idea tip option best good great "
    "should plan choose pick consider help";

constexpr std::array<std::string_view, 16> kPresentWords = {
    "is",        "are", "am",     "do",  "does", "has",    "have",   "current",
    "currently", "now", "latest", "can", "will", "should", "newest", "still"};
constexpr std::array<std::string_view, 11> kPastWords = {
    "did",        "was",       "were",   "when", "original", "initial",
    "originally", "initially", "before", "ago",  "had"};

constexpr std::array<std::string_view, 16> kAuxiliaries = {
    "did", "do",  "does", "is",    "are",    "was", "were",  "will",
    "has", "had", "have", "would", "should", "can", "could", "am"};
constexpr std::array<std::string_view, 6> kTimeUnits = {"date",  "day",  "week",
                                                        "month", "year", "time"};
constexpr std::array<std::string_view, 7> kLengths = {"days",  "weeks",   "months", "years",
                                                      "hours", "minutes", "decades"};

std::unordered_set<std::string> Stems(std::string_view words) {
  const std::vector<std::string> terms = AnalyzeName(words);
  return {terms.begin(), terms.end()};
}

template <std::size_t kSize>
bool IsOneOf(const std::array<std::string_view, kSize>& sought, std::string_view word) {
  return std::find(sought.begin(), sought.end(), word) != sought.end();
}

// "Have I edited timelines before?"; not "have I still" or "have I got", which ask for the present.
bool AsksAboutExperience(const std::vector<std::string>& words) {
  return words.size() > 2 && words[0] == "have" && (words[1] == "i" || words[1] == "we") &&
         words[2] != "still" && words[2] != "got";
}

// Whether something was ever done is asked for itself, whatever words it is told in.
bool AsksAboutDevelopment(const std::vector<TextToken>& tokens, bool about_experience) {
  static const std::unordered_set<std::string> stems = Stems(kDevelopmentWords);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!about_experience && stems.contains(tokens[i].term)) {
      return true;
    }
    for (const auto& [first, second] : kDevelopmentPairs) {
      const bool pair =
          i + 1 < tokens.size() && tokens[i].folded == first && tokens[i + 1].folded == second;
      const bool purpose = i + 2 < tokens.size() && tokens[i + 2].folded == "to";  // "in order to"
      if (pair && !purpose) {
        return true;
      }
    }
  }
  return false;
}

// "When did ...", "which year", "how long", "how many weeks"; not "when I ask about travel".
bool AsksWhen(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& next = words[i + 1];
    const bool many = words[i] == "how" && next == "many" && i + 2 < words.size();
    if ((words[i] == "when" && IsOneOf(kAuxiliaries, next)) ||
        ((words[i] == "what" || words[i] == "which") && IsOneOf(kTimeUnits, next)) ||
        (words[i] == "how" && next == "long") || (many && IsOneOf(kLengths, words[i + 2]))) {
      return true;
    }
  }
  return false;
}

// What lies between two events asks for both, whatever came later. "When is", "have I ever", "has
// she been there before" ask for what is so by now; "when did" and "before" elsewhere for what was.
bool AsksAboutPresent(const std::vector<std::string>& words) {
  const bool perfect = !words.empty() && (words.front() == "have" || words.front() == "has");
  // "Who leads the choir?"
  bool present = words.size() > 1 && words[0] == "who" && words[1].ends_with('s') &&
                 !IsOneOf(kPastWords, words[1]);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_present = IsOneOf(kPresentWords, words[i]);
    const bool open =
        (words[i] == "when" && i + 1 < words.size() && IsOneOf(kPresentWords, words[i + 1])) ||
        (words[i] == "before" && perfect);
    if ((IsOneOf(kPastWords, words[i]) && !open) || words[i] == "between") {
      return false;
    }
    present = present || is_present;
  }
  return present;
}

bool AsksForAdvice(const std::vector<TextToken>& tokens) {
  static const std::unordered_set<std::string> stems = Stems(kAdviceWords);
  return std::any_of(tokens.begin(), tokens.end(),
                     [](const TextToken& token) { return stems.contains(token.term); });
}

// "Mira's", with either apostrophe.
bool IsPossessive(std::string_view query, const TextToken& token) {
  const std::string_view word = query.substr(token.begin, token.end - token.begin);
  return word.ends_with("'s") || word.ends_with("\u2019s");
}

void AddRelatedTerms(Question& question) {
  const std::size_t asked = question.terms.size();
  for (std::size_t i = 0; i < asked; ++i) {
    if (question.term_weights[i] < 1) {
      continue;
    }
    const std::string term = question.terms[i];  // The vector grows below.
    for (const std::string& related : RelatedTerms(term)) {
      const bool known =
          std::find(question.terms.begin(), question.terms.end(), related) != question.terms.end();
      if (!known && question.terms.size() < kQuestionTermsMax) {
        question.terms.push_back(related);
        question.term_weights.push_back(kRelatedWeight);
        question.stands_for.push_back(i);
      }
    }
  }
}

void AddAcronyms(std::string_view query, const std::vector<TextToken>& tokens, Question& question) {
  for (const Acronym& acronym : AcronymsOf(query, tokens)) {
    const auto place_of = [&](const std::string& term) {
      return std::find(question.terms.begin(), question.terms.end(), term);
    };
    const auto asked = place_of(tokens[acronym.first].term);
    std::string term = StemWord(FoldCase(acronym.written));
    if (asked == question.terms.end() || place_of(term) != question.terms.end()) {
      continue;
    }
    if (question.terms.size() >= kQuestionTermsMax) {
      return;
    }
    question.stands_for.push_back(static_cast<std::size_t>(asked - question.terms.begin()));
    question.acronyms.emplace_back(question.terms.size(), acronym.written);
    question.terms.push_back(std::move(term));
    question.term_weights.push_back(static_cast<double>(acronym.words));
  }
}

}  // namespace

Question ReadQuestion(std::string_view query) {
  static const std::unordered_set<std::string> frame = Stems(kFrameWords);
  Question question;
  const std::vector<TextToken> tokens = Tokenize(query);
  std::size_t before = kQuestionTermsMax;  // Index of the content term just before.
  for (const TextToken& token : tokens) {
    question.words.push_back(token.folded);
    if (token.stop_word) {
      continue;
    }
    const auto known = std::find(question.terms.begin(), question.terms.end(), token.term);
    if (known == question.terms.end() && question.terms.size() == kQuestionTermsMax) {
      break;
    }
    const auto index = static_cast<std::size_t>(known - question.terms.begin());
    if (known == question.terms.end()) {
      question.terms.push_back(token.term);
      question.term_weights.push_back(frame.contains(token.term) ? kFrameWeight : 1.0);
      question.stands_for.push_back(index);
    }
    if (before != kQuestionTermsMax && before != index) {
      question.neighbours.emplace_back(before, index);
    }
    before = index;
  }
  AddRelatedTerms(question);
  AddAcronyms(query, tokens, question);
  question.about_experience = AsksAboutExperience(question.words);
  question.about_development = AsksAboutDevelopment(tokens, question.about_experience);
  question.about_present = AsksAboutPresent(question.words);
  question.about_choice = AsksForAdvice(tokens);
  question.asks_when = AsksWhen(question.words);
  return question;
}

std::string QuestionToEmbed(std::string_view query) {
  const std::vector<TextToken> tokens = Tokenize(query);
  std::string kept;
  std::size_t copied = 0;
  bool says_more = false;
  bool name_before = false;  // The word before was a name that was left out.
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool joined = i >= 2 && name_before && tokens[i - 1].folded == "and";
    const bool left_out_before = i >= 1 && copied == tokens[i - 1].end;
    const bool subject = !tokens[i].sentence_start && i >= 1 &&
                         (IsOneOf(kAuxiliaries, tokens[i - 1].folded) || joined || left_out_before);
    const bool name = tokens[i].capitalized && !tokens[i].stop_word &&
                      (subject || IsPossessive(query, tokens[i]));
    if (name) {
      kept.append(query.substr(copied, tokens[i].begin - copied));
      copied = tokens[i].end;
      name_before = true;
    } else {
      says_more = says_more || !tokens[i].stop_word;
      name_before = name_before && tokens[i].folded == "and";
    }
  }
  kept.append(query.substr(copied));
  return says_more ? kept : std::string(query);
}

QuestionTermCounter::QuestionTermCounter(const Question& question) : question_(question) {
  for (std::size_t i = 0; i < question.terms.size(); ++i) {
    index_.emplace(question.terms[i], i);
    if (!question.terms[i].empty()) {
      first_bytes_[static_cast<unsigned char>(question.terms[i].front())] = true;
      lengths_ |= std::uint64_t{1} << (question.terms[i].size() % 64);
    }
  }
}

std::size_t QuestionTermCounter::IndexOf(std::string_view term) const {
  if (term.empty() || !first_bytes_[static_cast<unsigned char>(term.front())] ||
      ((lengths_ >> (term.size() % 64)) & 1U) == 0) {
    return kNoTerm;
  }
  const auto found = index_.find(term);
  return found == index_.end() ? kNoTerm : found->second;
}

void QuestionTermCounter::AddTerms(const std::vector<std::string>& terms, Counts& counts) const {
  counts.term_counts.resize(question_.terms.size());
  for (const std::string& term : terms) {
    ++counts.length;
    if (const std::size_t index = IndexOf(term); index != kNoTerm) {
      ++counts.term_counts[index];
    }
  }
}

void DropUnwritten(const Question& question, std::string_view text,
                   std::vector<std::uint32_t>& term_counts) {
  for (const auto& [index, written] : question.acronyms) {
    if (index < term_counts.size() && term_counts[index] > 0 && !IsWritten(written, text)) {
      term_counts[index] = 0;
    }
  }
}

void QuestionTermCounter::Add(std::string_view text, Counts& counts) const {
  Counts added;
  AddTerms(AnalyzeTerms(text), added);
  DropUnwritten(question_, text, added.term_counts);
  counts.length += added.length;
  counts.term_counts.resize(question_.terms.size());
  for (std::size_t i = 0; i < added.term_counts.size(); ++i) {
    counts.term_counts[i] += added.term_counts[i];
  }
}

std::vector<bool> QuestionTermCounter::Neighbours(std::string_view terms) const {
  std::vector<bool> found(question_.neighbours.size());
  std::size_t before = kNoTerm;
  while (!terms.empty()) {
    const std::size_t end = std::min(terms.find(' '), terms.size());
    const std::size_t index = IndexOf(terms.substr(0, end));
    terms.remove_prefix(std::min(end + 1, terms.size()));
    if (index != kNoTerm && before != kNoTerm) {
      for (std::size_t i = 0; i < question_.neighbours.size(); ++i) {
        found[i] = found[i] || question_.neighbours[i] == std::pair(before, index);
      }
    }
    before = index;
  }
  return found;
}

}  // namespace umbranet
