#include "umbranet/domain/entity_name.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "umbranet/base/text_analysis.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::size_t kNameBytesMax = 256;

constexpr std::array<std::string_view, 11> kDeterminers = {
    "a", "an", "the", "my", "our", "your", "his", "her", "their", "its", "this"};

// Everyday words for a relation, and the word that stands for all of them.
constexpr std::array kRelationSynonyms = {
    std::pair<std::string_view, std::string_view>{"mom", "mother"},
    std::pair<std::string_view, std::string_view>{"mum", "mother"},
    std::pair<std::string_view, std::string_view>{"mommy", "mother"},
    std::pair<std::string_view, std::string_view>{"mama", "mother"},
    std::pair<std::string_view, std::string_view>{"dad", "father"},
    std::pair<std::string_view, std::string_view>{"daddy", "father"},
    std::pair<std::string_view, std::string_view>{"papa", "father"},
    std::pair<std::string_view, std::string_view>{"grandma", "grandmother"},
    std::pair<std::string_view, std::string_view>{"granny", "grandmother"},
    std::pair<std::string_view, std::string_view>{"grandpa", "grandfather"},
    std::pair<std::string_view, std::string_view>{"granddad", "grandfather"},
    std::pair<std::string_view, std::string_view>{"bro", "brother"},
    std::pair<std::string_view, std::string_view>{"sis", "sister"},
    std::pair<std::string_view, std::string_view>{"hubby", "husband"},
    std::pair<std::string_view, std::string_view>{"neighbor", "neighbour"},
    std::pair<std::string_view, std::string_view>{"coworker", "colleague"},
};

constexpr std::array<std::string_view, 62> kRelations = {
    "sister",     "brother",      "mother",      "father",      "parent",        "son",
    "daughter",   "child",        "kid",         "baby",        "wife",          "husband",
    "spouse",     "partner",      "fiance",      "fiancee",     "girlfriend",    "boyfriend",
    "ex",         "friend",       "bestie",      "buddy",       "boss",          "manager",
    "colleague",  "neighbour",    "roommate",    "flatmate",    "housemate",     "landlord",
    "teacher",    "professor",    "doctor",      "dentist",     "therapist",     "coach",
    "mentor",     "assistant",    "aunt",        "uncle",       "cousin",        "nephew",
    "niece",      "grandmother",  "grandfather", "grandson",    "granddaughter", "twin",
    "stepmother", "stepfather",   "stepsister",  "stepbrother", "sibling",       "client",
    "dog",        "cat",          "pet",         "puppy",       "kitten",        "horse",
    "family",     "grandparents",
};

template <std::size_t size>
bool Contains(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

}  // namespace

std::string NormalizeName(std::string_view name) {
  const std::vector<TextToken> tokens = Tokenize(name);
  std::size_t first = 0;
  while (first + 1 < tokens.size() && Contains(kDeterminers, tokens[first].folded)) {
    ++first;
  }
  std::string normalized;
  for (std::size_t i = first; i < tokens.size(); ++i) {
    if (!normalized.empty()) {
      normalized += ' ';
    }
    normalized += tokens[i].folded;
  }
  if (normalized.empty()) {
    normalized = FoldCase(Trim(name));
  }
  for (const auto& [everyday, relation] : kRelationSynonyms) {
    if (normalized == everyday) {
      return std::string(relation);
    }
  }
  normalized.resize(TruncateUtf8(normalized, kNameBytesMax).size());
  return normalized;
}

bool IsRelationName(std::string_view normalized) {
  const std::size_t space = normalized.rfind(' ');
  const std::string_view head =
      space == std::string_view::npos ? normalized : normalized.substr(space + 1);
  return Contains(kRelations, head);
}

}  // namespace umbranet
