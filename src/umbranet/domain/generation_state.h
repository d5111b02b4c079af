// What a generation of a user's memory is to him; see ports/memory_generations.h.
#pragma once

#include <cstdint>

namespace umbranet {

// As stored. A user's own key without a row of memory_generation is in force.
enum class GenerationState : std::uint8_t { kShadow = 0, kInForce = 1, kFormer = 2, kGone = 3 };

}  // namespace umbranet
