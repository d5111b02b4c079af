#include "tests/simulation/simulation.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "tests/simulation/simulated_process.h"

namespace umbranet {
namespace {

constexpr std::size_t kReflectors = 2;
constexpr std::size_t kWorkers = 2;
constexpr std::size_t kUsers = 3;
constexpr std::int64_t kTurnsMost = 8;
constexpr int kPoisonPerMille = 40;           // Of the turns.
constexpr std::int64_t kFaultySteps = 2'500;  // At most; at least half of it.
constexpr int kFaultPerMille = 40;            // Of one request.
constexpr int kEventPerMille = 12;            // Of something that befalls a process or a server.
// Whatever was still to be done is done by then, unless it is stuck.
constexpr Millis kQuietMax = std::chrono::minutes{45};
constexpr std::uint64_t kStepsMax = 200'000;
constexpr std::uint64_t kStepsBetweenLooks = 32;
// Leases that a job may lose to accidents: it is dead after five.
constexpr std::size_t kLeasesLostMax = 2;
constexpr std::int64_t kAwayMsMax = 30'000;
constexpr std::int64_t kPauseMsMax = 60'000;
constexpr std::int64_t kDeadMsMax = 8'000;
constexpr std::int64_t kJumpMsMax = 40'000;

Metrics& SharedMetrics() {
  // Nobody reads them; they take longer to make than a history.
  static Metrics metrics({"0", "0"});
  return metrics;
}

class Simulation {
 public:
  explicit Simulation(const SimulationOptions& options);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  SimulationReport Run();

 private:
  struct Process {
    StepScheduler::Group group = StepScheduler::kNetwork;
    std::size_t number = 0;
    bool takes_turns = false;
    bool reflects = false;
    std::string name;
    std::unique_ptr<ApiProcess> api;
    std::unique_ptr<ReflectorProcess> reflector;
    std::optional<SteadyTime> starts_at;  // While it is dead.
  };

  [[nodiscard]] bool Embedded() const { return options_.installation == Installation::kEmbedded; }

  void WriteScripts();
  void AddProcess(bool takes_turns, bool reflects);
  void Start(Process& process);
  void Kill(Process& process);
  void StartThoseDue();
  void KillThoseThatDied();
  void Befall();
  void BefallAServer();
  void SetClock();
  void Heal();
  bool IsOver();

