#include "umbranet/memory/acronyms.h"

#include <algorithm>
#include <array>

#include "umbranet/memory/whole_words.h"

namespace umbranet {
namespace {

constexpr std::size_t kWordsMin = 3;
constexpr std::size_t kWordsMax = 5;

constexpr std::array<std::string_view, 10> kNumbers = {"zero", "one", "two",   "three", "four",
                                                       "five", "six", "seven", "eight", "nine"};

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// '\0' of a word that gives none: a figure, or one of another script.
char InitialOf(const TextToken& token) {
  const auto number = std::find(kNumbers.begin(), kNumbers.end(), token.folded);
  if (number != kNumbers.end()) {
    return static_cast<char>('0' + (number - kNumbers.begin()));
  }
  const char first = token.folded.empty() ? '\0' : token.folded.front();
  return IsLetter(first) ? static_cast<char>(first - 'a' + 'A') : '\0';
}

// With nothing but a space or a hyphen between: "two-factor authentication".
bool Adjoin(std::string_view text, const TextToken& before, const TextToken& after) {
  const std::string_view between = text.substr(before.end, after.begin - before.end);
  return between == " " || between == "-";
}

}  // namespace

std::vector<Acronym> AcronymsOf(std::string_view text, const std::vector<TextToken>& tokens) {
  std::vector<Acronym> acronyms;
  for (std::size_t first = 0; first < tokens.size(); ++first) {
    std::string written;
    const std::size_t end = std::min(first + kWordsMax, tokens.size());
    for (std::size_t i = first; i < end && !tokens[i].stop_word; ++i) {
      const char initial = InitialOf(tokens[i]);
      if (initial == '\0' || (i > first && !Adjoin(text, tokens[i - 1], tokens[i]))) {
        break;
      }
      written.push_back(initial);
      if (written.size() >= kWordsMin) {
        acronyms.push_back({.written = written, .first = first, .words = written.size()});
      }
    }
  }
  return acronyms;
}

bool IsWritten(std::string_view acronym, std::string_view text) {
  return ContainsWord(text, acronym) || ContainsWord(text, std::string(acronym) + 's');
}

}  // namespace umbranet
