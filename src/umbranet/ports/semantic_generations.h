// Generations of tier 3 where that is kept in a store of its own; see ports/memory_generations.h.
//
// Such a store commits nothing together with whoever says which generation is in force. So it only
// keeps the generations of a user apart, by number, and asks. Number 0 is the first generation of
// every user; the others are given out once and never again.
//
// All methods may be called from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/ports/semantic_memory.h"

namespace umbranet {

// Who says it.
class MemoryKeys {
 public:
  virtual ~MemoryKeys() = default;

  // To be asked only about users who have ever had a second generation, as Shadow is.
  virtual Result<std::int64_t> InForce(const UserKey& user, Deadline deadline) = 0;
  // Nothing: no memory of the user is being worked out.
  virtual Result<std::optional<std::int64_t>> Shadow(const UserKey& user, Deadline deadline) = 0;

  // Raises Freshness::memory_version: something of the user's memory is about to be changed by
  // hand, or has been.
  virtual Status NoteChange(const UserKey& user, Deadline deadline) = 0;
};

class SemanticGenerations {
 public:
  virtual ~SemanticGenerations() = default;

  // As MemoryGenerations::shadow.
  virtual SemanticMemory& shadow() = 0;

  // Makes room for a generation that begins, with what the owner did by hand, and has every process
  // ask from now on which one is in force. To be called before that could be another one.
  virtual Status Prepare(const UserKey& user, std::int64_t generation, Deadline deadline) = 0;

  // What the owner did by hand to the memory in force holds in this generation too. To be called
  // before it comes into force, in case whoever changed something has not come to it.
  virtual Status Align(const UserKey& user, std::int64_t generation, Deadline deadline) = 0;

  // Removes the user's other generations.
  virtual Status Retain(const UserKey& user, std::span<const std::int64_t> generations,
                        Deadline deadline) = 0;
};

}  // namespace umbranet
