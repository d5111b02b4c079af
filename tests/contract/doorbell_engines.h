// The doorbells that the suites of doorbell and reflection queue run over. A further one is one
// more entry of DoorbellEngines().
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "umbranet/ports/doorbell.h"

namespace umbranet {

struct DoorbellEngine {
  std::string name;
  std::function<std::unique_ptr<Doorbell>()> make;
  // Why it cannot be had on this machine, in which case its tests are skipped; empty: it can.
  std::function<std::string()> missing = [] { return std::string(); };
};

// For the name of a test instance.
void PrintTo(const DoorbellEngine& engine, std::ostream* out);

// Those of the program that the suites are linked into: the embedded ones, or those on servers.
std::vector<DoorbellEngine> DoorbellEngines();

}  // namespace umbranet
