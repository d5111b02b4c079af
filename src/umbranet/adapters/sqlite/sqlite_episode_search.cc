#include "umbranet/adapters/sqlite/sqlite_episode_search.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_episode_row.h"
#include "umbranet/adapters/sqlite/sqlite_tier_book.h"
#include "umbranet/adapters/sqlite/sqlite_vectors.h"
#include "umbranet/base/quantized_vector.h"
#include "umbranet/base/term_counter.h"

namespace umbranet {
namespace {

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
constexpr std::size_t kAssistantShare = 3;  // At most one in so many.
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
    const std::size_t assistants = query_.candidates_max / kAssistantShare;
    UMBRANET_ASSIGN_OR_RETURN(found.assistant_statistics,
                              Match(CorpusKind::kAssistantHalves, assistants));
    UMBRANET_ASSIGN_OR_RETURN(
        found.statistics, Match(CorpusKind::kUserHalves, query_.candidates_max - matched_.size()));
    UMBRANET_RETURN_IF_ERROR(Compare());
    std::sort(matched_.begin(), matched_.end());
    matched_.erase(std::unique(matched_.begin(), matched_.end()), matched_.end());
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
    const Result<std::size_t> taken = Take(documents, limit);
    return taken.ok() ? Result<CorpusStatistics>(std::move(statistics)) : taken.error();
  }

  // The first `limit` of `documents` that had occurred by then become matches. How many did.
  Result<std::size_t> Take(const std::vector<std::int64_t>& documents, std::size_t limit) {
    SqliteStatement place = connection_.Prepare(kSelectPlace);
    std::size_t taken = 0;
    for (const std::int64_t document : documents) {
      if (taken == limit) {
        break;
      }
      place.Reset();
      place.BindAll(document, Horizon());
      if (place.Step()) {
        matched_.push_back({place.Int(0), place.Int(1), document});
        ++taken;
      }
      UMBRANET_RETURN_IF_ERROR(place.status());
    }
    return taken;
  }

  // Looks at every vector of the user; the most similar become matches.
  Status Compare() {
    if (!query_.embedding.has_value()) {
      return {};
    }
    UMBRANET_ASSIGN_OR_RETURN(const std::optional<std::int64_t> space,
                              FindEmbeddingSpace(connection_, query_.embedding_space));
    if (!space.has_value()) {
      return {};
    }
    const VectorProbe probe(*query_.embedding);
    std::vector<std::pair<float, std::int64_t>> by_role[2];
    const Status read = ReadVectors(connection_, user_key_, 0, [&](const StoredVector& stored) {
      const UserEpisodes::Vector& vector = stored.vector;
      if (vector.space_key == *space && vector.vector.values.size() == probe.dimension()) {
        const float product = probe.Product(vector.vector.values, vector.vector.scale);
        similarity_.emplace(vector.episode_key, product);
        if (product > 0) {
          by_role[stored.role == Role::kUser ? 0 : 1].emplace_back(-product, vector.episode_key);
        }
      }
    });
    UMBRANET_RETURN_IF_ERROR(read);
    std::size_t limit = query_.similar_max / kAssistantShare;
    for (const std::size_t role : {std::size_t{1}, std::size_t{0}}) {
      std::sort(by_role[role].begin(), by_role[role].end());
      std::vector<std::int64_t> documents;
      documents.reserve(by_role[role].size());
      for (const auto& [negative, document] : by_role[role]) {
        documents.push_back(document);
      }
      UMBRANET_ASSIGN_OR_RETURN(const std::size_t taken, Take(documents, limit));
      limit = query_.similar_max - taken;
    }
    return {};
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
      const EpisodeRow episode(row);
      if (row.Step() && episode.occurred_at() <= Horizon()) {
        EpisodeCandidate& candidate = candidates.emplace_back();
        candidate.episode = episode.Read(query_.user, session_id);
        candidate.length = episode.length();
        candidate.term_counts = counter_.Count(episode.terms());
        candidate.matched = std::binary_search(matched_.begin(), matched_.end(), place);
        if (const auto known = similarity_.find(place.episode_key); known != similarity_.end()) {
          candidate.similarity = known->second;
        }
      }
      UMBRANET_RETURN_IF_ERROR(row.status());
    }
    return {};
  }

  SqliteConnection& connection_;
  const SqliteTextIndex& index_;
  const std::int64_t user_key_;
  const EpisodeQuery& query_;
  const TermCounter counter_;
  std::vector<Place> matched_;
  std::vector<Place> wanted_;
  std::unordered_map<std::int64_t, float> similarity_;  // By episode key.
};

}  // namespace

Result<EpisodesFound> SearchEpisodes(SqliteConnection& connection, const SqliteTextIndex& index,
                                     std::int64_t user_key, const EpisodeQuery& query) {
  return EpisodeSearch(connection, index, user_key, query).Run();
}

}  // namespace umbranet
