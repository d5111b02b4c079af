#include "umbranet/adapters/postgres/postgres_episode_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/base/quantized_vector.h"
#include "umbranet/base/term_counter.h"
#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::string_view kCountDocuments =
    "SELECT t.place, p.role, count(*)"
    " FROM unnest($2::text[]) WITH ORDINALITY AS t(term, place)"
    " JOIN episode_term p ON p.user_key = $1 AND p.term = t.term"
    " GROUP BY t.place, p.role";
// BM25 as search/user_episodes.cc has it. $3 are the weights of the terms, $5 to $7 its constants.
// A real, so that documents that are equally good are so in whatever order their terms were added
// up.
constexpr std::string_view kSelectBest =
    "SELECT p.episode_key,"
    " sum(t.idf * p.count * $5 / (p.count + $6 + $7 * p.length))::real AS score"
    " FROM unnest($2::text[], $3::double precision[]) AS t(term, idf)"
    " JOIN episode_term p ON p.user_key = $1 AND p.term = t.term AND p.role = $4"
    " WHERE p.occurred_at <= $8"
    " GROUP BY p.episode_key ORDER BY score DESC, p.episode_key LIMIT $9";
// Everything from the turn before a match to the second after it, within its session.
constexpr std::string_view kSelectNeighbours =
    "SELECT DISTINCT n.episode_key"
    " FROM (SELECT DISTINCT session_id, sequence FROM episode"
    " WHERE user_key = $1 AND episode_key = ANY($2::bigint[])) m"
    " CROSS JOIN LATERAL (SELECT max(b.sequence) AS sequence FROM episode b WHERE b.user_key = $1"
    " AND b.session_id = m.session_id AND b.sequence < m.sequence) before"
    " CROSS JOIN LATERAL (SELECT max(two.sequence) AS sequence FROM (SELECT DISTINCT a.sequence"
    " FROM episode a WHERE a.user_key = $1 AND a.session_id = m.session_id"
    " AND a.sequence > m.sequence ORDER BY a.sequence LIMIT 2) two) after"
    " JOIN episode n ON n.user_key = $1 AND n.session_id = m.session_id"
    " AND n.sequence BETWEEN coalesce(before.sequence, m.sequence)"
    " AND coalesce(after.sequence, m.sequence)";
constexpr std::string_view kSelectCandidates =
    "SELECT " UMBRANET_EPISODE_COLUMNS
    ", v.packed FROM episode e"
    " LEFT JOIN episode_vector v ON v.episode_key = e.episode_key AND v.space_key = $3"
    " WHERE e.episode_key = ANY($1::bigint[]) AND e.user_key = $4 AND e.occurred_at <= $2";

// As in search/user_episodes.cc.
constexpr double kSaturation = 1.2;
constexpr double kLength = 0.75;
constexpr std::size_t kAssistantShare = 3;

// Rows of the index that one search weighs at most, but for the rarest term's: words that are in
// most documents decide nothing while there are rarer ones.
constexpr std::uint64_t kPostingsMax = 20'000;

constexpr std::array<Role, 2> kRoles = {Role::kUser, Role::kAssistant};

// Better first.
struct Scored {
  std::int64_t episode_key = 0;
  double score = 0;
};

class Searching {
 public:
  Searching(PostgresConnection& connection, const EpisodeSearch& search, const EpisodeQuery& query)
      : connection_(connection),
        search_(search),
        query_(query),
        horizon_(query.as_of.value_or(Timestamp::max())) {
    for (const std::string& term : query.terms) {
      // What is no text cannot be asked for, and is in no document.
      const bool is_text = IsValidUtf8(term) && term.find('\0') == std::string::npos;
      terms_.push_back(is_text ? term : std::string());
    }
  }

