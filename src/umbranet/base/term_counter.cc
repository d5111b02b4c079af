#include "umbranet/base/term_counter.h"

#include <algorithm>
#include <cstddef>

namespace umbranet {

TermCounter::TermCounter(std::span<const std::string> terms)
    : terms_(terms), buckets_(std::size_t{256} * 8) {
  for (std::size_t i = 0; i < terms.size(); ++i) {
    if (!terms[i].empty()) {
      const auto first = static_cast<unsigned char>(terms[i].front());
      buckets_[first * std::size_t{8} + terms[i].size() % 8].push_back(
          static_cast<std::uint32_t>(i));
    }
  }
}

std::vector<std::uint32_t> TermCounter::Count(std::string_view document) const {
  std::vector<std::uint32_t> counts(terms_.size());
  while (!document.empty()) {
    const std::size_t end = std::min(document.find(' '), document.size());
    if (end > 0) {
      const auto first = static_cast<unsigned char>(document.front());
      for (const std::uint32_t index : buckets_[first * std::size_t{8} + end % 8]) {
        if (document.substr(0, end) == terms_[index]) {
          ++counts[index];
        }
      }
    }
    document.remove_prefix(std::min(end + 1, document.size()));
  }
  return counts;
}

}  // namespace umbranet
