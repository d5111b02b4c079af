#include "umbranet/adapters/sqlite/sqlite_episode_row.h"

#include <utility>

#include "umbranet/domain/episode_document.h"

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

}  // namespace umbranet
