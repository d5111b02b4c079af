// A row of the table of episodes as both kinds of search read it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "umbranet/adapters/sqlite/sqlite_statement.h"
#include "umbranet/domain/episode.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

// One episode, by its key.
inline constexpr std::string_view kSelectEpisode =
    "SELECT episode_key, session_key, memory_id, interaction_id, role, speaker, text, occurred_at,"
    " sequence, importance, event_times, length, terms FROM episode WHERE episode_key = ?";
// A user's, behind a key.
inline constexpr std::string_view kSelectUserEpisodes =
    "SELECT episode_key, session_key, memory_id, interaction_id, role, speaker, text, occurred_at,"
    " sequence, importance, event_times, length, terms FROM episode INDEXED BY episode_by_user"
    " WHERE user_key = ? AND episode_key > ? ORDER BY episode_key";

// Reads the current row of a statement of the above, which must outlive it.
class EpisodeRow {
 public:
  explicit EpisodeRow(const SqliteStatement& row) : row_(row) {}

  [[nodiscard]] std::int64_t key() const { return row_.Int(0); }

  [[nodiscard]] std::int64_t session_key() const { return row_.Int(1); }

  [[nodiscard]] Timestamp occurred_at() const { return row_.Time(7); }

  [[nodiscard]] std::uint32_t length() const { return static_cast<std::uint32_t>(row_.Int(11)); }

  // Until the statement steps on.
  [[nodiscard]] std::string_view terms() const { return row_.Text(12); }

  [[nodiscard]] std::shared_ptr<const Episode> Read(const UserKey& user,
                                                    const std::string& session_id) const;

 private:
  const SqliteStatement& row_;
};

}  // namespace umbranet
