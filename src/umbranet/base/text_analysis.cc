#include "umbranet/base/text_analysis.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include <libstemmer.h>

namespace umbranet {
namespace {

// The closed classes of English: articles, pronouns, prepositions, conjunctions, auxiliaries and
// question words, and the contractions of "not". What remains of "they'll" and its like is covered
// by the pronoun itself.
constexpr std::string_view kStopWords =
    "a an the and or but nor if then else than so as because until while although though "
    "i me my myself we us our ours ourselves you your yours yourself yourselves he him his himself "
    "she her hers herself "
    "it its itself they them their theirs themselves "
    "this that these those here there what which who whom whose when where why how "
    "of at by for with about against between into through during before after above below to from "
    "up down in out on off "
    "over under upon again further once "
    "all any both each few more most other some such no not only own same too very just also "
    "am is are was were be been being have has had having do does did doing done "
    "can could will would shall should may might must ought let lets now "
    "dont doesnt didnt isnt arent wasnt werent hasnt havent hadnt cant cannot couldnt wont wouldnt "
    "shant shouldnt mustnt "
    "mightnt neednt aint im ive id";

// Irregular forms and the base they belong to; only forms that are not commonly another word
// ("rose", "ground", "lay").
constexpr std::string_view kIrregularForms =
    "go went gone going;buy bought;teach taught;think thought;bring brought;catch caught;fight "
    "fought;seek sought;"
    "meet met;run ran;win won;write wrote written;speak spoke spoken;take took taken;give gave "
    "given;get got gotten;"
    "make made;see saw seen;know knew known;grow grew grown;throw threw thrown;fly flew flown;draw "
    "drew drawn;"
    "drive drove driven;ride rode ridden;choose chose chosen;break broke broken;wake woke "
    "woken;wear wore worn;tell told;"
    "sell sold;hold held;keep kept;sleep slept;feel felt;leave left;lose lost;send sent;spend "
    "spent;lend lent;"
    "build built;find found;stand stood;understand understood;say said;pay paid;hear heard;come "
    "came;become became;"
    "begin began begun;drink drank drunk;sing sang sung;swim swam swum;sit sat;eat ate eaten;fall "
    "fell fallen;"
    "forget forgot forgotten;hide hid hidden;bite bit bitten;shake shook shaken;steal stole "
    "stolen;freeze froze frozen;"
    "lead led;feed fed;light lit;shoot shot;stick stuck;strike struck;swing swung;hang hung;dig "
    "dug;mean meant;"
    "dream dreamt;deal dealt;bend bent;sweep swept;blow blew blown;show shown;tear tore torn;swear "
    "swore sworn;"
    "sink sank sunk;shrink shrank shrunk;ring rang rung;child children;man men;woman women;person "
    "people;foot feet;"
    "tooth teeth;mouse mice;wife wives;knife knives;shelf shelves;half halves;loaf loaves;thief "
    "thieves";

// The base letters of U+00C0..U+00FF and U+0100..U+017F. '\1' marks the letters that fold to two.
constexpr std::string_view kLatin1Base =
    "aaaaaa\1ceeeeiiiidnooooo\2ouuuuy\1\1aaaaaa\1ceeeeiiiidnooooo\2ouuuuy\1y";
constexpr std::string_view kLatinExtendedBase =
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkkllllllllllnnnnnnnnnoooooo\1\1rrrrrrss"
    "ssssssttttttuuuuuuuuuuuu"
    "wwyyyzzzzzzs";
static_assert(kLatin1Base.size() == 64);
static_assert(kLatinExtendedBase.size() == 128);

constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};

using WordSet = std::unordered_set<std::string_view>;
using WordMap = std::unordered_map<std::string_view, std::string_view>;

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) {
      parts.push_back(text.substr(0, end));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

const WordSet& StopWords() {
  static const WordSet words = [] {
    const auto parts = Split(kStopWords, ' ');
    return WordSet(parts.begin(), parts.end());
  }();
  return words;
}

const WordMap& IrregularForms() {
  static const WordMap forms = [] {
    WordMap map;
    for (const std::string_view line : Split(kIrregularForms, ';')) {
      const auto words = Split(line, ' ');
      for (std::size_t i = 1; i < words.size(); ++i) {
        map.emplace(words[i], words[0]);
      }
    }
    return map;
  }();
  return forms;
}

// A stemmer keeps state, so each thread has one of its own.
struct StemmerDeleter {
  void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
};

sb_stemmer* ThreadStemmer() {
  thread_local const std::unique_ptr<sb_stemmer, StemmerDeleter> stemmer(
      sb_stemmer_new("english", "UTF_8"));
  return stemmer.get();
}

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 1;  // Bytes read.
  bool valid = false;
};

