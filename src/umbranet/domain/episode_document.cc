#include "umbranet/domain/episode_document.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "umbranet/base/text_analysis.h"
#include "umbranet/base/unique_id.h"
#include "umbranet/base/utf8.h"
#include "umbranet/domain/memory_item.h"

namespace umbranet {

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
