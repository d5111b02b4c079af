#include "umbranet/extraction/word_stream.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "umbranet/extraction/spoken_text.h"

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct Expansion {
  std::string_view word;
  std::array<std::string_view, 3> parts;
};

constexpr std::array kExpansions = {
    Expansion{"can't", {"can", "not", ""}},  Expansion{"cannot", {"can", "not", ""}},
    Expansion{"won't", {"will", "not", ""}}, Expansion{"shan't", {"shall", "not", ""}},
    Expansion{"dont", {"do", "not", ""}},    Expansion{"doesnt", {"does", "not", ""}},
    Expansion{"didnt", {"did", "not", ""}},  Expansion{"cant", {"can", "not", ""}},
    Expansion{"wont", {"will", "not", ""}},  Expansion{"isnt", {"is", "not", ""}},
    Expansion{"wasnt", {"was", "not", ""}},  Expansion{"havent", {"have", "not", ""}},
    Expansion{"im", {"i", "am", ""}},        Expansion{"ive", {"i", "have", ""}},
    Expansion{"gonna", {"going", "to", ""}}, Expansion{"wanna", {"want", "to", ""}},
    Expansion{"gotta", {"have", "to", ""}},  Expansion{"let's", {"let", "us", ""}},
    Expansion{"lets", {"let", "us", ""}},    Expansion{"y'all", {"you", "all", ""}},
    Expansion{"ain't", {"am", "not", ""}},   Expansion{"'tis", {"it", "is", ""}},
    Expansion{"id", {"id", "", ""}},         Expansion{"whats", {"what", "is", ""}},
    Expansion{"thats", {"that", "is", ""}},  Expansion{"theres", {"there", "is", ""}},
    Expansion{"kinda", {"kind", "of", ""}},  Expansion{"sorta", {"sort", "of", ""}}};

const std::unordered_map<std::string_view, const Expansion*>& Expansions() {
  static const auto table = [] {
    std::unordered_map<std::string_view, const Expansion*> map;
    for (const Expansion& expansion : kExpansions) {
      map.emplace(expansion.word, &expansion);
    }
    return map;
  }();
  return table;
}

struct Suffix {
  std::string_view suffix;
  std::string_view word;
};

constexpr std::array kSuffixes = {
    Suffix{"n't", "not"}, Suffix{"'re", "are"},  Suffix{"'ve", "have"}, Suffix{"'ll", "will"},
    Suffix{"'m", "am"},   Suffix{"'d", "would"}, Suffix{"'s", "'s"}};

// After these "'s" is a verb, after anything else a genitive.
bool TakesIs(std::string_view word) {
  static const WordSet words = {"he",   "she",  "it",  "that",       "there",
                                "here", "what", "who", "where",      "how",
                                "this", "when", "why", "everything", "name"};
  return words.contains(word);
}

bool IsAbbreviation(std::string_view word) {
  static const WordSet words = {"mr", "mrs", "ms", "dr", "prof", "st", "vs", "etc",   "e",
                                "g",  "i",   "a",  "p",  "jr",   "sr", "no", "approx"};
  return words.contains(word);
}

bool EndsSentenceAt(const std::vector<Word>& words, std::size_t i, std::size_t* next) {
  const Word& word = words[i];
  if (!word.symbol) {
    return false;
  }
  const char sign = word.text.front();
  if (sign == '\n') {
    *next = i + 1;
    return true;
  }
  if (sign != '.' && sign != '!' && sign != '?' && sign != ';') {
    return false;
  }
  if (sign == '.') {
    // "3.5", "e.g.", "www.example.com", "Mr. Lee".
    const bool inner = i + 1 < words.size() && words[i + 1].glued && !words[i + 1].symbol;
    const bool short_word = i > 0 && word.glued && IsAbbreviation(words[i - 1].text) &&
                            i + 1 < words.size() && !words[i + 1].symbol;
    if (inner || short_word) {
      return false;
    }
  }
  *next = i + 1;
  while (*next < words.size() && words[*next].symbol &&
         (words[*next].text == "." || words[*next].text == "!" || words[*next].text == "?")) {
    ++*next;
  }
  return true;
}