CodePoint Decode(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) {
    return {first, 1, true};
  }
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (size == 0 || first > 0xF4 || at + size > text.size()) {
    return {};
  }
  char32_t value = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) {
      return {};
    }
    value = (value << 6U) | (byte(at + i) & 0x3FU);
  }
  return {value, size, true};
}

void AppendUtf8(char32_t value, std::string& out) {
  const auto put = [&out](char32_t byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6U));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12U));
    put(0x80 | ((value >> 6U) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18U));
    put(0x80 | ((value >> 12U) & 0x3F));
    put(0x80 | ((value >> 6U) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

constexpr bool In(char32_t value, char32_t first, char32_t last) {
  return value >= first && value <= last;
}

bool IsCombiningMark(char32_t value) {
  return In(value, 0x300, 0x36F);
}

bool IsApostrophe(char32_t value) {
  return value == '\'' || value == 0x2019 || value == 0x02BC;
}

// Characters of scripts that put no space between words.
bool IsUnspaced(char32_t value) {
  return In(value, 0x0E00, 0x0EFF) || In(value, 0x1000, 0x109F) || In(value, 0x1780, 0x17FF) ||
         In(value, 0x3041, 0x30FF) || In(value, 0x3400, 0x4DBF) || In(value, 0x4E00, 0x9FFF) ||
         In(value, 0xF900, 0xFAFF) || In(value, 0x20000, 0x3FFFF);
}

// Beyond ASCII everything that is no punctuation, symbol, space, private or control character
// counts as a letter.
bool IsWordCharacter(char32_t value) {
  if (value < 0x80) {
    return In(value, '0', '9') || In(value, 'a', 'z') || In(value, 'A', 'Z');
  }
  if (value < 0xC0) {
    return value == 0xAA || value == 0xB5 || value == 0xBA;
  }
  return value != 0xD7 && value != 0xF7 && !In(value, 0x02C2, 0x02DF) && value != 0x02BC &&
         value != 0x060C && value != 0x061B && value != 0x061F && value != 0x06D4 &&
         value != 0x0964 && value != 0x0965 && !In(value, 0x2000, 0x2BFF) &&
         !In(value, 0x2E00, 0x2E7F) && !In(value, 0x3000, 0x3004) && !In(value, 0x3007, 0x3030) &&
         value != 0x303D && value != 0x30FB && !In(value, 0xD800, 0xF8FF) &&
         !In(value, 0xFE00, 0xFE6F) && !In(value, 0xFF01, 0xFF0F) && !In(value, 0xFF1A, 0xFF20) &&
         !In(value, 0xFF3B, 0xFF40) && !In(value, 0xFF5B, 0xFF65) && !In(value, 0xFFE0, 0xFFFF) &&
         !In(value, 0x1F000, 0x1FAFF) && value < 0xE0000;
}

char32_t FoldGreek(char32_t value) {
  if (In(value, 0x391, 0x3A9)) {
    return value + 0x20;
  }
  switch (value) {
    case 0x386:
    case 0x3AC:
      return 0x3B1;
    case 0x388:
    case 0x3AD:
      return 0x3B5;
    case 0x389:
    case 0x3AE:
      return 0x3B7;
    case 0x38A:
    case 0x3AF:
      return 0x3B9;
    case 0x38C:
    case 0x3CC:
      return 0x3BF;
    case 0x38E:
    case 0x3CD:
      return 0x3C5;
    case 0x38F:
    case 0x3CE:
      return 0x3C9;
    case 0x3C2:
      return 0x3C3;
    default:
      return value;
  }
}

// Vietnamese and other precomposed letters of U+1E00..U+1EFF, as far as their base is a plain
// vowel.
char32_t FoldLatinAdditional(char32_t value) {
  constexpr std::array<std::pair<char32_t, char32_t>, 6> kRuns = {
      {{0x1EB7, 'a'}, {0x1EC7, 'e'}, {0x1ECB, 'i'}, {0x1EE3, 'o'}, {0x1EF1, 'u'}, {0x1EF9, 'y'}}};
  if (value >= 0x1EA0) {
    for (const auto& [last, base] : kRuns) {
      if (value <= last) {
        return base;
      }
    }
  }
  return value | 1U;  // The capital stands before its small letter.
}

// Letters that fold to two, named by their lower-case form.
std::string_view FoldToTwo(char32_t value) {
  switch (value) {
    case 0xC6:
    case 0xE6:
      return "ae";
    case 0xDE:
    case 0xFE:
      return "th";
    case 0xDF:
      return "ss";
    case 0x152:
    case 0x153:
      return "oe";
    default:
      return "";
  }
}

void AppendFolded(char32_t value, std::string& out) {
  if (value < 0x80) {
    out.push_back(static_cast<char>(In(value, 'A', 'Z') ? value + 0x20 : value));
    return;
  }
  if (IsCombiningMark(value)) {
    return;
  }
  if (const std::string_view two = FoldToTwo(value); !two.empty()) {
    out += two;
    return;
  }
  if (In(value, 0xC0, 0xFF) && value != 0xD7 && value != 0xF7) {
    out.push_back(kLatin1Base[value - 0xC0]);
  } else if (In(value, 0x100, 0x17F)) {
    out.push_back(kLatinExtendedBase[value - 0x100]);
  } else if (value == 0x1A0 || value == 0x1A1) {
    out.push_back('o');
  } else if (value == 0x1AF || value == 0x1B0) {
    out.push_back('u');
  } else if (In(value, 0x370, 0x3FF)) {
    AppendUtf8(FoldGreek(value), out);
  } else if (In(value, 0x400, 0x42F)) {
    const char32_t small = value + (value < 0x410 ? 0x50 : 0x20);
    AppendUtf8(small == 0x451 ? 0x435 : small, out);
  } else if (value == 0x451) {
    AppendUtf8(0x435, out);
  } else if (In(value, 0x531, 0x556)) {
    AppendUtf8(value + 0x30, out);
  } else if (In(value, 0x1E00, 0x1EFF)) {
    AppendUtf8(FoldLatinAdditional(value), out);
  } else if (In(value, 0xFF10, 0xFF19) || In(value, 0xFF21, 0xFF3A) || In(value, 0xFF41, 0xFF5A)) {
    AppendFolded(value - 0xFEE0, out);
  } else {
    AppendUtf8(value, out);
  }
}

bool IsUpper(char32_t value) {
  return In(value, 'A', 'Z') || (In(value, 0xC0, 0xDE) && value != 0xD7) ||
         (In(value, 0x100, 0x137) && value % 2 == 0) || In(value, 0x391, 0x3A9) ||
         In(value, 0x400, 0x42F);
}

bool IsDigit(std::string_view text, std::size_t at) {
  return at < text.size() && text[at] >= '0' && text[at] <= '9';
}

// "85,000": a comma between digits with exactly three digits behind it.
bool IsThousandsComma(std::string_view text, std::size_t at) {
  return text[at] == ',' && at > 0 && IsDigit(text, at - 1) && IsDigit(text, at + 1) &&
         IsDigit(text, at + 2) && IsDigit(text, at + 3) && !IsDigit(text, at + 4);
}

bool IsContractedEnding(std::string_view ending) {
  return ending == "s" || ending == "ll" || ending == "re" || ending == "ve" || ending == "d" ||
         ending == "m";
}

bool IsAsciiLetters(std::string_view word) {
  return std::all_of(word.begin(), word.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

// Stop words that are names when written as one: "in May", "the US", "with Will".
bool IsNameAfterAll(const TextToken& token, std::string_view written, bool before_number) {
  if (token.folded == "may") {
    return token.capitalized && (!token.sentence_start || before_number);
  }
  if (token.folded == "will") {
    return token.capitalized && !token.sentence_start;
  }
  return written == "US";
}

// Reads words one after another; the state is the place in the text.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : text_(text) {}

  std::vector<TextToken> Run() {
    while (at_ < text_.size()) {
      const CodePoint next = Decode(text_, at_);
      if (!next.valid || !IsWordCharacter(next.value)) {
        NoteSeparator(next);
        at_ += next.size;
      } else if (IsUnspaced(next.value)) {
        ReadUnspacedRun();
      } else {
        ReadWord(next);
      }
    }
    MarkStopWords();
    return std::move(tokens_);
  }

 private:
  void NoteSeparator(const CodePoint& separator) {
    if (separator.value == '.' || separator.value == '!' || separator.value == '?' ||
        separator.value == '\n' || separator.value == ':') {
      sentence_start_ = true;
    }
  }

  void ReadWord(const CodePoint& first) {
    TextToken token;
    token.begin = at_;
    token.capitalized = IsUpper(first.value);
    token.sentence_start = sentence_start_;
    std::size_t apostrophe = std::string::npos;  // Where in `folded` the last one stood.
    while (at_ < text_.size()) {
      const CodePoint next = Decode(text_, at_);
      if (next.valid && IsWordCharacter(next.value) && !IsUnspaced(next.value)) {
        AppendFolded(next.value, token.folded);
      } else if (next.valid && IsApostrophe(next.value) && ApostropheIsInside(next.size)) {
        apostrophe = token.folded.size();
      } else if (!IsThousandsComma(text_, at_)) {
        break;
      }
      at_ += next.size;
    }
    token.end = at_;
    if (apostrophe != std::string::npos && apostrophe > 0 &&
        IsContractedEnding(std::string_view(token.folded).substr(apostrophe))) {
      token.folded.resize(apostrophe);
    }
    Finish(std::move(token));
  }

  [[nodiscard]] bool ApostropheIsInside(std::size_t size) const {
    if (at_ + size >= text_.size()) {
      return false;
    }
    const CodePoint after = Decode(text_, at_ + size);
    return after.valid && IsWordCharacter(after.value) && !IsUnspaced(after.value) &&
           !IsDigit(text_, at_ + size);
  }

  void ReadUnspacedRun() {
    std::vector<std::size_t> starts;
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const CodePoint next = Decode(text_, at_);
      if (!next.valid || !IsUnspaced(next.value) || !IsWordCharacter(next.value)) {
        break;
      }
      starts.push_back(at_);
      at_ += next.size;
    }
    starts.push_back(at_);
    const std::size_t characters = starts.size() - 1;
    for (std::size_t i = 0; i + 1 < std::max<std::size_t>(characters, 2); ++i) {
      TextToken token;
      token.begin = characters == 1 ? begin : starts[i];
      token.end = characters == 1 ? at_ : starts[i + 2];
      token.folded = std::string(text_.substr(token.begin, token.end - token.begin));
      token.sentence_start = sentence_start_;
      Finish(std::move(token));
    }
  }

  void Finish(TextToken token) {
    if (token.folded.size() > kTermBytesMax) {
      std::size_t cut = kTermBytesMax;
      while (cut > 0 && (static_cast<unsigned char>(token.folded[cut]) & 0xC0U) == 0x80) {
        --cut;
      }
      token.folded.resize(cut);
    }
    if (token.folded.empty()) {
      return;
    }
    sentence_start_ = false;
    token.term = StemWord(token.folded);
    tokens_.push_back(std::move(token));
  }

  void MarkStopWords() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      TextToken& token = tokens_[i];
      const bool before_number = i + 1 < tokens_.size() && IsDigit(tokens_[i + 1].folded, 0);
      token.stop_word =
          IsStopWord(token.folded) &&
          !IsNameAfterAll(token, text_.substr(token.begin, token.end - token.begin), before_number);
    }
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  bool sentence_start_ = true;
  std::vector<TextToken> tokens_;
};

std::string ComputeStem(std::string_view folded) {
  if (const auto irregular = IrregularForms().find(folded); irregular != IrregularForms().end()) {
    folded = irregular->second;
  }
  sb_stemmer* const stemmer = ThreadStemmer();
  const sb_symbol* const stem = sb_stemmer_stem(
      stemmer, reinterpret_cast<const sb_symbol*>(folded.data()), static_cast<int>(folded.size()));
  if (stem == nullptr) {  // Out of memory inside the stemmer: the word itself still serves.
    return std::string(folded);
  }
  return {reinterpret_cast<const char*>(stem),
          static_cast<std::size_t>(sb_stemmer_length(stemmer))};
}

// Texts repeat their words, and finding a stem again is several times quicker than working it out.
// Each thread has its own table, of fixed size; a word takes the place of another with its hash.
class StemCache {
 public:
  struct Slot {
    std::string word;
    std::string stem;
  };

  Slot& SlotOf(std::string_view word) {
    return slots_[std::hash<std::string_view>{}(word) % kSlots];
  }

 private:
  static constexpr std::size_t kSlots = 512;
  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
};

StemCache& ThreadStemCache() {
  thread_local StemCache cache;
  return cache;
}

}  // namespace

