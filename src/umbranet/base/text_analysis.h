// From text to terms: what the index stores, what a question is matched by, and what extraction
// reads words with. One analysis for all of them, since a term that is made in two ways is found in
// neither.
//
// A word is a run of letters and digits in any script. It is case-folded, Latin letters lose their
// diacritics
// ("José" and "jose" are one), the possessive and contracted endings go ("Ana's", "they'll"),
// "85,000" becomes "85000". English words are brought to their stem by Snowball's English stemmer
// (Porter 2, https://snowballstem.org), irregular forms to their base first ("bought" -> "buy").
// Scripts written without spaces (Han, Kana, Thai and their neighbours) give overlapping pairs of
// characters, as Lucene's CJKAnalyzer does.
//
// A term holds letters and digits alone, never a space, quote or operator, so terms joined by
// spaces come back unchanged from FTS5's `ascii` tokenizer. All functions are pure and may be
// called from any thread; bytes that are not UTF-8 separate words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"

namespace umbranet {

// Longer runs are cut here: nobody searches for them, and a hostile text must not fill the index
// with one term.
inline constexpr std::size_t kTermBytesMax = 64;

struct TextToken {
  std::string folded;     // Case-folded and without diacritics, apostrophes and contracted endings:
                          // "don't" -> "dont".
  std::string term;       // Its stem.
  std::size_t begin = 0;  // The word's bytes in the text, [begin, end), endings included.
  std::size_t end = 0;
  bool stop_word =
      false;  // Says nothing about a subject: "the", "would". A name is none: "in May", "the US".
  bool capitalized = false;  // Begins with an upper-case letter.
  bool sentence_start = false;
};

// Every word in order, stop words included.
[[nodiscard]] std::vector<TextToken> Tokenize(std::string_view text);

// The terms of a text in order, repeats included, stop words left out. Empty when the text says
// nothing to search for.
[[nodiscard]] std::vector<std::string> AnalyzeTerms(std::string_view text);

// The same for a name, where every word counts ("Will", "The Who").
[[nodiscard]] std::vector<std::string> AnalyzeName(std::string_view name);

// The terms under which a day is asked for: weekday, day of the month, month, year, in UTC, as
// Tokenize makes them.
[[nodiscard]] std::vector<std::string> DateTerms(Timestamp time);

// Case-folds a whole text and drops the diacritics of Latin letters; everything else stays in its
// place.
[[nodiscard]] std::string FoldCase(std::string_view text);

// `folded` is a word as TextToken has it.
[[nodiscard]] bool IsStopWord(std::string_view folded);
[[nodiscard]] std::string StemWord(std::string_view folded);

// Terms joined by single spaces: the form in which an index stores a text.
[[nodiscard]] std::string JoinTerms(const std::vector<std::string>& terms);

}  // namespace umbranet
