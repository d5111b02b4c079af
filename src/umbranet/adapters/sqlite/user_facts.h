// All facts of one user in memory, and the search among them. Immutable: readers share it while a
// newer one takes its place. May be used from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "umbranet/domain/fact.h"
#include "umbranet/domain/memory_place.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

struct StoredFact {
  std::int64_t head = 0;
  std::optional<std::int64_t> superseded_by;  // Head of the successor.
  Fact fact;
  MemoryPlace place;
  std::string terms;
  std::uint32_t length = 0;
};

class UserFacts {
 public:
  using FactRef = std::shared_ptr<const StoredFact>;

  // In any order.
  explicit UserFacts(std::vector<FactRef> facts);

  // The same facts but for those of `heads`, in whose place `read` stands: what they have become,
  // without those that are gone.
  [[nodiscard]] UserFacts With(std::span<const std::int64_t> heads,
                               std::vector<FactRef> read) const;

  [[nodiscard]] std::size_t size() const { return facts_.size(); }

  // The best facts with any of the terms by BM25, at most `candidates_max`, and the successors of
  // those of them that are superseded. `terms` holds each term once.
  [[nodiscard]] FactsFound Find(std::span<const std::string> terms,
                                std::size_t candidates_max) const;

 private:
  // Null when there is none.
  [[nodiscard]] const FactRef* FindHead(std::int64_t head) const;

  std::vector<FactRef> facts_;  // By head.
  std::uint64_t length_ = 0;    // Terms of all of them.
};

}  // namespace umbranet