bool IsStopWord(std::string_view folded) {
  return StopWords().contains(folded);
}

std::string StemWord(std::string_view folded) {
  if (!IsAsciiLetters(folded) || IsStopWord(folded)) {
    return std::string(folded);
  }
  StemCache::Slot& slot = ThreadStemCache().SlotOf(folded);
  if (slot.word != folded) {
    slot.stem = ComputeStem(folded);
    slot.word = folded;
  }
  return slot.stem;
}

std::vector<TextToken> Tokenize(std::string_view text) {
  return Tokenizer(text).Run();
}

std::vector<std::string> AnalyzeTerms(std::string_view text) {
  std::vector<std::string> terms;
  for (TextToken& token : Tokenize(text)) {
    if (!token.stop_word) {
      terms.push_back(std::move(token.term));
    }
  }
  return terms;
}

std::vector<std::string> AnalyzeName(std::string_view name) {
  std::vector<std::string> terms;
  for (TextToken& token : Tokenize(name)) {
    terms.push_back(std::move(token.term));
  }
  return terms;
}

std::vector<std::string> DateTerms(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::weekday weekday(day);
  return {StemWord(kWeekdays[weekday.c_encoding()]),
          std::to_string(static_cast<unsigned>(date.day())),
          StemWord(kMonths[static_cast<unsigned>(date.month()) - 1]),
          std::to_string(static_cast<int>(date.year()))};
}

std::string FoldCase(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint next = Decode(text, at);
    if (next.valid) {
      AppendFolded(next.value, folded);
    } else {
      folded.push_back(text[at]);
    }
    at += next.size;
  }
  return folded;
}

std::string JoinTerms(const std::vector<std::string>& terms) {
  std::string joined;
  for (const std::string& term : terms) {
    if (!joined.empty()) {
      joined.push_back(' ');
    }
    joined += term;
  }
  return joined;
}

}  // namespace umbranet
