#include "umbranet/adapters/sqlite/sqlite_episode_search.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_tier_book.h"

namespace umbranet {
namespace {

constexpr std::string_view kSelectEpisode =
    "SELECT e.memory_id, e.interaction_id, e.role, e.speaker, e.text, e.occurred_at, e.sequence,"
    " e.importance, e.event_times, e.length, e.terms, e.session_key"
    " FROM episode e WHERE e.episode_key = ?";
constexpr std::string_view kSelectSessionId =
    "SELECT session_id FROM episode_session WHERE session_key = ?";
constexpr std::string_view kSelectPlace =
    "SELECT session_key, sequence FROM episode WHERE episode_key = ? AND occurred_at <= ?";
constexpr std::string_view kSelectPrevious =
    "SELECT sequence FROM episode WHERE session_key = ? AND sequence < ?"
    " ORDER BY sequence DESC LIMIT 1";
constexpr std::string_view kSelectFrom =
    "SELECT sequence, episode_key FROM episode WHERE session_key = ? AND sequence >= ?"
    " ORDER BY sequence, episode_key";

constexpr std::ptrdiff_t kTurnsAfter = 2;
// As of a time in the past the index cannot tell who is in, so more are taken than are wanted.
constexpr std::size_t kAsOfFactor = 10;

struct Place {
  std::int64_t session_key = 0;
  std::int64_t sequence = 0;
  std::int64_t episode_key = 0;

  auto operator<=>(const Place&) const = default;
};

class EpisodeSearch {
 public:
  EpisodeSearch(SqliteConnection& connection, const SqliteTextIndex& index, std::int64_t user_key,
                const EpisodeQuery& query)
      : connection_(connection),
        index_(index),
        user_key_(user_key),
        query_(query),
        counter_(query.terms) {}

  Result<EpisodesFound> Run() {
    EpisodesFound found;
    UMBRANET_ASSIGN_OR_RETURN(found.assistant_statistics,
                              Match(CorpusKind::kAssistantHalves, query_.candidates_max / 3));
    UMBRANET_ASSIGN_OR_RETURN(
        found.statistics, Match(CorpusKind::kUserHalves, query_.candidates_max - matched_.size()));
    std::sort(matched_.begin(), matched_.end());
    UMBRANET_RETURN_IF_ERROR(AddNeighbours());
    UMBRANET_RETURN_IF_ERROR(ReadCandidates(found.candidates));
    return found;
  }

 private:
  [[nodiscard]] Timestamp Horizon() const { return query_.as_of.value_or(Timestamp::max()); }

  // Finds the best of one corpus and where they stand, into matched_.
  Result<CorpusStatistics> Match(CorpusKind kind, std::size_t limit) {
    UMBRANET_ASSIGN_OR_RETURN(CorpusStatistics statistics,
                              ReadCorpus(connection_, user_key_, kind));
    statistics.document_frequency.resize(query_.terms.size());
    if (statistics.documents == 0) {
      return statistics;
    }
    const IndexScope scope{user_key_, static_cast<int>(kind)};
    UMBRANET_ASSIGN_OR_RETURN(statistics.document_frequency,
                              index_.CountDocuments(connection_, scope, query_.terms));
    UMBRANET_ASSIGN_OR_RETURN(
        const std::vector<std::int64_t> documents,
        index_.Search(connection_, scope, query_.terms, statistics.document_frequency,
                      query_.as_of.has_value() ? limit * kAsOfFactor : limit));
    SqliteStatement place = connection_.Prepare(kSelectPlace);
    std::size_t taken = 0;
    for (const std::int64_t document : documents) {
      place.Reset();
      place.BindAll(document, Horizon());
      if (taken < limit && place.Step()) {
        matched_.push_back({place.Int(0), place.Int(1), document});
        ++taken;
      }
      UMBRANET_RETURN_IF_ERROR(place.status());
    }
    return statistics;
  }