bool IsInterrogative(std::string_view word) {
  static const WordSet words = {"what", "how", "why", "where", "who", "which", "when", "whose"};
  return words.contains(word);
}

bool IsAuxiliary(std::string_view word) {
  static const WordSet words = {"do",  "does",  "did",   "is",   "are",   "was",    "were",
                                "am",  "can",   "could", "will", "would", "should", "shall",
                                "may", "might", "have",  "has",  "had",   "must"};
  return words.contains(word);
}

bool IsPronounSubject(std::string_view word) {
  static const WordSet words = {"i", "we", "he", "she", "they", "you", "it"};
  return words.contains(word);
}

bool OpensSubject(std::string_view word) {
  static const WordSet words = {"my", "our", "his", "her", "their", "that", "this", "there", "the"};
  return IsPronounSubject(word) || words.contains(word);
}

bool IsConjunction(std::string_view word) {
  static const WordSet words = {
      "and",     "but",   "so",     "because", "cause",  "cuz",   "although", "though",   "while",
      "whereas", "since", "plus",   "or",      "yet",    "as",    "when",     "whenever", "if",
      "unless",  "until", "before", "after",   "except", "which", "who",      "where"};
  return words.contains(word);
}

// Words that open a condition, a wish or a game: nothing after them is claimed.
bool IsCondition(std::string_view word) {
  static const WordSet words = {"if",     "unless",   "suppose", "imagine",        "pretend",
                                "wish",   "assuming", "doubt",   "hypothetically", "assume",
                                "whether"};
  return words.contains(word);
}

bool IsSaying(std::string_view word) {
  static const WordSet words = {"says",  "said",  "thinks", "believes", "claims",  "claimed",
                                "told",  "asked", "wrote",  "thought",  "reckons", "suggested",
                                "jokes", "joked", "quote",  "quotes",   "goes"};
  return words.contains(word);
}

}  // namespace

WordStream::WordStream(std::string_view message)
    : message_(message.begin(), message.end()), lowered_(message.begin(), message.end()) {
  for (char& c : lowered_) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  KeepSpokenText(lowered_);
  Cut(std::string_view(lowered_.data(), lowered_.size()));
  FindSentences();
}

const Word& WordStream::At(std::size_t i) const {
  static const Word none;
  return i < words_.size() ? words_[i] : none;
}

bool WordStream::IsAny(std::size_t i, std::initializer_list<std::string_view> texts) const {
  const std::string_view text = At(i).text;
  return !text.empty() && std::find(texts.begin(), texts.end(), text) != texts.end();
}

std::size_t WordStream::Match(std::size_t i, std::string_view phrase) const {
  while (!phrase.empty()) {
    const std::size_t space = phrase.find(' ');
    const std::string_view word = phrase.substr(0, space);
    if (At(i).text != word) {
      return 0;
    }
    ++i;
    phrase = space == std::string_view::npos ? std::string_view() : phrase.substr(space + 1);
  }
  return i;
}

std::string_view WordStream::Source(std::size_t first, std::size_t last) const {
  if (first >= last || last > words_.size()) {
    return {};
  }
  const std::size_t begin = words_[first].begin;
  const std::size_t end = words_[last - 1].end;
  return end > begin ? std::string_view(message_.data() + begin, end - begin) : std::string_view();
}

std::string_view WordStream::Bytes(std::size_t begin, std::size_t end) const {
  const std::string_view all(message_.data(), message_.size());
  return begin < end && end <= all.size() ? all.substr(begin, end - begin) : std::string_view();
}

