// Randomness that a seed decides, the same on every machine. For one thread at a time.
#pragma once

#include <cstdint>

namespace umbranet {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  // splitmix64.
  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
    return mixed ^ (mixed >> 31U);
  }

  // 0 to bound - 1. The bias of the remainder is of no account here.
  std::int64_t Below(std::int64_t bound) {
    return static_cast<std::int64_t>(Next() % static_cast<std::uint64_t>(bound));
  }

  std::int64_t Between(std::int64_t least, std::int64_t most) {
    return least + Below(most - least + 1);
  }

  // True in `per_mille` of a thousand cases.
  bool Chance(int per_mille) { return Below(1000) < per_mille; }

 private:
  std::uint64_t state_;
};

}  // namespace umbranet
