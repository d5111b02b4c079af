#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "umbranet/extraction/statements.h"

// The forms of the verbs that facts are made of.

namespace umbranet {
namespace {

// Regular verbs by their base; their forms are made below.
constexpr std::array kRegular = std::to_array<std::string_view>({
    "love",     "like",     "enjoy",      "adore",       "cherish",    "appreciate", "hate",
    "dislike",  "despise",  "detest",     "loathe",      "live",       "reside",     "move",
    "relocate", "work",     "study",      "major",       "learn",      "attend",     "graduate",
    "own",      "purchase", "adopt",      "play",        "collect",    "paint",      "knit",
    "sew",      "cook",     "bake",       "garden",      "watch",      "listen",     "dance",
    "hike",     "camp",     "surf",       "ski",         "skate",      "travel",     "visit",
    "join",     "believe",  "suffer",     "marry",       "divorce",    "date",       "retire",
    "want",     "wish",     "hope",       "dream",       "plan",       "intend",     "volunteer",
    "call",     "name",     "raise",      "weigh",       "fish",       "hunt",       "jog",
    "exercise", "meditate", "photograph", "crochet",     "climb",      "kayak",      "sail",
    "garden",   "blog",     "design",     "program",     "code",       "train",      "practice",
    "perform",  "compete",  "attend",     "follow",      "need",       "prefer",     "start",
    "finish",   "end",      "dye",        "foster",      "separate",   "commute",    "manage",
    "rent",     "stop",     "bike",       "cycle",       "workout",    "craft",      "sculpt",
    "bowl",     "box",      "wrestle",    "shop",        "party",      "gamble",     "smoke",
    "earn",     "serve",    "treasure",   "crave",       "use",        "rescue",     "breed",
    "farm",     "film",     "rap",        "rollerblade", "skateboard", "snowboard",  "game",
    "walk",     "launch",   "open",       "accept",      "celebrate",  "switch",     "change",
    "cancel",   "postpone", "reschedule", "extend",      "complete",   "pass",       "fail",
    "sign",     "hire",     "promote",    "attempt",     "apply",      "try",        "explore",
    "turn",     "help",     "organize",   "record",      "enroll",     "tolerate",   "care",
    "color",    "fracture", "sprain",     "injure",      "recover",    "register",   "publish",
    "donate",   "invite",   "host",       "release",     "award",
});

struct Irregular {
  std::string_view base;
  std::string_view forms;  // Separated by spaces.
};

constexpr std::array kIrregular = std::to_array<Irregular>({
    {"grow", "grow grows grew grown growing"},
    {"bear", "born"},
    {"teach", "teach teaches taught teaching"},
    {"have", "have has had having"},
    {"get", "get gets got gotten getting"},
    {"buy", "buy buys bought buying"},
    {"drive", "drive drives drove driven driving"},
    {"ride", "ride rides rode ridden riding"},
    {"draw", "draw draws drew drawn drawing"},
    {"build", "build builds built building"},
    {"make", "make makes made making"},
    {"write", "write writes wrote written writing"},
    {"read", "read reads reading"},
    {"sing", "sing sings sang sung singing"},
    {"run", "run runs ran running"},
    {"swim", "swim swims swam swum swimming"},
    {"eat", "eat eats ate eaten eating"},
    {"drink", "drink drinks drank drunk drinking"},
    {"speak", "speak speaks spoke spoken speaking"},
    {"go", "go goes went gone going"},
    {"know", "know knows knew known knowing"},
    {"break", "break breaks broke broken breaking"},
    {"split", "split splits splitting"},
    {"quit", "quit quits quitting"},
    {"leave", "leave leaves left leaving"},
    {"wear", "wear wears wore worn wearing"},
    {"spend", "spend spends spent spending"},
    {"meet", "meet meets met meeting"},
    {"lose", "lose loses lost losing"},
    {"win", "win wins won winning"},
    {"sell", "sell sells sold selling"},
    {"become", "become becomes became becoming"},
    {"keep", "keep keeps kept keeping"},
    {"give", "give gives gave given giving"},
    {"take", "take takes took taken taking"},
    {"come", "come comes came coming"},
    {"hold", "hold holds held holding"},
    {"see", "see sees saw seen seeing"},
    {"begin", "begin begins began begun beginning"},
    {"stand", "stand stands stood standing"},
    {"find", "find finds found finding"},
    {"hurt", "hurt"},
});

using Forms = std::unordered_map<std::string, std::string_view>;

bool IsVowel(char c) {
  return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u';
}

// Final consonants that double: "jog" -> "jogging". Only verbs of one short syllable do.
bool Doubles(std::string_view base) {
  if (base.size() < 3 || base.size() > 4) {
    return false;
  }
  const char last = base.back();
  const char middle = base[base.size() - 2];
  const char before = base[base.size() - 3];
  return !IsVowel(last) && last != 'w' && last != 'x' && last != 'y' && last != 'k' &&
         IsVowel(middle) && !IsVowel(before);
}

void AddRegular(std::string_view base, Forms& forms) {
  const std::string word(base);
  forms.emplace(word, base);
  if (word.ends_with("e")) {
    const std::string stem = word.substr(0, word.size() - 1);
    forms.emplace(word + "s", base);
    forms.emplace(word + "d", base);
    forms.emplace(stem + "ing", base);
    return;
  }
  const bool y = word.ends_with("y") && !IsVowel(word[word.size() - 2]);
  if (y) {
    const std::string stem = word.substr(0, word.size() - 1);
    forms.emplace(stem + "ies", base);
    forms.emplace(stem + "ied", base);
    forms.emplace(word + "ing", base);
    return;
  }
  const bool hiss =
      word.ends_with("s") || word.ends_with("sh") || word.ends_with("ch") || word.ends_with("x");
  forms.emplace(word + (hiss ? "es" : "s"), base);
  const std::string stem = Doubles(base) || base == "program" ? word + word.back() : word;
  forms.emplace(stem + "ed", base);
  forms.emplace(stem + "ing", base);
}

Forms MakeForms() {
  Forms forms;
  for (const Irregular& verb : kIrregular) {
    std::string_view rest = verb.forms;
    while (!rest.empty()) {
      const std::size_t space = rest.find(' ');
      forms.emplace(std::string(rest.substr(0, space)), verb.base);
      rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
    }
  }
  for (const std::string_view base : kRegular) {
    AddRegular(base, forms);
  }
  forms.emplace("dropped", "drop");
  forms.emplace("planned", "plan");
  forms.emplace("planning", "plan");
  forms.emplace("stopped", "stop");
  forms.emplace("stopping", "stop");
  forms.emplace("traveled", "travel");
  forms.emplace("travelled", "travel");
  forms.emplace("travelling", "travel");
  forms.emplace("cancelled", "cancel");
  forms.emplace("studying", "study");
  return forms;
}

}  // namespace

std::string_view LemmaOf(std::string_view word) {
  static const Forms forms = MakeForms();
  // Words are short views into a message: longer ones are no verbs.
  constexpr std::size_t kVerbBytesMax = 16;
  if (word.size() > kVerbBytesMax) {
    return {};
  }
  const auto found = forms.find(std::string(word));
  return found == forms.end() ? std::string_view() : found->second;
}

}  // namespace umbranet
