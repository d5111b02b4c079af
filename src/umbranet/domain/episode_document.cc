#include "umbranet/domain/episode_document.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include "umbranet/base/text_analysis.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/base/utf8.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {
namespace {

constexpr std::size_t kReadBytesMax = 2048;
constexpr std::size_t kReadTermsBytesMax = 768;

// Whole terms of the beginning.
std::string FirstTerms(std::string terms) {
  if (terms.size() > kReadTermsBytesMax) {
    terms.resize(std::min(terms.rfind(' ', kReadTermsBytesMax), kReadTermsBytesMax));
  }
  return terms;
}

constexpr std::size_t kBareQuestionBytesMax = 120;
constexpr std::array<std::string_view, 24> kQuestionStarts = {
    "what", "where", "when", "who",   "whom", "whose", "which",  "why",
    "how",  "do",    "does", "did",   "is",   "are",   "was",    "were",
    "have", "has",   "can",  "could", "will", "would", "should", "any"};

}  // namespace

std::vector<std::string> EpisodeTerms(std::string_view text, std::string_view speaker,
                                      Timestamp occurred_at) {
  std::vector<std::string> terms = DateTerms(occurred_at);
  std::vector<std::string> name = AnalyzeName(speaker);
  std::move(name.begin(), name.end(), std::back_inserter(terms));
  std::vector<std::string> words = AnalyzeTerms(TruncateUtf8(text, kEpisodeBytesAnalyzedMax));
  const std::size_t room = kEpisodeTermsMax - std::min(kEpisodeTermsMax, terms.size());
  words.resize(std::min(words.size(), room));
  std::move(words.begin(), words.end(), std::back_inserter(terms));
  terms.resize(std::min(terms.size(), kEpisodeTermsMax));
  return terms;
}

QuestionForm QuestionFormOf(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos || text[last] != '?') {
    return QuestionForm::kNone;
  }
  if (text.size() > kBareQuestionBytesMax) {
    return QuestionForm::kAsks;
  }
  const std::vector<TextToken> words = Tokenize(text);
  const bool bare = std::all_of(words.begin(), words.end(), [&](const TextToken& word) {
    return !word.sentence_start || std::find(kQuestionStarts.begin(), kQuestionStarts.end(),
                                             word.folded) != kQuestionStarts.end();
  });
  return bare ? QuestionForm::kBare : QuestionForm::kAsks;
}

EpisodeReading ReadEpisode(const Episode& episode) {
  const std::string_view text = TruncateUtf8(episode.text, kReadBytesMax);
  std::string terms = JoinTerms(AnalyzeTerms(text));
  return {.form = QuestionFormOf(episode.text), .terms = FirstTerms(std::move(terms))};
}

EpisodeReading ReadEpisode(const Episode& episode, std::string_view terms) {
  // Those of its date and its speaker stand before those of the text.
  std::size_t before = DateTerms(episode.occurred_at).size() + AnalyzeName(episode.speaker).size();
  while (before > 0 && !terms.empty()) {
    terms.remove_prefix(std::min(terms.find(' '), terms.size() - 1) + 1);
    --before;
  }
  return {.form = QuestionFormOf(episode.text),
          .terms = FirstTerms(std::string(terms.substr(0, kReadBytesMax)))};
}

std::string EmbeddedText(std::string_view text, std::string_view speaker) {
  std::string embedded;
  if (speaker != kDefaultSpeaker && speaker != kAssistantSpeaker && !speaker.empty()) {
    embedded.append(speaker).append(": ");
  }
  return embedded.append(TruncateUtf8(text, kEpisodeBytesAnalyzedMax));
}

std::string MakeEpisodeId(const UserKey& user, std::string_view interaction_id, Role role,
                          std::uint32_t ordinal) {
  return std::string(kEpisodePrefix) +
         NameUuidV5({"episode", user.tenant, user.user_id, interaction_id, RoleName(role),
                     std::to_string(ordinal)});
}

std::string FormatEventTimes(const std::vector<TimeRange>& ranges) {
  std::string text;
  for (const TimeRange& range : ranges) {
    text += text.empty() ? "" : " ";
    text +=
        std::to_string(ToUnixMillis(range.start)) + ' ' + std::to_string(ToUnixMillis(range.end));
  }
  return text;
}

std::vector<TimeRange> ReadEventTimes(std::string_view text) {
  std::vector<TimeRange> ranges;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t bounds[2] = {0, 0};
    for (std::int64_t& bound : bounds) {
      at = std::from_chars(at, end, bound).ptr;
      at += at < end ? 1 : 0;
    }
    ranges.push_back({FromUnixMillis(bounds[0]), FromUnixMillis(bounds[1])});
  }
  return ranges;
}

}  // namespace umbranet
