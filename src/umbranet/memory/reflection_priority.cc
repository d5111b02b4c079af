#include "umbranet/memory/reflection_priority.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>
#include <vector>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

// A message longer than this says something, whatever its words.
constexpr std::size_t kSmallTalkWordsMax = 8;
// Where to look for a request: a pasted book asks for nothing on its two hundredth page.
constexpr std::size_t kRequestBytesMax = 8'192;

// Requests, as folded words. They count at the start of a sentence or behind an opening word.
constexpr std::array<std::string_view, 22> kRequests = {
    "remember",        "dont forget",      "do not forget", "never forget",
    "keep in mind",    "bear in mind",     "make a note",   "take a note",
    "take note",       "note that",        "note this",     "note down",
    "write this down", "write that down",  "save this",     "for future reference",
    "for the record",  "from now on",      "going forward", "memorize this",
    "memorise this",   "important to know"};
// Words that may stand before a request without changing it.
constexpr std::string_view kOpenings =
    "please ok okay and also but so hey hi hello now oh just well then always kindly pls you "
    "should "
    "must need to want i id like would could can";

constexpr std::string_view kSmallTalk =
    "hi hello hey hiya howdy yo morning afternoon evening night good day greetings welcome "
    "thanks thank thx ty cheers please pls you u very so much many a lot again all the best "
    "ok okay k kk sure fine great nice cool perfect awesome alright right yes yeah yep yup no nope "
    "bye goodbye cya see later soon ciao take care lol haha hehe hmm oh wow ah um "
    "how are is it going whats up sup there everyone everybody "
    "done ready starting started finished running stopped connected disconnected online offline "
    "back brb afk ping pong test testing loading got";

std::unordered_set<std::string_view> WordSet(std::string_view words) {
  std::unordered_set<std::string_view> set;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    set.insert(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return set;
}

bool PhraseAt(const std::vector<TextToken>& tokens, std::size_t at, std::string_view phrase) {
  while (!phrase.empty()) {
    const std::size_t end = std::min(phrase.find(' '), phrase.size());
    if (at >= tokens.size() || tokens[at].folded != phrase.substr(0, end)) {
      return false;
    }
    ++at;
    phrase.remove_prefix(std::min(end + 1, phrase.size()));
  }
  return true;
}

bool AsksAQuestion(std::string_view text, const std::vector<TextToken>& tokens, std::size_t at) {
  const std::size_t stop = text.find_first_of(".!?\n", tokens[at].end);
  return stop != std::string_view::npos && text[stop] == '?';
}

// "I remember that day" tells, "You remember that day?" asks back, "Remember when we met?" recalls;
// "Can you remember that I am allergic?" is a request all the same.
bool MeansIt(std::string_view text, const std::vector<TextToken>& tokens, std::size_t at) {
  const auto before = [&](std::size_t back) {
    return at >= back ? std::string_view(tokens[at - back].folded) : std::string_view();
  };
  const std::size_t you = before(1) == "please" ? 2 : 1;
  const bool asked =
      before(you) == "you" && (before(you + 1) == "can" || before(you + 1) == "will" ||
                               before(you + 1) == "could" || before(you + 1) == "would");
  if (asked) {
    return true;
  }
  const bool told = before(1) == "i" || before(1) == "you" || before(1) == "we";
  return !told && !AsksAQuestion(text, tokens, at);
}

bool IsRequest(std::string_view text, const std::vector<TextToken>& tokens) {
  static const std::unordered_set<std::string_view> openings = WordSet(kOpenings);
  bool at_start = true;  // Only openings since the sentence began.
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    at_start = at_start || tokens[i].sentence_start;
    const bool found =
        at_start && std::any_of(kRequests.begin(), kRequests.end(), [&](std::string_view phrase) {
          return PhraseAt(tokens, i, phrase);
        });
    if (found && MeansIt(text, tokens, i)) {
      return true;
    }
    // A comma or dash begins a clause in which a request may stand: "I am vegan, remember that".
    const bool clause =
        i + 1 < tokens.size() &&
        text.substr(tokens[i].end, tokens[i + 1].begin - tokens[i].end).find_first_of(",;:-(") !=
            std::string_view::npos;
    at_start = clause || (at_start && openings.contains(tokens[i].folded));
  }
  return false;
}

}  // namespace

Priority DecidePriority(std::string_view user_message) {
  static const std::unordered_set<std::string_view> small_talk = WordSet(kSmallTalk);
  const std::string_view beginning = user_message.substr(0, kRequestBytesMax);
  const std::vector<TextToken> tokens = Tokenize(beginning);
  if (IsRequest(beginning, tokens)) {
    return Priority::kHigh;
  }
  const bool nothing_said =
      user_message.size() == beginning.size() && tokens.size() <= kSmallTalkWordsMax &&
      std::all_of(tokens.begin(), tokens.end(),
                  [](const TextToken& token) { return small_talk.contains(token.folded); });
  return nothing_said ? Priority::kLow : Priority::kNormal;
}

}  // namespace umbranet