  const SimulationOptions options_;
  SeededRandom random_;
  ManualClock clock_;
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  History history_;
  StepScheduler scheduler_{clock_, random_};
  SimulatedNetwork network_{clock_, scheduler_, random_, history_};
  std::unique_ptr<SimulatedDatabase> database_;
  SimulatedServer database_server_{.name = "the database"};
  SimulatedServer graph_server_{.name = "the graph"};
  SimulatedServer model_{.name = "the model"};
  SharedBell bell_;
  SharedWorld world_;
  TierStore episodic_{Tier::kEpisodic, database_server_};
  TierStore semantic_{Tier::kSemantic, graph_server_};
  TierStore procedural_{Tier::kProcedural, database_server_};
  std::vector<UserScript> users_;
  bool forgets_ = false;  // Whether any user asks for it.
  std::uint64_t plans_made_ = 0;
  ProcessParts parts_;
  std::vector<std::unique_ptr<Process>> processes_;
};

Simulation::Simulation(const SimulationOptions& options)
    : options_(options),
      random_(options.seed),
      database_(options.installation == Installation::kServersOfTwins
                    ? MakeTwinDatabase(clock_, options.guards.broken)
                    : MakeSqliteDatabase(clock_)),
      world_{network_, *database_, history_, options_.guards, database_server_},
      parts_{clock_,      scheduler_, random_, world_,      bell_,           episodic_, semantic_,
             procedural_, model_,     users_,  plans_made_, SharedMetrics(), log_} {
  database_server_.at_home = Embedded();
  graph_server_.at_home = Embedded();
  history_.TraceTo(options.trace);
  WriteScripts();
  if (Embedded()) {
    AddProcess(/*takes_turns=*/true, /*reflects=*/true);
    return;
  }
  for (std::size_t i = 0; i < 2; ++i) {
    AddProcess(/*takes_turns=*/true, /*reflects=*/false);
  }
  for (std::size_t i = 0; i < kReflectors; ++i) {
    AddProcess(/*takes_turns=*/false, /*reflects=*/true);
  }
}

Simulation::~Simulation() {
  scheduler_.Kill(StepScheduler::kNetwork);
  for (const auto& process : processes_) {
    scheduler_.Kill(process->group);
    process->api.reset();
    process->reflector.reset();
  }
}

void Simulation::WriteScripts() {
  for (std::size_t i = 0; i < kUsers; ++i) {
    UserScript script;
    script.user = {std::string(kDefaultTenant), "user" + std::to_string(i)};
    script.turns = random_.Between(1, kTurnsMost);
    script.home = Embedded() ? 0 : i % 2;
    if (random_.Chance(250)) {
      forgets_ = true;
      script.forget_after = random_.Between(1, script.turns);
    }
    for (std::int64_t number = 1; number <= script.turns; ++number) {
      const bool poisoned = random_.Chance(kPoisonPerMille);
      const auto poison = static_cast<Poison>(random_.Between(1, 3));
      script.poison.push_back(poisoned ? poison : Poison::kNone);
      if (poisoned) {
        history_.Poisoned(MakeJobId(script.user, History::TurnId(script.user, number)));
      }
    }
    users_.push_back(std::move(script));
  }
}

void Simulation::AddProcess(bool takes_turns, bool reflects) {
  auto process = std::make_unique<Process>();
  process->group = scheduler_.NewGroup();
  process->number = processes_.size();
  process->takes_turns = takes_turns;
  process->reflects = reflects;
  process->name = "process" + std::to_string(process->number);
  Start(*process);
  processes_.push_back(std::move(process));
}

void Simulation::Start(Process& process) {
  process.starts_at.reset();
  history_.Note("start " + process.name);
  if (process.takes_turns) {
    TurnSpool* const spool = Embedded() ? nullptr : &database_->OpenSpool(process.number);
    process.api = std::make_unique<ApiProcess>(parts_, process.group, process.number, spool);
  }
  if (process.reflects) {
    process.reflector =
        std::make_unique<ReflectorProcess>(parts_, process.group, process.name, kWorkers);
  }
}

void Simulation::Kill(Process& process) {
  history_.Note("kill " + process.name);
  scheduler_.Kill(process.group);
  process.api.reset();
  process.reflector.reset();
  process.starts_at = clock_.SteadyNow() + Millis{random_.Below(kDeadMsMax)};
  if (Embedded()) {
    database_->Reopen();
    history_.EndedAll();
  }
}

void Simulation::StartThoseDue() {
  for (const auto& process : processes_) {
    if (process->starts_at && *process->starts_at <= clock_.SteadyNow()) {
      Start(*process);
    }
  }
}

void Simulation::KillThoseThatDied() {
  for (const StepScheduler::Group group : scheduler_.TakeDead()) {
    for (const auto& process : processes_) {
      if (process->group == group) {
        Kill(*process);
      }
    }
  }
}

void Simulation::BefallAServer() {
  SimulatedServer& server = random_.Chance(500)   ? database_server_
                            : random_.Chance(500) ? graph_server_
                                                  : model_;
  if (!server.at_home) {
    network_.Count("server away");
    server.away_until = clock_.SteadyNow() + Millis{random_.Below(kAwayMsMax)};
    server.answers_nothing = random_.Chance(500);
  }
}

void Simulation::SetClock() {
  const Millis by{random_.Between(-kJumpMsMax, kJumpMsMax)};
  if (by < Millis{0} && forgets_ && options_.guards.clocks_stay) {
    return;
  }
  // To those who hold leases a clock that jumps ahead is a long pause.
  if (by < Millis{0} || history_.MayLoseLeases("", kLeasesLostMax)) {
    network_.Count(by < Millis{0} ? "clock set back" : "clock set ahead");
    clock_.SetWall(clock_.Now() + by);
  }
}

void Simulation::Befall() {
  Process& process = *processes_[static_cast<std::size_t>(
      random_.Below(static_cast<std::int64_t>(processes_.size())))];
  const std::string_view holder = Embedded() ? std::string_view() : process.name;
  const bool bears = !process.starts_at && history_.MayLoseLeases(holder, kLeasesLostMax);
  switch (random_.Below(8)) {
    case 0:
    case 1:
      if (bears) {
        network_.Count("kill");
        Kill(process);
      }
      break;
    case 2:
    case 3:
      if (bears) {
        network_.Count("pause");
        scheduler_.Pause(process.group, Millis{random_.Below(kPauseMsMax)});
      }
      break;
    case 4:
      SetClock();
      break;
    case 5:
      network_.Count("bell wiped");
      bell_.rings = 0;
      break;
    case 6:
      network_.Count("bell away");
      bell_.rings = 0;
      bell_.away_until = clock_.SteadyNow() + Millis{random_.Below(kAwayMsMax)};
      break;
    default:
      BefallAServer();
      break;
  }
}

void Simulation::Heal() {
  history_.Note("heal");
  network_.Heal();
  for (SimulatedServer* server : {&database_server_, &graph_server_, &model_}) {
    server->away_until = {};
  }
  bell_.away_until = {};
}

bool Simulation::IsOver() {
  const bool said = std::all_of(users_.begin(), users_.end(), [](const UserScript& script) {
    return script.answered == script.turns && script.forget_after < 0;
  });
  if (!said) {
    return false;
  }
  for (const auto& process : processes_) {
    if (process->takes_turns && !Embedded()) {
      if (process->starts_at || process->api->Spooled() > 0) {
        return false;
      }
    }
  }
  const auto stats = database_->ledger().Stats(Deadline::Never());
  return stats->ready_high + stats->ready_normal + stats->ready_low + stats->leased +
             stats->retry_wait ==
         0;
}

SimulationReport Simulation::Run() {
  const auto faulty_steps =
      static_cast<std::uint64_t>(random_.Between(kFaultySteps / 2, kFaultySteps));
  network_.SetFaults(kFaultPerMille);
  std::optional<SteadyTime> last;
  bool over = false;
  while (!over && scheduler_.steps() < kStepsMax && (!last || clock_.SteadyNow() < *last)) {
    if (!scheduler_.RunOne()) {
      // Everybody is dead.
      clock_.Advance(Millis{100});
    }
    KillThoseThatDied();
    StartThoseDue();
    if (!last && scheduler_.steps() >= faulty_steps) {
      Heal();
      last = clock_.SteadyNow() + kQuietMax;
    } else if (!last && random_.Chance(kEventPerMille)) {
      Befall();
    }
    over = last && scheduler_.steps() % kStepsBetweenLooks == 0 && IsOver();
  }
  if (!over) {
    history_.Violated("something is stuck");
  }
  // Requests that are still on their way arrive, too.
  history_.Judge(database_->ledger());
  return {.violations = history_.violations(),
          .digest = history_.digest(),
          .steps = scheduler_.steps(),
          .sums = history_.sums(),
          .faults = network_.counts()};
}

}  // namespace

std::string_view InstallationName(Installation installation) {
  switch (installation) {
    case Installation::kServersOfTwins:
      return "ServersOfTwins";
    case Installation::kServersOfSqlite:
      return "ServersOfSqlite";
    case Installation::kEmbedded:
      return "Embedded";
  }
  return "";
}

SimulationReport Simulate(const SimulationOptions& options) {
  return Simulation(options).Run();
}

}  // namespace umbranet