void WordStream::AddWord(std::string_view lowered, std::size_t begin, std::size_t end) {
  Word word;
  word.begin = begin;
  word.end = end;
  word.text = lowered.substr(begin, end - begin);
  word.capital = message_[begin] >= 'A' && message_[begin] <= 'Z';
  word.glued = !words_.empty() && words_.back().end == begin;
  bool lower = false;
  for (std::size_t i = begin; i < end; ++i) {
    lower = lower || (message_[i] >= 'a' && message_[i] <= 'z');
  }
  word.shouted = word.capital && !lower && end - begin > 1;
  words_.push_back(word);
}

std::size_t WordStream::EndOfWord(std::string_view lowered, std::size_t at) {
  // Letters, digits, inner apostrophes and inner hyphens make one word.
  std::size_t end = at;
  while (end < lowered.size()) {
    const char c = lowered[end];
    if (IsLetter(c) || IsDigit(c)) {
      ++end;
      continue;
    }
    std::size_t next = end + 1;
    while (next < lowered.size() && lowered[next] == '\x01') {
      ++next;
    }
    const bool inner = (c == '\'' || c == '-') && next < lowered.size() &&
                       (IsLetter(lowered[next]) || (c == '-' && IsDigit(lowered[next])));
    if (!inner) {
      return end;
    }
    end = next;
  }
  return end;
}

void WordStream::AddSign(std::string_view lowered, std::size_t at) {
  Word sign;
  sign.begin = at;
  sign.end = at + 1;
  sign.text = lowered.substr(at, 1);
  sign.symbol = true;
  sign.glued = !words_.empty() && words_.back().end == at;
  words_.push_back(sign);
}

// Takes the contraction that was added last apart.
void WordStream::Expand() {
  const std::size_t first = words_.size() - 1;
  const std::string_view raw = words_[first].text;
  if (const auto found = Expansions().find(raw); found != Expansions().end()) {
    words_[first].text = found->second->parts[0];
    for (std::size_t part = 1; part < 3 && !found->second->parts[part].empty(); ++part) {
      Word more = words_[first];
      more.text = found->second->parts[part];
      more.capital = false;
      words_.push_back(more);
    }
    return;
  }
  // "it s", "he s": text whose apostrophes were lost.
  if (raw == "s" && first > 0 && TakesIs(words_[first - 1].text)) {
    words_[first].text = "is";
  }
  if (raw == "m" && first > 0 && words_[first - 1].text == "i") {
    words_[first].text = "am";
  }
  const std::size_t apostrophe = raw.rfind('\'');
  if (apostrophe == std::string_view::npos || apostrophe == 0) {
    return;
  }
  // The stand-in of a typographic apostrophe leaves two bytes between it and the letters.
  std::size_t letters = apostrophe + 1;
  while (letters < raw.size() && raw[letters] == '\x01') {
    ++letters;
  }
  for (const Suffix& suffix : kSuffixes) {
    const bool negation = suffix.suffix == "n't";
    if (raw.substr(letters) != suffix.suffix.substr(negation ? 2 : 1) ||
        (negation && raw[apostrophe - 1] != 'n')) {
      continue;
    }
    const std::string_view head = raw.substr(0, negation ? apostrophe - 1 : apostrophe);
    if (head.empty()) {
      return;
    }
    Word more = words_[first];
    words_[first].text = head;
    words_[first].end = words_[first].begin + head.size();
    more.begin = words_[first].end;
    more.glued = true;
    more.capital = false;
    more.shouted = false;
    more.text = suffix.word == "'s" && TakesIs(head) ? "is" : suffix.word;
    words_.push_back(more);
    return;
  }
}

void WordStream::Cut(std::string_view lowered) {
  words_.reserve(lowered.size() / 5 + 8);
  std::size_t at = 0;
  while (at < lowered.size()) {
    const char c = lowered[at];
    if (IsLetter(c) || IsDigit(c)) {
      const std::size_t end = EndOfWord(lowered, at);
      AddWord(lowered, at, end);
      Expand();
      at = end;
      continue;
    }
    // A line break is kept: it ends a sentence.
    if (c == '\n' || !(IsSpace(c) || c == '\x01')) {
      AddSign(lowered, at);
    }
    ++at;
  }
}

