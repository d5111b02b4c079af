#include "umbranet/governor/answer_matching.h"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace umbranet {
namespace {

constexpr double kFamilyShare = 0.8;
constexpr double kEnoughOfTwo = 0.75;
constexpr double kEnough = 0.5;
constexpr double kSameShare = 0.75;

// Words that answer for one another. A word may be in several families.
constexpr std::array<std::string_view, 30> kFamilies = {
    "live reside home move relocate settle address",
    "work job occupation profession career employ employer living",
    "like love enjoy favorite prefer fond",
    "favorite favourite",
    "color colour",
    "gray grey",
    "center centre",
    "neighbor neighbour",
    "mother mom mum mama",
    "father dad papa",
    "husband wife spouse partner married marry",
    "child kid son daughter",
    "sibling brother sister",
    "parent mother father",
    "birthday born birth birthdate",
    "name call",
    "pet dog cat rabbit hamster parrot horse",
    "car vehicle drive",
    "study university college school degree major",
    "allergy allergic intolerant",
    "origin hometown grow native born",
    "movie film",
    "holiday vacation trip travel",
    "buy purchase",
    "appointment meeting meet",
    "doctor physician",
    "instrument guitar piano violin cello drum flute",
    "language speak",
    "sport football soccer tennis basketball swim run cycle",
    "hobby enjoy free",
};

// Whoever is called so is not the user.
constexpr std::string_view kPeople =
    "sister brother sibling mother mom mum father dad parent wife husband spouse partner "
    "girlfriend "
    "boyfriend fiance fiancee son daughter child kid baby cousin aunt uncle niece nephew "
    "grandmother grandma grandfather grandpa friend boss manager colleague coworker neighbor "
    "neighbour roommate flatmate teacher landlord doctor dentist dog cat pet rabbit hamster "
    "parrot horse team";

// Say what to do with the answer, not what it is about.
constexpr std::string_view kFrameWords =
    "remind recall remember tell know say said mention list show told please talk thing anything "
    "something everything";

constexpr std::string_view kQuestionStarts =
    "what where when who whom whose which why how do does did is are was were am can could will "
    "would should have has had whats wheres whens whos hows";
constexpr std::string_view kAskingStarts = "tell remind show list recall";
constexpr std::string_view kFirstPerson = "i im ive id ill my mine me we our us were";
constexpr std::string_view kGreetings = "hi hello hey heya hiya greetings howdy yo";
constexpr std::string_view kGreetingFill =
    "hi hello hey heya hiya greetings howdy yo there good morning afternoon evening day again "
    "everyone umbranet you assistant";
constexpr std::string_view kThanks = "thanks thank thx cheers ty";
constexpr std::string_view kThanksFill =
    "thanks thank thx cheers ty you very much so a lot again for that great ok okay";
constexpr std::string_view kFarewells = "bye goodbye cya farewell";
constexpr std::string_view kFarewellFill =
    "bye goodbye cya farewell see you later soon tomorrow now good night have a nice day for";
constexpr std::string_view kTimes =
    "monday tuesday wednesday thursday friday saturday sunday january february march april may "
    "june july august september october november december today tomorrow yesterday week weekend "
    "month year morning afternoon evening night noon midnight spring summer autumn winter";
constexpr std::string_view kPresent =
    "is are am do does has have can will now currently still whats wheres whos hows";
constexpr std::string_view kPast = "did was were had when whens ago before first originally";
constexpr std::string_view kEarliest = "first original originally initial initially";
constexpr std::string_view kPlaces = "in at to from near on by";

std::vector<std::string_view> Split(std::string_view words) {
  std::vector<std::string_view> parts;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    parts.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return parts;
}

// `words` are separated by single spaces.
bool IsIn(std::string_view words, std::string_view word) {
  std::size_t at = word.empty() ? std::string_view::npos : words.find(word);
  for (; at != std::string_view::npos; at = words.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) {
      return true;
    }
  }
  return false;
}

std::unordered_set<std::string> Stems(std::string_view words) {
  std::unordered_set<std::string> stems;
  for (const std::string_view word : Split(words)) {
    stems.insert(StemWord(word));
  }
  return stems;
}

bool IsPerson(const std::string& stem) {
  static const std::unordered_set<std::string> people = Stems(kPeople);
  return people.contains(stem);
}

bool IsFrame(const std::string& stem) {
  static const std::unordered_set<std::string> frame = Stems(kFrameWords);
  return frame.contains(stem);
}

const std::vector<std::size_t>& FamiliesOf(const std::string& stem) {
  static const auto families = [] {
    std::unordered_map<std::string, std::vector<std::size_t>> map;
    for (std::size_t i = 0; i < kFamilies.size(); ++i) {
      for (const std::string& member : Stems(kFamilies.at(i))) {
        map[member].push_back(i);
      }
    }
    return map;
  }();
  static const std::vector<std::size_t> none;
  const auto found = families.find(stem);
  return found == families.end() ? none : found->second;
}

