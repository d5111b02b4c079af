#include <cstdio>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/composition.h"
#include "umbranet/app/composition_move.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/stop_signal.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

// A user id may be anything, so it is shown as a JSON text.
std::string Shown(const UserKey& user) {
  return Printable(json::serialize(json::string(user.user_id)) +
                   (user.tenant == kDefaultTenant
                        ? ""
                        : " of tenant " + json::serialize(json::string(user.tenant))));
}

json::object JsonOfCounts(const MoveCounts& counts) {
  return {{"turns", counts.turns},      {"episodes", counts.episodes}, {"facts", counts.facts},
          {"rules", counts.rules},      {"vectors", counts.vectors},   {"jobs", counts.jobs},
          {"checksum", counts.checksum}};
}

std::string TextOfCounts(const MoveCounts& counts) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%llu turns, %llu episodes, %llu facts, %llu rules, %llu vectors, %llu jobs, ",
                static_cast<unsigned long long>(counts.turns),
                static_cast<unsigned long long>(counts.episodes),
                static_cast<unsigned long long>(counts.facts),
                static_cast<unsigned long long>(counts.rules),
                static_cast<unsigned long long>(counts.vectors),
                static_cast<unsigned long long>(counts.jobs));
  return text + counts.checksum.substr(0, 16);
}

void PrintReportAsJson(const MoveReport& report) {
  json::array users;
  for (const MovedUserReport& user : report.users) {
    json::array uneven;
    for (const std::string& table : user.uneven) {
      uneven.emplace_back(table);
    }
    users.push_back(json::object{{"tenant", user.user.tenant},
                                 {"user_id", user.user.user_id},
                                 {"same", user.Same()},
                                 {"source", JsonOfCounts(user.source)},
                                 {"target", JsonOfCounts(user.target)},
                                 {"uneven_tables", std::move(uneven)}});
  }
  PrintJson({{"users", std::move(users)}, {"different", report.Different()}});
}

void PrintReport(const MoveReport& report) {
  for (const MovedUserReport& user : report.users) {
    if (user.Same()) {
      Print(Shown(user.user) + ": the same on both sides: " + TextOfCounts(user.source) + "\n");
      continue;
    }
    std::string uneven;
    for (const std::string& table : user.uneven) {
      uneven += (uneven.empty() ? "; rows differ in number in " : ", ") + table;
    }
    Print(Shown(user.user) + ": DIFFERENT\n  source: " + TextOfCounts(user.source) +
          "\n  target: " + TextOfCounts(user.target) + uneven + "\n");
  }
  Print(std::to_string(report.users.size()) + " users, " + std::to_string(report.Different()) +
        " different\n");
}

}  // namespace

int RunMigrateData(const CommandContext& context, const MigrateDataOptions& options) {
  StopSignal stop_signal;
  Settings settings = context.settings();
  MoveRequest request;
  if (options.from.empty()) {
    request.file = DatabasePath(settings);
  } else {
    auto file = ParseSqliteUrl(options.from);
    if (!file.ok()) {
      return Complain(file.error());
    }
    request.file = std::move(file).value();
  }
  if (!options.to.empty()) {
    if (!options.to.starts_with("postgres://") && !options.to.starts_with("postgresql://")) {
      return Complain(InvalidArgument("migrate-data: --to is postgres://USER:PASSWORD@HOST/NAME"));
    }
    settings.postgres_url = options.to;
  }
  std::size_t told = 0;
  request.progress = [&](std::string_view what, std::size_t done, std::size_t all) {
    if (done != told) {
      told = done;
      std::fprintf(stderr, "umbranet: %zu of %zu users %s\n", done, all, std::string(what).c_str());
    }
    return !stop_signal.Wait(Millis{0});
  };
  const auto report = MoveData(request, settings, context.clock);
  if (!report.ok()) {
    return Complain(report.error());
  }
  if (report->began_at == MoveTarget::Progress::kFinished) {
    std::fprintf(stderr,
                 "umbranet: all of it was moved before; what differs has changed since then\n");
  }
  if (context.json) {
    PrintReportAsJson(*report);
  } else {
    PrintReport(*report);
  }
  return report->Different() == 0 ? kExitOk : kExitFailed;
}

}  // namespace umbranet