void WordStream::FindSentences() {
  std::size_t first = 0;
  std::size_t i = 0;
  const auto close = [this](std::size_t from, std::size_t to, bool question) {
    while (from < to && words_[from].symbol) {
      ++from;
    }
    if (from >= to) {
      return;
    }
    Sentence sentence;
    sentence.first = from;
    sentence.last = to;
    sentence.begin = words_[from].begin;
    sentence.end = words_[to - 1].end;
    sentence.question = question;
    FindClauses(sentence);
    sentences_.push_back(std::move(sentence));
  };
  while (i < words_.size()) {
    std::size_t next = i;
    if (!EndsSentenceAt(words_, i, &next)) {
      ++i;
      continue;
    }
    bool question = false;
    for (std::size_t j = i; j < next; ++j) {
      question = question || words_[j].text == "?";
    }
    // The mark belongs to the sentence, so that its text ends as it was written.
    const bool mark = words_[i].text != "\n";
    close(first, mark ? next : i, question);
    first = next;
    i = next;
  }
  close(first, words_.size(), false);
}

// First word of a clause after its conjunctions.
std::size_t WordStream::ClauseOpener(const Clause& clause) const {
  std::size_t at = clause.first;
  while (at < clause.last && IsConjunction(words_[at].text) && !IsCondition(words_[at].text) &&
         !IsInterrogative(words_[at].text)) {
    ++at;
  }
  return at;
}

bool WordStream::Asks(const Sentence& sentence, const Clause& clause, std::size_t at) const {
  const std::string_view opener = Text(at);
  const std::string_view second = Text(at + 1);
  const bool inverted =
      IsAuxiliary(opener) &&
      (IsPronounSubject(second) || OpensSubject(second) || second == "anyone" ||
       second == "someone" || (second == "not" && IsPronounSubject(Text(at + 2))));
  const bool wh = IsInterrogative(opener) && at == clause.first && opener != "when" &&
                  opener != "which" && opener != "who" && opener != "where";
  const bool wh_question = IsInterrogative(opener) && sentence.question &&
                           (IsAuxiliary(second) || wh || clause.first == sentence.first);
  return inverted || wh_question || (wh && !clause.joined);
}

// "I play the cello what about you?", "... and you?": the question opens without a comma.
bool WordStream::AsksBack(std::size_t i, std::size_t end) const {
  if (Match(i, "what about") != 0 || Match(i, "how about") != 0) {
    return true;
  }
  const std::size_t you = i + (Is(i, "and") || Is(i, "how") ? 1U : 0U);
  if (IsAny(you, {"you", "yourself", "yours"}) &&
      (you + 1 == end || (you + 2 == end && At(you + 1).symbol))) {
    return you > i || !(IsAuxiliary(Text(i - 1)) || Is(i - 1, "about") || Is(i - 1, "with") ||
                        Is(i - 1, "for") || Is(i - 1, "to") || Is(i - 1, "of"));
  }
  return (Is(i, "what") && IsAny(i + 1, {"is", "are", "do"}) && IsAny(i + 2, {"your", "you"})) ||
         (Is(i, "do") && Is(i + 1, "you") && !IsInterrogative(Text(i - 1)));
}

// "Do you like comics I do", "what sports do you play I love tennis": the answer begins without a
// mark, as people chat.
bool WordStream::AnswersItself(std::size_t first, std::size_t i, std::size_t end) const {
  if (!Is(i, "i") || i < first + 4 || At(i - 1).symbol) {
    return false;
  }
  const bool does = Is(i + 1, "do") && i + 2 == end;
  const bool likes = IsAny(i + 1, {"love", "like", "hate", "enjoy"}) && i + 2 < end;
  if (!(does || likes) ||
      IsAny(i - 1,
            {"that", "what", "how", "than",    "as", "when", "if",   "where", "which",   "why",
             "do",   "like", "and", "because", "so", "but",  "know", "think", "believe", "or"})) {
    return false;
  }
  for (std::size_t j = first; j + 1 < i; ++j) {
    if (IsAny(j, {"do", "does"}) && IsAny(j + 1, {"you", "your"})) {
      return true;
    }
  }
  return false;
}

