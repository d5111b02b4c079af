// Carries a grown installation over to another one, user by user, and says whether the two are the
// same afterwards. Works on ports alone; one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/ports/data_move.h"
#include "umbranet/ports/short_term_memory.h"

namespace umbranet {

struct MoveCounts {
  std::uint64_t turns = 0;
  std::uint64_t episodes = 0;
  std::uint64_t facts = 0;
  std::uint64_t rules = 0;
  std::uint64_t vectors = 0;
  std::uint64_t jobs = 0;  // That the ledger still has: dead letters and unfinished ones too.
  // SHA-256 over what MemoryManager::Export gives, the merges of names, the rules in force and the
  // summaries, in an order of its own; hexadecimal.
  std::string checksum;

  bool operator==(const MoveCounts&) const = default;
};

struct MovedUserReport {
  UserKey user;
  MoveCounts source;
  MoveCounts target;
  // Tables whose numbers of rows differ.
  std::vector<std::string> uneven;

  [[nodiscard]] bool Same() const { return source == target && uneven.empty(); }
};

struct MoveReport {
  MoveTarget::Progress began_at = MoveTarget::Progress::kNew;
  std::vector<MovedUserReport> users;

  [[nodiscard]] std::uint64_t Different() const;
};

// How the state of a job is told by Export, made the same for both sides: a lease ends with the
// move. Of a line that is no such, the line.
std::string CanonicalExportLine(std::string_view line);

// A side of the move as its users see it.
struct MoveView {
  MemoryManager& memory;
  SemanticMemory& semantic;
  ProceduralMemory& procedural;
  ShortTermMemory& short_term;
};

struct DataMove {
  MoveSource& source;
  MoveTarget& target;
  KnowledgeTarget& knowledge;
  ShortTermMemory& short_term;  // The target's: gets the summaries.
  MoveView from;
  MoveView to;
  const Clock& clock;
  std::size_t page = 1000;  // Rows of a transaction.
  // Before each page of rows, and before each user is compared: "moved" or "compared", how many
  // users are, out of how many. False ends the move where it is; it can be gone on with.
  std::function<bool(std::string_view what, std::size_t done, std::size_t all)> progress;
};

// Moves what is not there yet, then compares. An error says what to do; running it again goes on.
// Users that differ are no error but in the report.
Result<MoveReport> RunDataMove(const DataMove& move);

}  // namespace umbranet
