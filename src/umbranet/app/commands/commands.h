// The commands behind the command line, one function each. They print to standard output, complain
// on standard error, and return an exit code.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "umbranet/app/command_context.h"
#include "umbranet/app/import_formats.h"

namespace umbranet {

// Serves until SIGTERM or SIGINT, then drains.
int RunServe(const CommandContext& context);

struct ReflectOptions {
  bool once = false;  // Until nothing is left to reflect, rather than until stopped.
};

int RunReflect(const CommandContext& context, const ReflectOptions& options);

struct ChatOptions {
  std::string user = "me";
  std::string session = "default";
  std::string message;  // One turn, then end; empty: a conversation on the terminal.
};

int RunChat(const CommandContext& context, const ChatOptions& options);

struct ImportOptions {
  std::vector<std::string> files;  // "-": standard input.
  std::string user;
  ImportFormat format = ImportFormat::kAuto;
  bool dry_run = false;
  bool wait = false;  // Until everything is reflected.
};

int RunImport(const CommandContext& context, const ImportOptions& options);

struct RecallOptions {
  std::string user = "me";
  std::string query;
  std::size_t limit = 10;
  std::vector<std::string> tiers;
  std::string as_of;
};

int RunRecall(const CommandContext& context, const RecallOptions& options);

struct JobsOptions {
  std::string action = "status";  // status, dead, show, retry, discard, acts
  std::string job_id;
  bool all = false;
  std::string user;
  std::string tier;
  std::string error;
  std::string reason;
  std::size_t limit = 50;
};

int RunJobs(const CommandContext& context, const JobsOptions& options);

// Holds accepted turns against what should be there of each; kExitFailed when something is missing.
int RunAudit(const CommandContext& context);

struct SpoolOptions {
  std::string action = "status";  // status, forward
  std::string file;               // forward: this one alone, wherever it lies.
};

// The turns that wait on this machine's disk for PostgreSQL to come back.
int RunSpool(const CommandContext& context, const SpoolOptions& options);

struct ShadowOptions {
  std::string action = "report";  // report, clear
  std::string candidate;          // Empty: the one that is being tried.
};

// What came of trying another path on turns.
int RunShadow(const CommandContext& context, const ShadowOptions& options);

struct ForgetOptions {
  std::string user;
  std::string memory_id;
  bool yes = false;
  bool certificate = false;  // Print it, and nothing else.
  std::string check = {};    // A file with one, or "-": check it, and remove nothing.
};

int RunForget(const CommandContext& context, const ForgetOptions& options);

struct MergesOptions {
  std::string user = "me";
  std::size_t limit = 50;
};

// Which names were made one entity, and which turn said so.
int RunMerges(const CommandContext& context, const MergesOptions& options);

struct UnmergeOptions {
  std::string user = "me";
  std::string name;
  std::string from;  // The other name; empty: from all of them.
};

// Takes a merge back for good.
int RunUnmerge(const CommandContext& context, const UnmergeOptions& options);

struct ConsolidationOptions {
  std::string action = "list";  // list, undo
  std::string memory_id;        // undo: this one.
  bool all = false;             // undo: all of the user's.
  std::string user = "me";
  std::size_t limit = 20;
};

// The episodes that sum up a user's old ones, and taking them back.
int RunConsolidation(const CommandContext& context, const ConsolidationOptions& options);

struct RebuildOptions {
  std::string user = "me";
  bool rules = false;
  std::string model;      // With neither, by what reflects.
  std::size_t turns = 0;  // At most, this time; 0: all.
  bool show = false;      // Go no further, say what would change.
  bool swap = false;
  bool back = false;
  bool discard = false;
  std::size_t limit = 20;  // Items shown of each kind.
};

// Works a user's memory out anew beside the one in force, and puts it in its place when told so.
int RunRebuild(const CommandContext& context, const RebuildOptions& options);

struct ExportOptions {
  std::string user;
  std::string output;  // Empty: standard output.
};

int RunExport(const CommandContext& context, const ExportOptions& options);

int RunMigrate(const CommandContext& context);

struct MigrateDataOptions {
  std::string from;  // sqlite://PATH of the file or of its folder; empty: the data folder.
  std::string to;    // postgres://...; empty: POSTGRES_URL.
};

int RunMigrateData(const CommandContext& context, const MigrateDataOptions& options);

// What is reachable, and what to do about what is not.
int RunDoctor(const CommandContext& context);

struct HealthOptions {
  bool alive = false;  // Whether it lives, whatever it needs; else whether it is ready.
};

// Asks --url, or the server that these settings would make on this machine.
int RunHealth(const CommandContext& context, const HealthOptions& options);

struct ConfigOptions {
  bool reference = false;
};

int RunConfig(const CommandContext& context, const ConfigOptions& options);

int RunVersion(const CommandContext& context);

}  // namespace umbranet
