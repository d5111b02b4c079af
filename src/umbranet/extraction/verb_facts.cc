#include "umbranet/extraction/verb_facts.h"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <unordered_set>

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

struct VerbFrame {
  std::string_view lemma;
  Frame frame;
};

constexpr std::array kFrames = std::to_array<VerbFrame>({
    {"love", Frame::kLike},
    {"like", Frame::kLike},
    {"enjoy", Frame::kLike},
    {"adore", Frame::kLike},
    {"cherish", Frame::kLike},
    {"prefer", Frame::kLike},
    {"crave", Frame::kLike},
    {"treasure", Frame::kLike},
    {"hate", Frame::kDislike},
    {"dislike", Frame::kDislike},
    {"despise", Frame::kDislike},
    {"detest", Frame::kDislike},
    {"loathe", Frame::kDislike},
    {"live", Frame::kLive},
    {"reside", Frame::kLive},
    {"move", Frame::kMove},
    {"relocate", Frame::kMove},
    {"grow", Frame::kGrowUp},
    {"raise", Frame::kGrowUp},
    {"bear", Frame::kGrowUp},
    {"work", Frame::kWork},
    {"commute", Frame::kWork},
    {"study", Frame::kStudy},
    {"major", Frame::kStudy},
    {"learn", Frame::kStudy},
    {"attend", Frame::kAttend},
    {"enroll", Frame::kAttend},
    {"graduate", Frame::kGraduate},
    {"teach", Frame::kTeach},
    {"own", Frame::kOwn},
    {"buy", Frame::kBuy},
    {"purchase", Frame::kBuy},
    {"adopt", Frame::kAdopt},
    {"foster", Frame::kAdopt},
    {"drive", Frame::kDrive},
    {"ride", Frame::kDrive},
    {"play", Frame::kPlay},
    {"collect", Frame::kHobbyObject},
    {"watch", Frame::kHobbyObject},
    {"read", Frame::kHobbyObject},
    {"listen", Frame::kHobbyObject},
    {"paint", Frame::kHobbyVerb},
    {"draw", Frame::kHobbyVerb},
    {"knit", Frame::kHobbyVerb},
    {"sew", Frame::kHobbyVerb},
    {"cook", Frame::kHobbyVerb},
    {"bake", Frame::kHobbyVerb},
    {"garden", Frame::kHobbyVerb},
    {"sing", Frame::kHobbyVerb},
    {"dance", Frame::kHobbyVerb},
    {"hike", Frame::kHobbyVerb},
    {"camp", Frame::kHobbyVerb},
    {"surf", Frame::kHobbyVerb},
    {"ski", Frame::kHobbyVerb},
    {"skate", Frame::kHobbyVerb},
    {"swim", Frame::kHobbyVerb},
    {"jog", Frame::kHobbyVerb},
    {"fish", Frame::kHobbyVerb},
    {"hunt", Frame::kHobbyVerb},
    {"exercise", Frame::kHobbyVerb},
    {"meditate", Frame::kHobbyVerb},
    {"photograph", Frame::kHobbyVerb},
    {"crochet", Frame::kHobbyVerb},
    {"climb", Frame::kHobbyVerb},
    {"kayak", Frame::kHobbyVerb},
    {"sail", Frame::kHobbyVerb},
    {"blog", Frame::kHobbyVerb},
    {"write", Frame::kHobbyVerb},
    {"build", Frame::kHobbyVerb},
    {"make", Frame::kHobbyVerb},
    {"volunteer", Frame::kHobbyVerb},
    {"sculpt", Frame::kHobbyVerb},
    {"workout", Frame::kHobbyVerb},
    {"travel", Frame::kHobbyVerb},
    {"bike", Frame::kHobbyVerb},
    {"cycle", Frame::kHobbyVerb},
    {"bowl", Frame::kHobbyVerb},
    {"wrestle", Frame::kHobbyVerb},
    {"shop", Frame::kHobbyVerb},
    {"gamble", Frame::kHobbyVerb},
    {"rap", Frame::kHobbyVerb},
    {"snowboard", Frame::kHobbyVerb},
    {"skateboard", Frame::kHobbyVerb},
    {"smoke", Frame::kHobbyVerb},
    {"practice", Frame::kHobbyVerb},
    {"design", Frame::kHobbyVerb},
    {"program", Frame::kHobbyVerb},
    {"code", Frame::kHobbyVerb},
    {"breed", Frame::kHobbyVerb},
    {"rescue", Frame::kHobbyVerb},
    {"farm", Frame::kHobbyVerb},
    {"game", Frame::kHobbyVerb},
    {"eat", Frame::kConsume},
    {"drink", Frame::kConsume},
    {"speak", Frame::kSpeak},
    {"want", Frame::kWant},
    {"wish", Frame::kWant},
    {"hope", Frame::kWant},
    {"dream", Frame::kWant},
    {"plan", Frame::kPlan},
    {"intend", Frame::kPlan},
    {"visit", Frame::kVisit},
    {"go", Frame::kVisit},
    {"join", Frame::kJoin},
    {"believe", Frame::kBelieve},
    {"suffer", Frame::kSuffer},
    {"marry", Frame::kMarry},
    {"divorce", Frame::kMarry},
    {"date", Frame::kMarry},
    {"separate", Frame::kBreakUp},
    {"break", Frame::kBreakUp},
    {"split", Frame::kBreakUp},
    {"quit", Frame::kQuit},
    {"leave", Frame::kQuit},
    {"stop", Frame::kQuit},
    {"retire", Frame::kRetire},
    {"know", Frame::kKnow},
    {"wear", Frame::kWear},
    {"dye", Frame::kWear},
    {"color", Frame::kWear},
    {"weigh", Frame::kWear},
    {"turn", Frame::kTurn},
    {"spend", Frame::kSpend},
    {"run", Frame::kRun},
    {"manage", Frame::kRun},
    {"try", Frame::kTry},
    {"train", Frame::kTry},
    {"meet", Frame::kMeet},
    {"get", Frame::kGet},
    {"start", Frame::kStart},
    {"begin", Frame::kStart},
    {"become", Frame::kBecome},
    {"do", Frame::kHobbyObject},
    {"stand", Frame::kStand},
    {"tolerate", Frame::kStand},
    {"drop", Frame::kDrop},
    {"fracture", Frame::kHurt},
    {"sprain", Frame::kHurt},
    {"injure", Frame::kHurt},
    {"recover", Frame::kHurt},
    {"hurt", Frame::kHurt},
    {"care", Frame::kStand},
});

