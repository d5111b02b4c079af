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
  std::vector<std::string> terms;  // AnalyzeTerms' output (stems), each once. Never raw text.
  // Best by plain BM25, of which at most a third are assistant halves: those are many times longer
  // and would crowd out what the user said. Their neighbours come on top.
  std::size_t candidates_max = 400;
  std::optional<Timestamp> as_of;  // Only turns that had occurred by then.
};

struct EpisodeCandidate {
  Episode episode;
  std::vector<std::uint32_t> term_counts;  // Parallel to EpisodeQuery::terms.
  std::uint32_t length = 0;                // Terms in the document.
  bool matched = false;  // False: it is here as the neighbour of one that matched.
};

struct EpisodesFound {
  std::vector<EpisodeCandidate> candidates;  // In no particular order, each once.
  // Users' and assistants' halves apart: their lengths and vocabularies differ too much to share a
  // mean or a term's weight.
  CorpusStatistics statistics;
  CorpusStatistics assistant_statistics;
};

class EpisodicMemory : public MemoryTier {
 public:
  // Episodes with any of the terms, the other half of their turns, and the episodes of the one
  // turn before and the two after each within its session: an answer stands behind what it answers.
  // What a document consists of: the terms of its text (AnalyzeTerms), of its speaker's name
  // (AnalyzeName) and of its date (DateTerms). A tier finds; ranking judges.
  virtual Result<EpisodesFound> Find(const EpisodeQuery& query, Deadline deadline) = 0;
};

}  // namespace umbranet
