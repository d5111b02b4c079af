// Tier 2: what happened, searchable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "umbranet/domain/episode.h"
#include "umbranet/domain/episode_document.h"
#include "umbranet/ports/embedder.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

struct EpisodeQuery {
  UserKey user;
  std::vector<std::string> terms;  // AnalyzeTerms' output (stems), each once. Never raw text.
  // Best by plain BM25, of which at most a third are assistant halves: those are many times longer
  // and would crowd out what the user said. Their neighbours come on top.
  std::size_t candidates_max = 400;
  // Best by meaning, of which at most a third are assistant halves; on top of the above. Only when
  // there is an embedding.
  std::size_t similar_max = 100;
  std::optional<Embedding> embedding = std::nullopt;  // The question's.
  // In place of `embedding`, while it is still being made: a store calls it at most once, when it
  // has found what it can by words and holds nothing that others wait for. It blocks until the
  // embedding is there or is given up (nothing).
  std::function<std::optional<Embedding>()> embedding_to_come = nullptr;
  std::string embedding_space = {};               // Embedder::space() of either.
  std::optional<Timestamp> as_of = std::nullopt;  // Only turns that had occurred by then.
};

// The query with the embedding that was to come, for a store that does not search in two steps.
[[nodiscard]] inline EpisodeQuery WithEmbedding(EpisodeQuery query) {
  if (query.embedding_to_come) {
    query.embedding = std::exchange(query.embedding_to_come, nullptr)();
  }
  return query;
}

struct EpisodeCandidate {
  std::shared_ptr<const Episode> episode;  // Never null; a store may share it with its cache.
  std::vector<std::uint32_t> term_counts;  // Parallel to EpisodeQuery::terms.
  std::uint32_t length = 0;                // Terms in the document.
  // Cosine with the query's embedding, to about 0.01; nothing when either has no vector in that
  // space.
  std::optional<float> similarity = std::nullopt;
  // Where the store has it at hand; lives as long as `episode`.
  const EpisodeReading* reading = nullptr;
  bool matched = false;  // False: it is here as the neighbour of one that matched.
};

struct EpisodesFound {
  std::vector<EpisodeCandidate> candidates;  // In no particular order, each once.
  // Users' and assistants' halves apart: their lengths and vocabularies differ too much to share a
  // mean or a term's weight.
  CorpusStatistics statistics;
  CorpusStatistics assistant_statistics;
};

// An episode that has no vector in a space.
struct UnembeddedEpisode {
  std::string memory_id;
  std::string text;  // What is to be embedded: EmbeddedText.
};

struct UnembeddedPage {
  std::vector<UnembeddedEpisode> episodes;
  std::string next_cursor;  // Empty at the end.
};

struct EpisodeVector {
  std::string memory_id;
  Embedding embedding;
};

class EpisodicMemory : public MemoryTier {
 public:
  static constexpr std::size_t kNeighboursMin = 80;

  // Episodes with any of the terms and, when the query has an embedding, those that mean something
  // similar. With the best kNeighboursMin of either come at least the other half of their turns and
  // the episodes of the one turn before and the two after each within its session: an answer stands
  // behind what it answers, but what only just matched is no better for its neighbours. What a
  // document consists of: the terms of its text (AnalyzeTerms), of its speaker's name (AnalyzeName)
  // and of its date (DateTerms). Similarity is exact: every vector of the user in the query's space
  // is looked at, and none of another space. (A store may find the nearest of a user with tens of
  // thousands of vectors by an index that can miss one; it says from which size on.) A tier finds;
  // ranking judges.
  virtual Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) = 0;

  // Up to `limit` episodes, of all users, without a vector in `space`, behind `cursor` ("" for the
  // first page). A page may be shorter than `limit` and still not be the last.
  virtual Result<UnembeddedPage> Unembedded(std::string_view space, std::string_view cursor,
                                            std::size_t limit, Deadline deadline) = 0;

  // Keeps the vectors, each in place of one that its episode had, of whatever space. Those of
  // episodes that are gone are passed over.
  virtual Status SaveVectors(std::string_view space, std::span<const EpisodeVector> vectors,
                             Deadline deadline) = 0;

  // Of the user's episodes, in whatever space.
  virtual Result<std::uint64_t> CountVectors(const UserKey& user, Deadline deadline) = 0;
};

}  // namespace umbranet
