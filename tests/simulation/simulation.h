// One history, from the seed to the judgement: users talk, processes work, and for a while what can
// break does: processes are killed and come back, or stand still for longer than a lease; servers
// are away, refuse, are slow, lose answers, get requests when their senders have given up; rings
// are lost, doubled, late, and wiped away; clocks are set. Then everything heals, and in the end
// the books must be right.
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/guards.h"
#include "tests/simulation/history.h"

namespace umbranet {

// What the processes are, and what lies beneath them.
enum class Installation : std::uint8_t {
  kServersOfTwins,   // Two processes for turns and two reflectors on in-memory twins.
  kServersOfSqlite,  // The same on one SQLite ledger, and with spools in SQLite files.
  kEmbedded,         // One process that does all, with its SQLite file.
};

std::string_view InstallationName(Installation installation);

struct SimulationOptions {
  std::uint64_t seed = 0;
  Installation installation = Installation::kServersOfTwins;
  Guards guards = {};
  std::ostream* trace = nullptr;  // Where the history is told; null: nowhere.
};

struct SimulationReport {
  std::vector<std::string> violations;
  std::uint64_t digest = 0;  // Of all that happened, in its order.
  std::uint64_t steps = 0;
  History::Sums sums;
  std::map<std::string, std::uint64_t> faults;
};

SimulationReport Simulate(const SimulationOptions& options);

}  // namespace umbranet