bool AreFamily(const std::string& a, const std::string& b) {
  const std::vector<std::size_t>& of_a = FamiliesOf(a);
  const std::vector<std::size_t>& of_b = FamiliesOf(b);
  return std::any_of(of_a.begin(), of_a.end(), [&](std::size_t family) {
    return std::find(of_b.begin(), of_b.end(), family) != of_b.end();
  });
}

bool IsFirstPerson(const TextToken& token) {
  return IsIn(kFirstPerson, token.folded);
}

// A name as it stands in a text; the first word of a sentence is capitalized for another reason.
bool IsName(const TextToken& token) {
  return token.capitalized && !token.sentence_start && !token.stop_word &&
         !IsIn(kTimes, token.folded) && !IsFirstPerson(token);
}

bool HasDigit(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::unordered_set<std::string> ContentOf(const std::vector<TextToken>& tokens) {
  std::unordered_set<std::string> stems;
  for (const TextToken& token : tokens) {
    if (!token.stop_word) {
      stems.insert(token.term);
    }
  }
  return stems;
}

// "my dog Bello": somebody's name beside what they are, which tells what they are called.
bool NamesSomebody(const std::vector<TextToken>& tokens) {
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (IsName(tokens[i]) && IsPerson(tokens[i - 1].term)) {
      return true;
    }
  }
  return false;
}

// Every word of a short message is one of `fill`, and one at least is of `core`.
bool SaysOnly(const std::vector<TextToken>& tokens, std::string_view core, std::string_view fill) {
  const auto is_in = [](std::string_view words) {
    return [words](const TextToken& token) { return IsIn(words, token.folded); };
  };
  return !tokens.empty() && std::all_of(tokens.begin(), tokens.end(), is_in(fill)) &&
         std::any_of(tokens.begin(), tokens.end(), is_in(core));
}

bool IsGoodMorning(const std::vector<TextToken>& tokens) {
  return tokens.size() >= 2 && tokens[0].folded == "good" &&
         IsIn("morning afternoon evening day", tokens[1].folded);
}

}  // namespace

AskedQuestion::AskedQuestion(std::string_view message) {
  const std::vector<TextToken> tokens = Tokenize(message);
  bool names_somebody = false;
  bool first_person = false;
  for (const TextToken& token : tokens) {
    first_person = first_person || IsFirstPerson(token);
    if (token.stop_word || IsFrame(token.term) || IsIn(kEarliest, token.folded) ||
        stems_.contains(token.term)) {
      continue;
    }
    const bool anchor = IsName(token) || IsPerson(token.term);
    names_somebody = names_somebody || anchor;
    stems_.insert(token.term);
    terms_.push_back({token.term, anchor});
  }
  about_user_ = first_person && !names_somebody;
  const auto has_any = [&tokens](std::string_view words) {
    return std::any_of(tokens.begin(), tokens.end(),
                       [words](const TextToken& token) { return IsIn(words, token.folded); });
  };
  asks_for_present_ = has_any(kPresent) && !has_any(kPast);
  asks_for_first_ = has_any(kEarliest);
  const auto word = [&](std::size_t i) {
    return i < tokens.size() ? std::string_view(tokens[i].folded) : std::string_view();
  };
  const std::string_view first = word(0);
  if (first == "when" || first == "whens" || (first == "what" && IsIn("day date time", word(1)))) {
    kind_ = Kind::kWhen;
  } else if (first == "where" || first == "wheres") {
    kind_ = Kind::kWhere;
  } else if (first == "who" || first == "whos" || first == "whom" || first == "whose") {
    kind_ = Kind::kWho;
  } else if (first == "how" && IsIn("many much old long tall often far", word(1))) {
    kind_ = Kind::kHowMany;
  }
  wants_several_ = IsIn("list tell which", first) || (first == "what" && word(1) == "are") ||
                   (first == "who" && word(1) == "are") ||
                   (IsIn("what which", first) && word(1) == "do") ||
                   (first == "what" && IsIn("things kinds sorts", word(1)));
}

bool AskedQuestion::IsOfKind(const std::vector<TextToken>& tokens) const {
  switch (kind_) {
    case Kind::kAny:
      return true;
    case Kind::kWhen:
      return std::any_of(tokens.begin(), tokens.end(), [](const TextToken& token) {
        return HasDigit(token.folded) || IsIn(kTimes, token.folded);
      });
    case Kind::kHowMany:
      return std::any_of(tokens.begin(), tokens.end(),
                         [](const TextToken& token) { return HasDigit(token.folded); });
    case Kind::kWho:
      return std::any_of(tokens.begin(), tokens.end(), IsName);
    case Kind::kWhere:
      break;
  }
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (IsIn(kPlaces, tokens[i - 1].folded) && !IsIn(kTimes, tokens[i].folded)) {
      return true;
    }
  }
  return false;
}