  // Everything from the turn before each match to the second after it, within its session.
  Status AddNeighbours() {
    SqliteStatement previous = connection_.Prepare(kSelectPrevious);
    SqliteStatement from = connection_.Prepare(kSelectFrom);
    std::int64_t session_key = 0;
    std::vector<std::int64_t> read;  // The session's turns that wanted_ has, in order.
    for (const Place& match : matched_) {
      if (match.session_key != session_key) {
        session_key = match.session_key;
        read.clear();
      }
      std::int64_t first = match.sequence;
      if (read.empty() || read.back() < match.sequence) {
        previous.Reset();
        previous.BindAll(session_key, match.sequence);
        first = previous.Step() ? previous.Int(0) : first;
        UMBRANET_RETURN_IF_ERROR(previous.status());
      }
      if (!read.empty()) {
        first = std::max(first, read.back() + 1);
      }
      auto after = read.end() - std::upper_bound(read.begin(), read.end(), match.sequence);
      if (after >= kTurnsAfter) {
        continue;
      }
      from.Reset();
      from.BindAll(session_key, first);
      while (from.Step()) {
        const std::int64_t sequence = from.Int(0);
        if (read.empty() || sequence > read.back()) {
          if (sequence > match.sequence && ++after > kTurnsAfter) {
            break;
          }
          read.push_back(sequence);
        }
        wanted_.push_back({session_key, sequence, from.Int(1)});
      }
      UMBRANET_RETURN_IF_ERROR(from.status());
    }
    std::sort(wanted_.begin(), wanted_.end());
    wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
    return {};
  }

  Status ReadCandidates(std::vector<EpisodeCandidate>& candidates) {
    candidates.reserve(wanted_.size());
    SqliteStatement row = connection_.Prepare(kSelectEpisode);
    SqliteStatement session = connection_.Prepare(kSelectSessionId);
    std::int64_t session_key = 0;
    std::string session_id;
    for (const Place& place : wanted_) {
      if (place.session_key != session_key) {
        session.Reset();
        session.BindAll(place.session_key);
        session_id = session.Step() ? session.String(0) : "";
        session_key = place.session_key;
        UMBRANET_RETURN_IF_ERROR(session.status());
      }
      row.Reset();
      row.BindAll(place.episode_key);
      if (row.Step() && row.Time(5) <= Horizon()) {
        candidates.push_back(Read(row));
        candidates.back().episode.session_id = session_id;
        candidates.back().matched = std::binary_search(matched_.begin(), matched_.end(), place);
      }
      UMBRANET_RETURN_IF_ERROR(row.status());
    }
    return {};
  }

  [[nodiscard]] EpisodeCandidate Read(const SqliteStatement& row) const {
    EpisodeCandidate candidate;
    Episode& episode = candidate.episode;
    episode.memory_id = row.String(0);
    episode.user = query_.user;
    episode.interaction_id = row.String(1);
    episode.role = static_cast<Role>(row.Int(2));
    episode.speaker = row.String(3);
    episode.text = row.String(4);
    episode.occurred_at = row.Time(5);
    episode.sequence = row.Int(6);
    episode.importance = row.Real(7);
    episode.event_times = ReadTimes(row.Text(8));
    candidate.length = static_cast<std::uint32_t>(row.Int(9));
    candidate.term_counts = counter_.Count(row.Text(10));
    return candidate;
  }

  static std::vector<TimeRange> ReadTimes(std::string_view text) {
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

  SqliteConnection& connection_;
  const SqliteTextIndex& index_;
  const std::int64_t user_key_;
  const EpisodeQuery& query_;
  const TermCounter counter_;
  std::vector<Place> matched_;
  std::vector<Place> wanted_;
};

}  // namespace

Result<EpisodesFound> SearchEpisodes(SqliteConnection& connection, const SqliteTextIndex& index,
                                     std::int64_t user_key, const EpisodeQuery& query) {
  return EpisodeSearch(connection, index, user_key, query).Run();
}

}  // namespace umbranet
