// Goal: whatever breaks, every accepted turn is applied exactly once in each tier, in its user's
// order, from one plan; and the judge that says so would notice if it were not so.
// Method: the product's own queue, reflector, spool and memory manager are driven step by step, in
// an order, on a clock and with faults that a seed decides (simulation.h). A failed seed is
// replayed by SIMULATION_SEED=<n>; SIMULATION_SEEDS=<n> says how many are tried,
// SIMULATION_FIRST=<n> from where on. Then each guard is left out, and some seed must find that
// something is wrong.
#include "tests/simulation/simulation.h"

#include <iostream>
#include <map>
#include <ostream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/simulation/environment.h"

namespace umbranet {
namespace {

void Print(const SimulationOptions& options, const SimulationReport& report, std::ostream& out) {
  out << "seed " << options.seed << " of " << InstallationName(options.installation)
      << ": replay by"
      << " SIMULATION_SEED=" << options.seed << " simulation_tests --gtest_filter='*/"
      << InstallationName(options.installation) << "'";
  for (const std::string& violation : report.violations) {
    out << "\n  " << violation;
  }
}

class Simulations : public testing::TestWithParam<Installation> {};

INSTANTIATE_TEST_SUITE_P(Of, Simulations,
                         testing::Values(Installation::kServersOfTwins,
                                         Installation::kServersOfSqlite, Installation::kEmbedded),
                         [](const auto& of) { return std::string(InstallationName(of.param)); });

TEST_P(Simulations, LoseNothingAndApplyNothingTwice) {
  const std::uint64_t by_default = GetParam() == Installation::kServersOfTwins ? 200 : 50;
  const std::uint64_t only = NumberFromEnvironment("SIMULATION_SEED", 0);
  const std::uint64_t first = only == 0 ? NumberFromEnvironment("SIMULATION_FIRST", 1) : only;
  const std::uint64_t count = only == 0 ? NumberFromEnvironment("SIMULATION_SEEDS", by_default) : 1;
  History::Sums sums;
  std::map<std::string, std::uint64_t> faults;
  std::uint64_t steps = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const SimulationOptions options{
        .seed = seed, .installation = GetParam(), .trace = only == 0 ? nullptr : &std::cout};
    const SimulationReport report = Simulate(options);
    if (!report.violations.empty()) {
      std::ostringstream text;
      Print(options, report, text);
      ADD_FAILURE() << text.str();
    }
    sums.accepted += report.sums.accepted;
    sums.applied += report.sums.applied;
    sums.forgotten += report.sums.forgotten;
    sums.dead += report.sums.dead;
    sums.unlucky += report.sums.unlucky;
    sums.leases += report.sums.leases;
    sums.leases_lost += report.sums.leases_lost;
    steps += report.steps;
    for (const auto& [name, times] : report.faults) {
      faults[name] += times;
    }
  }
  std::cout << count << " histories, " << steps << " steps, " << sums.accepted
            << " turns accepted, " << sums.applied << " applied, " << sums.forgotten
            << " users forgotten, " << sums.leases << " leases, " << sums.leases_lost << " lost, "
            << sums.dead << " dead letters, " << sums.unlucky << " of them by chance\n";
  for (const auto& [name, times] : faults) {
    std::cout << "  " << name << ": " << times << "\n";
  }
}

TEST_P(Simulations, ReplayASeedExactly) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const SimulationOptions options{.seed = seed, .installation = GetParam()};
    const SimulationReport once = Simulate(options);
    const SimulationReport again = Simulate(options);
    EXPECT_EQ(once.digest, again.digest) << "seed " << seed;
    EXPECT_EQ(once.steps, again.steps) << "seed " << seed;
  }
}

struct GuardOff {
  std::string name;
  Guards guards;
};

void PrintTo(const GuardOff& off, std::ostream* out) {
  *out << off.name;
}

GuardOff Broken(const std::string& name, BrokenPromise promise) {
  GuardOff off{.name = name, .guards = {}};
  off.guards.broken.insert(promise);
  return off;
}

GuardOff Without(const std::string& name, bool Guards::* guard) {
  GuardOff off{.name = name, .guards = {}};
  off.guards.*guard = false;
  return off;
}

class SimulationWithout : public testing::TestWithParam<GuardOff> {};

INSTANTIATE_TEST_SUITE_P(
    Guards, SimulationWithout,
    testing::Values(Broken("TheFenceOfTheLedger", BrokenPromise::kFence),
                    Broken("OneLeaseAUser", BrokenPromise::kOneLeaseAUser),
                    Broken("TheHoldAfterACrash", BrokenPromise::kCrashHold),
                    Broken("TryingFailuresAlone", BrokenPromise::kFailuresAlone),
                    Broken("TheSavedPlan", BrokenPromise::kSavedPlan),
                    Broken("TheTombstone", BrokenPromise::kTombstone),
                    Broken("OneTurnAnId", BrokenPromise::kOneTurnAnId),
                    Without("TheMarkersOfTheTiers", &Guards::tier_markers),
                    Without("TheFenceOfTheTiers", &Guards::tier_fence),
                    Without("TheCapOfALease", &Guards::lease_cap),
                    Without("TheSweeper", &Guards::sweeper),
                    Without("LooksWithoutARing", &Guards::look_without_ring),
                    Without("TheOrderOfTheSpool", &Guards::spool_keeps_order),
                    Without("StoringBeforeAnswering", &Guards::durable_before_answer),
                    Without("ClocksThatStay", &Guards::clocks_stay)),
    [](const auto& off) { return off.param.name; });

TEST_P(SimulationWithout, IsFoundOut) {
  constexpr std::uint64_t kSeedsMax = 2'000;
  std::uint64_t seed = 1;
  SimulationReport report;
  for (; seed <= kSeedsMax && report.violations.empty(); ++seed) {
    report = Simulate({.seed = seed, .guards = GetParam().guards});
  }
  ASSERT_FALSE(report.violations.empty()) << kSeedsMax << " seeds noticed nothing";
  std::cout << "found by seed " << seed - 1 << ": " << report.violations.front() << "\n";
}

}  // namespace
}  // namespace umbranet