bool IsLifeFrame(Frame frame) {
  switch (frame) {
    case Frame::kLive:
    case Frame::kMove:
    case Frame::kGrowUp:
    case Frame::kWork:
    case Frame::kStudy:
    case Frame::kAttend:
    case Frame::kGraduate:
    case Frame::kTeach:
    case Frame::kJoin:
    case Frame::kBelieve:
    case Frame::kSuffer:
    case Frame::kMarry:
    case Frame::kBreakUp:
    case Frame::kQuit:
    case Frame::kRetire:
    case Frame::kTurn:
    case Frame::kGet:
    case Frame::kStart:
    case Frame::kBecome:
    case Frame::kDrop:
    case Frame::kHurt:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Objects that stand for nothing by themselves.
bool IsEmptyObject(std::string_view word) {
  static const WordSet words = {
      "it",        "that",     "this",    "them",   "him",     "her",      "you",    "me",
      "us",        "one",      "ones",    "thing",  "things",  "what",     "how",    "everything",
      "something", "anything", "nothing", "time",   "way",     "idea",     "lot",    "bit",
      "kind",      "sort",     "there",   "here",   "know",    "hear",     "see",    "say",
      "think",     "be",       "do",      "have",   "get",     "stuff",    "sound",  "look",
      "much",      "more",     "so",      "people", "someone", "somebody", "anyone", "fact",
      "part",      "chat",     "talk",    "meet",   "help",    "ask",      "hi",     "hello",
      "too",       "and",      "mine",    "yours",  "those",   "these",    "he",     "she",
      "they",      "not",      "no",      "kinds",  "sorts",   "types",    "all",    "some",
      "most",      "feeling",  "thrill",  "taste",  "day",     "days",     "place",  "general",
      "somewhere", "anywhere", "first",   "last",   "best",    "latter",   "same"};
  return words.contains(word);
}

bool IsUsable(const WordStream& m, Phrase phrase) {
  // A gerund that needs an object and lost it says nothing.
  if (phrase.last - phrase.first == 1 &&
      m.IsAny(phrase.first, {"making", "having", "doing", "being", "getting", "going", "seeing",
                             "taking", "giving", "trying", "sharing", "helping", "keeping"})) {
    return false;
  }
  if (m.IsAny(phrase.first, {"for", "in", "at", "on", "with", "by", "from"})) {
    return false;
  }
  // "the taste of it", "six of them": what is meant stands elsewhere.
  if (!phrase.empty() && (m.IsAny(phrase.last - 1, {"them", "it", "those", "these"}) ||
                          (m.Is(phrase.last, "of") &&
                           m.IsAny(phrase.last + 1, {"it", "them", "that", "this", "those"})))) {
    return false;
  }
  return !phrase.empty() &&
         !(phrase.last - phrase.first == 1 && IsEmptyObject(m.Text(phrase.first))) &&
         !m.IsAny(phrase.first, {"it", "that", "you", "what", "how", "them", "him", "her", "me"});
}

bool VerbFactWriter::AddPhrase(Predicate predicate, Phrase phrase, const Extra& extra) {
  if (!IsUsable(m_, phrase)) {
    return false;
  }
  sheet_.Add(s_, predicate, ObjectText(m_, phrase), extra);
  return true;
}

bool VerbFactWriter::AddObject(Predicate predicate, const Extra& extra, bool past_too) {
  if (s_.past && !past_too) {
    return false;
  }
  bool added = false;
  for (const Phrase& phrase : SplitObjects(m_, ObjectAt(m_, s_.rest, s_.end))) {
    added = AddPhrase(predicate, phrase, extra) || added;
  }
  return added;
}

void ReadVerbFacts(const Statement& statement, FactSheet& sheet) {
  static const auto frames = [] {
    std::unordered_map<std::string_view, Frame> map;
    for (const VerbFrame& frame : kFrames) {
      map.emplace(frame.lemma, frame.frame);
    }
    return map;
  }();
  const auto found = frames.find(statement.lemma);
  if (found == frames.end()) {
    return;
  }
  const Frame frame = found->second;
  // "I would like to ..." is a wish at most, "I could live in ..." not even that.
  if (statement.supposed && frame != Frame::kLike) {
    return;
  }
  if (IsLifeFrame(frame)) {
    ReadLifeFacts(frame, statement, sheet);
  } else {
    ReadTasteFacts(frame, statement, sheet);
  }
}

}  // namespace umbranet
