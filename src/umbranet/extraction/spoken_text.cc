#include "umbranet/extraction/spoken_text.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace umbranet {
namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Typographic quotes and dashes as their ASCII stand-ins; the bytes keep their places, the two
// that are left over become spaces.
void PlainTypography(std::vector<char>& text) {
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] != '\xE2' || text[i + 1] != '\x80') {
      continue;
    }
    const auto last = static_cast<unsigned char>(text[i + 2]);
    char plain = 0;
    if (last == 0x98 || last == 0x99) {
      plain = '\'';
    } else if (last == 0x9C || last == 0x9D) {
      plain = '"';
    } else if (last >= 0x92 && last <= 0x95) {
      plain = '-';
    } else if (last == 0xA6) {
      plain = '.';
    }
    if (plain != 0) {
      text[i] = plain;
      // An apostrophe joins: what follows it must stay next to it.
      text[i + 1] = plain == '\'' ? '\x01' : ' ';
      text[i + 2] = plain == '\'' ? '\x01' : ' ';
    }
  }
}

void Blank(std::vector<char>& text, std::size_t begin, std::size_t end, char with) {
  for (std::size_t i = begin; i < end && i < text.size(); ++i) {
    if (text[i] != '\n') {
      text[i] = with;
    }
  }
}

// Takes out fenced code: what is inside of ``` ... ``` is not said, and a sentence ends at it.
void RemoveFences(std::vector<char>& text) {
  const std::string_view view(text.data(), text.size());
  std::size_t at = view.find("```");
  while (at != std::string_view::npos) {
    const std::size_t close = view.find("```", at + 3);
    const std::size_t end = close == std::string_view::npos ? text.size() : close + 3;
    Blank(text, at, end, ' ');
    text[at] = '\n';
    at = end < text.size() ? view.find("```", end) : std::string_view::npos;
  }
}

// "[image: a dog on a sofa]" describes a picture, and brackets of other kinds are notes.
void RemoveBrackets(std::vector<char>& text) {
  const std::string_view view(text.data(), text.size());
  std::size_t at = view.find('[');
  while (at != std::string_view::npos) {
    const std::size_t close = view.find(']', at);
    if (close == std::string_view::npos) {
      return;
    }
    Blank(text, at, close + 1, ' ');
    text[at] = '.';
    at = view.find('[', close);
  }
}

// Quotations of two words and more are somebody's words, not the speaker's claim. A message that
// is quoted as a whole speaks for itself. Names in quotes keep their place.
void RemoveQuotations(std::vector<char>& text) {
  std::size_t first = 0;
  while (first < text.size() && IsSpace(text[first])) {
    ++first;
  }
  std::size_t last = text.size();
  while (last > first && IsSpace(text[last - 1])) {
    --last;
  }
  const bool whole = last > first + 2 && text[first] == '"' && text[last - 1] == '"' &&
                     std::count(text.begin() + static_cast<std::ptrdiff_t>(first),
                                text.begin() + static_cast<std::ptrdiff_t>(last), '"') == 2;
  if (whole) {
    text[first] = ' ';
    text[last - 1] = ' ';
    return;
  }
  constexpr std::size_t kQuotationMax = 2000;
  const std::string_view view(text.data(), text.size());
  std::size_t at = view.find('"');
  while (at != std::string_view::npos) {
    const std::size_t close = view.find('"', at + 1);
    if (close == std::string_view::npos || close - at > kQuotationMax) {
      return;
    }
    const auto spaces = std::count(view.begin() + static_cast<std::ptrdiff_t>(at),
                                   view.begin() + static_cast<std::ptrdiff_t>(close), ' ');
    if (spaces >= 4) {
      Blank(text, at, close + 1, ' ');
    } else {
      text[at] = ' ';
      text[close] = ' ';
    }
    at = view.find('"', close + 1);
  }
}

}  // namespace

void KeepSpokenText(std::vector<char>& text) {
  PlainTypography(text);
  RemoveFences(text);
  RemoveBrackets(text);
  RemoveQuotations(text);
}

}  // namespace umbranet
