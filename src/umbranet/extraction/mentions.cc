#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "umbranet/extraction/statements.h"

// Who is mentioned: names, and what belongs to somebody ("my sister Ana", "Tom's dog").

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

bool IsPetName(std::string_view word) {
  return ClassOf(word) == NounClass::kPet;
}

// "named Ana", "called Ana", "Ana" right after a noun that needs a name.
std::size_t NameAfter(const WordStream& m, std::size_t i, std::size_t end, std::string* name) {
  std::size_t at = i;
  bool announced = false;
  if (m.IsAny(at, {"named", "called"})) {
    ++at;
    announced = true;
  } else if (m.Is(at, ",") && at + 1 < end && IsName(m, at + 1) &&
             (m.Is(EndOfName(m, at + 1, end), ",") || EndOfName(m, at + 1, end) >= end)) {
    ++at;
  }
  std::size_t last = EndOfName(m, at, end);
  if (last == at && announced && at < end && !m.At(at).symbol) {
    last = at + 1;  // "a dog named rex", in lower case.
  }
  if (last == at) {
    return i;
  }
  *name = std::string(m.Source(at, last));
  return m.Is(last, ",") && m.Is(at - 1, ",") ? last + 1 : last;
}

// The noun that "my" introduces, adjectives skipped: a relation or a pet.
struct OwnedNoun {
  std::size_t at = 0;
  std::string relation;
  EntityType type = EntityType::kPerson;
  Gender gender = Gender::kUnknown;
  bool plural = false;
  bool renewed = false;
};

std::optional<OwnedNoun> ReadOwnedNoun(const WordStream& m, std::size_t i, std::size_t end) {
  static const WordSet adjectives = {
      "best",      "good",   "old",     "older",   "younger", "little", "big",       "oldest",
      "youngest",  "twin",   "elder",   "close",   "closest", "dear",   "new",       "late",
      "baby",      "first",  "second",  "only",    "two",     "three",  "four",      "middle",
      "girl",      "boy",    "current", "own",     "beloved", "lovely", "wonderful", "former",
      "childhood", "step",   "six",     "seven",   "eight",   "nine",   "ten",       "identical",
      "1",         "9",      "10",      "large",   "small",   "crazy",  "step",      "adopted",
      "pet",       "german", "golden",  "amazing", "cute",    "sweet",  "long-time", "longtime",
      "whole",     "other",  "5",       "6",       "7",       "8",      "3",         "4",
      "2",         "year",   "great"};
  std::size_t at = i;
  while (at < end && at < i + 3 && adjectives.contains(m.Text(at)) &&
         !(m.Is(at, "twin") && KinOf(m.Text(at + 1)).relation.empty())) {
    ++at;
  }
  if (at >= end) {
    return std::nullopt;
  }
  OwnedNoun noun;
  noun.at = at;
  noun.renewed = at > i && m.Is(at - 1, "new");
  if (const Kin kin = KinOf(m.Text(at)); !kin.relation.empty()) {
    noun.relation = std::string(kin.relation);
    noun.gender = kin.gender;
    noun.plural = kin.plural;
    const std::size_t in_law = m.Match(at + 1, "- in - law");
    if (in_law != 0) {
      noun.relation += "-in-law";
      noun.at = in_law - 1;
    }
    return noun;
  }
  if (IsPetName(m.Text(at))) {
    noun.relation = std::string(SingularOf(m.Text(at)));
    noun.type = EntityType::kAnimal;
    noun.plural = noun.relation != m.Text(at);
    return noun;
  }
  return std::nullopt;
}

MentionRead MakeOwned(const WordStream& m, const OwnedNoun& noun, std::size_t end,
                      std::string_view owner) {
  MentionRead read;
  Mention& mention = read.mention;
  mention.type = noun.type;
  mention.gender = noun.gender;
  mention.plural = noun.plural;
  mention.relation = noun.relation;
  // Of these one has one at a time.
  mention.renewed = noun.renewed && m.IsAny(noun.at, {"boss", "manager", "landlord", "landlady",
                                                      "partner", "girlfriend", "boyfriend", "coach",
                                                      "roommate", "flatmate", "mentor"});
  mention.owner = std::string(owner);
  // Several are described as they were named: "my parents", "my dogs".
  mention.description = Describe(owner, noun.plural ? m.Text(noun.at) : noun.relation);
  mention.name = mention.description;
  read.next = noun.at + 1;
  if (!noun.plural) {
    std::string name;
    read.next = NameAfter(m, noun.at + 1, end, &name);
    if (!name.empty()) {
      mention.name = std::move(name);
    }
  }
  return read;
}

}  // namespace

std::string Describe(std::string_view owner, std::string_view noun) {
  if (owner == kSelfEntity) {
    return "my " + std::string(noun);
  }
  if (owner.starts_with("my ") || owner.find(' ') == std::string_view::npos ||
      !owner.ends_with("s")) {
    return std::string(owner) + "'s " + std::string(noun);
  }
  return std::string(owner) + "' " + std::string(noun);
}

bool IsName(const WordStream& m, std::size_t i) {
  const Word& word = m.At(i);
  if (word.symbol || !word.capital || word.text.size() < 2 || IsCommonWord(word.text)) {
    return false;
  }
  // A verb in upper case opens a sentence; in the middle of one it is a name ("Mark", "Will").
  const bool opens = i == 0 || m.At(i - 1).symbol;
  return !opens || (LemmaOf(word.text).empty() && KinOf(word.text).relation.empty());
}

std::size_t EndOfName(const WordStream& m, std::size_t i, std::size_t end) {
  constexpr std::size_t kNameWordsMax = 4;
  std::size_t at = i;
  while (at < end && at < i + kNameWordsMax && IsName(m, at)) {
    ++at;
  }
  return at;
}

std::optional<MentionRead> ReadMention(const WordStream& m, std::size_t i, std::size_t end,
                                       std::string_view self) {
  std::optional<MentionRead> read;
  if (m.IsAny(i, {"my", "our"})) {
    const auto noun = ReadOwnedNoun(m, i + 1, end);
    if (!noun) {
      return std::nullopt;
    }
    read = MakeOwned(m, *noun, end, self);
  } else if (IsName(m, i)) {
    const std::size_t last = EndOfName(m, i, end);
    Mention mention;
    mention.name = std::string(m.Source(i, last));
    read = MentionRead{std::move(mention), last};
  } else {
    return std::nullopt;
  }
  // "my brother's dog", "Tom's wife": what belongs to the one just read.
  constexpr int kChainMax = 2;
  for (int link = 0; link < kChainMax && m.Is(read->next, "'s"); ++link) {
    const auto noun = ReadOwnedNoun(m, read->next + 1, end);
    if (!noun) {
      break;  // "my sister's name", "Tom's car"
    }
    read = MakeOwned(m, *noun, end, read->mention.name);
  }
  // "Ana, my sister, lives ...".
  if (m.Is(read->next, ",") && m.Is(read->next + 1, "my") && read->mention.relation.empty()) {
    const auto noun = ReadOwnedNoun(m, read->next + 2, end);
    if (noun && (m.Is(noun->at + 1, ",") || noun->at + 1 >= end)) {
      read->mention.relation = noun->relation;
      read->mention.owner = std::string(self);
      read->mention.description = Describe(self, noun->relation);
      read->mention.gender = noun->gender;
      read->mention.type = noun->type;
      read->next = std::min(noun->at + 2, end);
    }
  }
  return read;
}

}  // namespace umbranet
