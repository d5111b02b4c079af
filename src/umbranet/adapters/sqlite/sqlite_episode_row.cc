#include "umbranet/adapters/sqlite/sqlite_episode_row.h"

#include <charconv>
#include <utility>

namespace umbranet {

std::shared_ptr<const Episode> EpisodeRow::Read(const UserKey& user,
                                                const std::string& session_id) const {
  Episode episode;
  episode.memory_id = row_.String(2);
  episode.user = user;
  episode.interaction_id = row_.String(3);
  episode.role = static_cast<Role>(row_.Int(4));
  episode.session_id = session_id;
  episode.speaker = row_.String(5);
  episode.text = row_.String(6);
  episode.occurred_at = occurred_at();
  episode.sequence = row_.Int(8);
  episode.importance = row_.Real(9);
  episode.event_times = ReadEventTimes(row_.Text(10));
  return std::make_shared<const Episode>(std::move(episode));
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