AskedQuestion::Match AskedQuestion::Compare(std::string_view text, std::string_view speaker) const {
  const std::vector<TextToken> tokens = Tokenize(text);
  std::unordered_set<std::string> there = ContentOf(tokens);
  Match match;
  match.same_words = there == stems_;
  for (const std::string& name : AnalyzeName(speaker)) {
    there.insert(name);
  }
  static const std::string name_stem = StemWord("name");
  if (NamesSomebody(tokens)) {
    there.insert(name_stem);
  }
  double sum = 0;
  match.about_same = true;
  for (const Term& term : terms_) {
    const bool exact = there.contains(term.stem);
    const bool family = !exact && std::any_of(there.begin(), there.end(), [&](const auto& stem) {
      return AreFamily(term.stem, stem);
    });
    sum += exact ? 1.0 : family ? kFamilyShare : 0.0;
    match.words += exact || family ? 1 : 0;
    match.same += exact ? 1 : 0;
    match.about_same = match.about_same && (!term.anchor || exact || family);
    match.names_same = match.names_same || (term.anchor && (exact || family));
  }
  match.share = terms_.empty() ? 0 : sum / static_cast<double>(terms_.size());
  match.enough = match.words > 0 && match.share >= (terms_.size() <= 2 ? kEnoughOfTwo : kEnough);
  // "Where do I live?" is not answered by where a sister lives, nor by what another says of
  // themselves.
  const bool first_person = std::any_of(tokens.begin(), tokens.end(), IsFirstPerson);
  const auto person = std::find_if(tokens.begin(), tokens.end(), [](const TextToken& token) {
    return IsPerson(token.term) || IsName(token);
  });
  const auto user = std::find_if(tokens.begin(), tokens.end(), [](const TextToken& token) {
    return IsIn("i im ive id ill we", token.folded);
  });
  const bool of_another = person != tokens.end() && user == tokens.end() && IsPerson(person->term);
  if (about_user_ && (of_another || (!speaker.empty() && first_person))) {
    match.about_same = false;
  }
  match.right_kind = IsOfKind(tokens);
  return match;
}

std::vector<std::string_view> SplitSentences(std::string_view text) {
  std::vector<std::string_view> sentences;
  const auto add = [&](std::string_view part) {
    if (const std::string_view sentence = Trim(part); !sentence.empty()) {
      sentences.push_back(sentence);
    }
  };
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool stop = (text[i] == '.' || text[i] == '!' || text[i] == '?') &&
                      (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
    if (stop || text[i] == '\n') {
      add(text.substr(begin, i + 1 - begin));
      begin = i + 1;
    }
  }
  add(text.substr(begin));
  return sentences;
}

bool IsQuestion(std::string_view sentence) {
  sentence = Trim(sentence);
  if (sentence.empty()) {
    return false;
  }
  if (sentence.back() == '?') {
    return true;
  }
  const std::vector<TextToken> tokens = Tokenize(sentence);
  if (tokens.size() < 2) {
    return false;
  }
  const std::string_view first = tokens[0].folded;
  const std::string_view second = tokens[1].folded;
  if (IsIn(kAskingStarts, first) &&
      IsIn("me my us what where when who how about the everything all", second)) {
    return true;
  }
  // "When I was ten I broke my arm" tells; a question turns verb and subject round.
  const bool tells =
      IsIn("when where what who why how", first) && IsIn("i we you my he she it they the", second);
  return sentence.back() != '.' && sentence.back() != '!' && IsIn(kQuestionStarts, first) && !tells;
}

MessageKind ClassifyMessage(std::string_view message) {
  const std::vector<TextToken> tokens = Tokenize(message);
  const std::vector<std::string_view> sentences = SplitSentences(message);
  if (SaysOnly(tokens, kGreetings, kGreetingFill) || (IsGoodMorning(tokens) && tokens.size() < 5)) {
    return MessageKind::kGreeting;
  }
  if (SaysOnly(tokens, kThanks, kThanksFill)) {
    return MessageKind::kThanks;
  }
  if (SaysOnly(tokens, kFarewells, kFarewellFill)) {
    return MessageKind::kFarewell;
  }
  const bool asks = std::any_of(sentences.begin(), sentences.end(), IsQuestion);
  return asks ? MessageKind::kQuestion : MessageKind::kStatement;
}

bool SaysTheSame(std::string_view a, std::string_view b) {
  std::unordered_set<std::string> of_a = ContentOf(Tokenize(a));
  std::unordered_set<std::string> of_b = ContentOf(Tokenize(b));
  if (of_a.size() > of_b.size()) {
    of_a.swap(of_b);
  }
  if (of_a.empty()) {
    return false;
  }
  const auto both = std::count_if(of_a.begin(), of_a.end(),
                                  [&](const std::string& stem) { return of_b.contains(stem); });
  return static_cast<double>(both) >= kSameShare * static_cast<double>(of_a.size());
}

}  // namespace umbranet
