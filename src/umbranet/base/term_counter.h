// Counts the terms of a question in documents. Immutable; may be used from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace umbranet {

// How often each term of `terms` is in `document`, both as JoinTerms and the query have them.
// Parallel to `terms`, which holds each term once.
class TermCounter {
 public:
  explicit TermCounter(std::span<const std::string> terms);

  [[nodiscard]] std::vector<std::uint32_t> Count(std::string_view document) const;

 private:
  const std::span<const std::string> terms_;
  // By the first byte and the length modulo 8, which tells most words apart without comparing them.
  std::vector<std::vector<std::uint32_t>> buckets_;
};

}  // namespace umbranet