  Result<EpisodesFound> Run() {
    EpisodesFound found;
    UMBRANET_RETURN_IF_ERROR(Count(found));
    UMBRANET_RETURN_IF_ERROR(Match(found));
    UMBRANET_RETURN_IF_ERROR(Compare());
    UMBRANET_RETURN_IF_ERROR(AddNeighbours());
    UMBRANET_RETURN_IF_ERROR(ReadCandidates(found.candidates));
    return found;
  }

 private:
  static CorpusStatistics& StatisticsOf(EpisodesFound& found, Role role) {
    return role == Role::kUser ? found.statistics : found.assistant_statistics;
  }

  Status Count(EpisodesFound& found) const {
    for (const Role role : kRoles) {
      CorpusStatistics& statistics = StatisticsOf(found, role);
      const auto index = static_cast<std::size_t>(role);
      statistics.documents = search_.extent.documents[index];
      statistics.length_mean = statistics.documents == 0
                                   ? 0
                                   : static_cast<double>(search_.extent.terms[index]) /
                                         static_cast<double>(statistics.documents);
      statistics.document_frequency.resize(terms_.size());
    }
    if (terms_.empty()) {
      return {};
    }
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows counts,
                              connection_.Query(kCountDocuments, search_.extent.user_key, terms_));
    for (const PostgresRow row : counts) {
      StatisticsOf(found, static_cast<Role>(row.Int(1)))
          .document_frequency.at(static_cast<std::size_t>(row.Int(0) - 1)) =
          static_cast<std::uint64_t>(row.Int(2));
    }
    return {};
  }

  Result<std::vector<Scored>> Best(const CorpusStatistics& corpus, Role role,
                                   std::size_t limit) const {
    std::vector<std::size_t> rarest_first;
    for (std::size_t i = 0; i < terms_.size(); ++i) {
      if (corpus.document_frequency[i] > 0) {
        rarest_first.push_back(i);
      }
    }
    std::stable_sort(rarest_first.begin(), rarest_first.end(), [&](std::size_t a, std::size_t b) {
      return corpus.document_frequency[a] < corpus.document_frequency[b];
    });
    std::vector<std::string> held;
    std::vector<double> weights;
    std::uint64_t postings = 0;
    for (const std::size_t i : rarest_first) {
      postings += corpus.document_frequency[i];
      if (!held.empty() && postings > kPostingsMax) {
        break;
      }
      const auto holding = static_cast<double>(corpus.document_frequency[i]);
      const auto documents = static_cast<double>(corpus.documents);
      held.push_back(terms_[i]);
      weights.push_back(std::log(1 + (documents - holding + 0.5) / (holding + 0.5)));
    }
    std::vector<Scored> best;
    if (held.empty() || limit == 0) {
      return best;
    }
    const double mean = std::max(corpus.length_mean, 1.0);
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection_.Query(kSelectBest, search_.extent.user_key, held, weights,
                                                role, kSaturation + 1, kSaturation * (1 - kLength),
                                                kSaturation * kLength / mean, horizon_, limit));
    for (const PostgresRow row : rows) {
      best.push_back({row.Int(0), row.Real(1)});
    }
    return best;
  }

  Status Match(EpisodesFound& found) {
    const std::size_t limit = query_.candidates_max;
    UMBRANET_ASSIGN_OR_RETURN(
        std::vector<Scored> best,
        Best(found.assistant_statistics, Role::kAssistant, limit / kAssistantShare));
    UMBRANET_ASSIGN_OR_RETURN(const std::vector<Scored> users,
                              Best(found.statistics, Role::kUser, limit - best.size()));
    best.insert(best.end(), users.begin(), users.end());
    Take(std::move(best));
    return {};
  }

  Status Compare() {
    if (!query_.embedding.has_value() || !search_.space_key.has_value()) {
      return {};
    }
    const std::uint64_t documents = search_.extent.documents[0] + search_.extent.documents[1];
    const VectorSearch search{.user_key = search_.extent.user_key,
                              .space_key = *search_.space_key,
                              .question = *query_.embedding,
                              .horizon = horizon_,
                              .use_index = documents > search_.compared_documents_max};
    std::vector<Scored> best;
    const auto find = [&](Role role, std::size_t limit) -> Status {
      UMBRANET_ASSIGN_OR_RETURN(const std::vector<NearEpisode> nearest,
                                FindNearest(connection_, search_.support, search, role, limit));
      for (const NearEpisode& near : nearest) {
        best.push_back({near.episode_key, near.similarity});
      }
      return {};
    };
    UMBRANET_RETURN_IF_ERROR(find(Role::kAssistant, query_.similar_max / kAssistantShare));
    UMBRANET_RETURN_IF_ERROR(find(Role::kUser, query_.similar_max - best.size()));
    Take(std::move(best));
    return {};
  }

  // They become matches, and the best of them bring their neighbours.
  void Take(std::vector<Scored> best) {
    std::sort(best.begin(), best.end(), [](const Scored& a, const Scored& b) {
      return a.score != b.score ? a.score > b.score : a.episode_key < b.episode_key;
    });
    for (std::size_t i = 0; i < best.size(); ++i) {
      matched_.insert(best[i].episode_key);
      if (i < EpisodicMemory::kNeighboursMin) {
        accompanied_.insert(best[i].episode_key);
      }
    }
  }

  Status AddNeighbours() {
    wanted_ = matched_;
    if (accompanied_.empty()) {
      return {};
    }
    const std::vector<std::int64_t> keys(accompanied_.begin(), accompanied_.end());
    UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows,
                              connection_.Query(kSelectNeighbours, search_.extent.user_key, keys));
    for (const PostgresRow row : rows) {
      wanted_.insert(row.Int(0));
    }
    return {};
  }

  Status ReadCandidates(std::vector<EpisodeCandidate>& candidates) const {
    if (wanted_.empty()) {
      return {};
    }
    const std::vector<std::int64_t> keys(wanted_.begin(), wanted_.end());
    // No vector is of a space that is not.
    const std::optional<std::int64_t> space_key =
        query_.embedding.has_value() ? search_.space_key : std::nullopt;
    UMBRANET_ASSIGN_OR_RETURN(
        const PostgresRows rows,
        connection_.Query(kSelectCandidates, keys, horizon_, space_key, search_.extent.user_key));
    const TermCounter counter(terms_);
    std::optional<VectorProbe> probe;
    if (query_.embedding.has_value()) {
      probe.emplace(*query_.embedding);
    }
    candidates.reserve(static_cast<std::size_t>(rows.size()));
    for (const PostgresRow row : rows) {
      EpisodeCandidate& candidate = candidates.emplace_back();
      candidate.episode = EpisodeOf(row, query_.user);
      candidate.length = static_cast<std::uint32_t>(row.Int(kEpisodeLengthColumn));
      candidate.term_counts = counter.Count(row.Text(kEpisodeTermsColumn));
      candidate.matched = matched_.contains(row.Int(kEpisodeKeyColumn));
      if (probe.has_value() && !row.IsNull(kEpisodeColumns)) {
        const std::optional<QuantizedVector> vector = UnpackVector(row.Text(kEpisodeColumns));
        if (vector.has_value() && vector->values.size() == probe->dimension()) {
          candidate.similarity = probe->Product(vector->values, vector->scale);
        }
      }
    }
    return {};
  }

  PostgresConnection& connection_;
  const EpisodeSearch& search_;
  const EpisodeQuery& query_;
  const Timestamp horizon_;
  std::vector<std::string> terms_;  // The query's, those that are no text empty.
  std::set<std::int64_t> matched_;
  std::set<std::int64_t> accompanied_;  // Matches whose neighbours come along.
  std::set<std::int64_t> wanted_;
};

}  // namespace

Result<EpisodesFound> SearchEpisodes(PostgresConnection& connection, const EpisodeSearch& search,
                                     const EpisodeQuery& query) {
  return Searching(connection, search, query).Run();
}

}  // namespace umbranet
