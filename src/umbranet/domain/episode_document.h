// An episode as the index sees it. Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/episode.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/time_range.h"

namespace umbranet {

// A text of more terms (a pasted log, a long listing) is found by its beginning; one document must
// not outweigh a thousand others in the index.
inline constexpr std::size_t kEpisodeTermsMax = 4000;
// Analysis stops here, since a text need not hold a single term.
inline constexpr std::size_t kEpisodeBytesAnalyzedMax = std::size_t{64} * 1024;

// The terms of an episode's date, its speaker's name and its text, repeats included.
std::vector<std::string> EpisodeTerms(std::string_view text, std::string_view speaker,
                                      Timestamp occurred_at);

// What an embedder is given for an episode: the text, after the name of whoever said it where that
// is neither the user nor the assistant, since people are asked about by name.
std::string EmbeddedText(std::string_view text, std::string_view speaker);

// What a text asks.
enum class QuestionForm : std::uint8_t {
  kNone,
  kAsks,  // It ends with a question.
  kBare,  // A short question and nothing beside it ("Where does my sister live?"): it repeats the
          // words that are asked for and tells nothing.
};

QuestionForm QuestionFormOf(std::string_view text);

// What ranking reads of an episode's text beside the counts of its terms.
struct EpisodeReading {
  QuestionForm form = QuestionForm::kNone;
  std::string terms;  // Of the beginning of the text, in their order; as JoinTerms gives them.
};

EpisodeReading ReadEpisode(const Episode& episode);
// From the episode's terms, joined, which saves their analysis.
EpisodeReading ReadEpisode(const Episode& episode, std::string_view terms);

// `ordinal` counts the episodes of one half of one turn.
std::string MakeEpisodeId(const UserKey& user, std::string_view interaction_id, Role role,
                          std::uint32_t ordinal);

// Event times in a row of text: "start end start end" in Unix milliseconds.
std::string FormatEventTimes(const std::vector<TimeRange>& ranges);
// What cannot be read as numbers counts as 0.
std::vector<TimeRange> ReadEventTimes(std::string_view text);

}  // namespace umbranet