void WordStream::FindClauses(Sentence& sentence) const {
  std::size_t first = sentence.first;
  bool joined = false;
  const auto close = [&](std::size_t from, std::size_t to, bool continues) {
    while (to > from && words_[to - 1].symbol) {
      --to;
    }
    while (from < to && words_[from].symbol) {
      ++from;
    }
    if (from >= to) {
      return;
    }
    Clause clause;
    clause.first = from;
    clause.last = to;
    clause.joined = continues;
    sentence.clauses.push_back(clause);
  };
  for (std::size_t i = sentence.first; i < sentence.last; ++i) {
    const Word& word = words_[i];
    const bool mark = word.symbol && (word.text == "," || word.text == ":" || word.text == "(" ||
                                      word.text == ")" || word.text == "-" || word.text == ";");
    if (mark && i > first) {
      close(first, i, joined);
      first = i + 1;
      joined = true;
      continue;
    }
    const bool asks_back = sentence.question && AsksBack(i, sentence.last);
    if (!word.symbol && i > first && (asks_back || AnswersItself(first, i, sentence.last))) {
      close(first, i, joined);
      first = i;
      joined = false;
      continue;
    }
    if (word.symbol || i == first || !IsConjunction(word.text)) {
      continue;
    }
    // "and" cuts where a new subject stands after it, the other words also without one.
    const std::string_view next = Text(i + 1);
    const bool weak = word.text == "and" || word.text == "or" || word.text == "as" ||
                      word.text == "before" || word.text == "after" || word.text == "until" ||
                      word.text == "since" || word.text == "so" || word.text == "plus";
    // "I love to travel and wish I could more": the wish begins behind the "and".
    const bool subject = IsPronounSubject(next) || next == "my" || next == "our" ||
                         next == "wish" ||
                         (OpensSubject(next) && word.text != "and" && word.text != "or");
    if (weak && !subject) {
      continue;
    }
    close(first, i, joined);
    first = i;
    joined = true;
  }
  close(first, sentence.last, joined);
  JudgeClauses(sentence);
}

// What the clauses claim: nothing when they ask, suppose, or report.
void WordStream::JudgeClauses(Sentence& sentence) const {
  bool asked = false;
  bool condition = false;
  bool reported = false;
  for (Clause& clause : sentence.clauses) {
    const std::size_t at = ClauseOpener(clause);
    clause.question = Asks(sentence, clause, at);
    asked = asked || clause.question;
    for (std::size_t i = clause.first; i < clause.last; ++i) {
      if (IsCondition(words_[i].text)) {
        condition = true;
      }
      // "he said (that) ...", "they think ...": from there on it is their claim.
      const bool opinion = words_[i].text == "think" || words_[i].text == "believe" ||
                           words_[i].text == "say" || words_[i].text == "claim";
      if (i > clause.first && (IsSaying(words_[i].text) || opinion) && words_[i - 1].text != "i" &&
          words_[i - 1].text != "we" && words_[i - 1].text != "to" &&
          words_[i - 1].text != "really" && words_[i - 1].text != "do") {
        reported = true;
      }
    }
    clause.conditional = condition;
    clause.reported = reported;
    // A condition reaches its main clause and no further than the next "but".
    if (Is(at, "but") || Is(clause.first, "but")) {
      condition = false;
      reported = false;
      clause.conditional = false;
      clause.reported = false;
    }
  }
  if (sentence.question && !asked && !sentence.clauses.empty()) {
    sentence.clauses.back().question = true;
  }
}

}  // namespace umbranet
