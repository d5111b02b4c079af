// Finds facts of one user by terms. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "umbranet/domain/user_knowledge.h"

namespace umbranet {

using KnownFacts = std::vector<std::shared_ptr<const KnownFact>>;

// How often each term is in each fact.
struct FactTermCounts {
  std::vector<std::vector<std::uint32_t>> of_fact;  // Parallel to the facts; then to the terms.
  std::vector<std::uint64_t> document_frequency;    // Parallel to the terms.
  double length_mean = 0;
};

// `terms` holds each term once.
FactTermCounts CountFactTerms(std::span<const std::shared_ptr<const KnownFact>> facts,
                              std::span<const std::string> terms);

// The indices of the `candidates_max` facts whose terms weigh most by how rare they are among
// `documents` documents, and of whatever superseded one of them. `counts` is that of `facts`.
std::vector<std::size_t> ChooseFacts(std::span<const std::shared_ptr<const KnownFact>> facts,
                                     const FactTermCounts& counts,
                                     std::span<const std::uint64_t> document_frequency,
                                     std::size_t documents, std::size_t candidates_max);

}  // namespace umbranet
