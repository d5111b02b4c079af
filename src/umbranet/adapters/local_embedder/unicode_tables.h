// What Unicode says of code points above ASCII, as far as a tokenizer asks: sorted tables, to be
// searched by halves. Written by scripts/unicode_tables.
#pragma once

#include <cstdint>
#include <span>

namespace umbranet {

struct CodePointRange {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct BareLetter {
  std::uint16_t letter = 0;
  std::uint16_t bare = 0;  // In lower case and without accents.
};

std::span<const CodePointRange> AccentRanges();       // Mn
std::span<const CodePointRange> PunctuationRanges();  // P*
std::span<const CodePointRange> ControlRanges();      // Cc, Cf, Co
std::span<const BareLetter> BareLetters();

}  // namespace umbranet
