// Tier 2: what happened, searchable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/domain/episode.h"
#include "umbranet/ports/memory_tier.h"

namespace umbranet {

struct EpisodeQuery {
  UserKey user;
  std::vector<std::string> terms;    // AnalyzeTerms' output (stems), each once. Never raw text.
  std::size_t candidates_max = 400;  // Best by plain BM25; their neighbours come on top.
  std::optional<Timestamp> as_of;    // Only turns that had occurred by then.
};

struct EpisodeCandidate {
  Episode episode;
  std::vector<std::uint32_t> term_counts;  // Parallel to EpisodeQuery::terms.
  std::uint32_t length = 0;                // Terms in the document.
  bool matched = false;  // False: it is here as the neighbour of one that matched.
};

struct EpisodesFound {
  std::vector<EpisodeCandidate> candidates;  // In no particular order, each once.
  CorpusStatistics statistics;
};

class EpisodicMemory : public MemoryTier {
 public:
  // Episodes with any of the terms, and the episodes of the turns just before and after each within
  // its session. What a document consists of: the terms of its text, its speaker's name, and the
  // words of its date (month name, year, weekday), all as AnalyzeTerms gives them. A tier finds;
  // ranking judges.
  virtual Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) = 0;
};

}  // namespace umbranet
