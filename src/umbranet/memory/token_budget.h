// Fills a prompt piece by piece without going over its budget. One thread at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace umbranet {

class TokenBudget {
 public:
  explicit TokenBudget(std::size_t tokens) : left_(tokens) {}

  // True, and the piece is paid for; false, and nothing changes.
  [[nodiscard]] bool Take(std::string_view piece);

  [[nodiscard]] bool Fits(std::string_view piece) const;

  [[nodiscard]] std::size_t Left() const { return left_; }

 private:
  std::size_t left_;
};

}  // namespace umbranet
