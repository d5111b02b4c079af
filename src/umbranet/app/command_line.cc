#include "umbranet/app/command_line.h"

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "umbranet/app/command_context.h"
#include "umbranet/app/commands/commands.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/base/crash_point.h"

namespace umbranet {
namespace {

using Run = std::function<int(const CommandContext&)>;

// What was typed. Options are bound to it by reference, so it outlives the parser.
struct CommandLine {
  std::string config_file;
  std::string data;
  std::string listen;
  std::string reflect_listen;
  std::string role;
  std::string key;
  std::string url;
  bool json = false;
  ReflectOptions reflect;
  ChatOptions chat;
  ImportOptions import;
  std::string import_format = "auto";
  RecallOptions recall;
  JobsOptions jobs;
  SpoolOptions spool;
  ShadowOptions shadow;
  ForgetOptions forget;
  MergesOptions merges;
  UnmergeOptions unmerge;
  ConsolidationOptions consolidation;
  RebuildOptions rebuild;
  ExportOptions exporting;
  HealthOptions health;
  MigrateDataOptions migrate_data;
  ConfigOptions config;
  Run run;
};

CLI::App* AddCommand(CLI::App& app, CommandLine& line, const std::string& name,
                     const std::string& help, Run run) {
  CLI::App* command = app.add_subcommand(name, help);
  // Options that stand before or after the command mean the same.
  command->fallthrough();
  command->callback([&line, run = std::move(run)] { line.run = run; });
  return command;
}

void AddServing(CLI::App& app, CommandLine& line) {
  CLI::App* serve = AddCommand(app, line, "serve", "Serve the API until SIGTERM or Ctrl-C",
                               [](const CommandContext& context) { return RunServe(context); });
  serve->add_option("--listen", line.listen, "HOST:PORT to serve on (UMBRANET_LISTEN)");
  serve->add_option("--role", line.role, "all: serve and reflect; api: serve only");

  CLI::App* reflect = AddCommand(
      app, line, "reflect", "Work out what accepted turns teach, without serving",
      [&line](const CommandContext& context) { return RunReflect(context, line.reflect); });
  reflect->add_option("--listen", line.reflect_listen,
                      "HOST:PORT to answer probes and scrapers on (REFLECTOR_LISTEN)");
  reflect->add_flag("--once", line.reflect.once, "End when nothing is left to reflect");
}

void AddTalking(CLI::App& app, CommandLine& line) {
  CLI::App* chat =
      AddCommand(app, line, "chat", "Talk, and see what is recalled",
                 [&line](const CommandContext& context) { return RunChat(context, line.chat); });
  chat->add_option("--user", line.chat.user, "Whose memory")->capture_default_str();
  chat->add_option("--session", line.chat.session, "Which conversation")->capture_default_str();
  chat->add_option("-m,--message", line.chat.message, "Say this one thing and end");

  CLI::App* recall = AddCommand(
      app, line, "recall", "Ask what is remembered",
      [&line](const CommandContext& context) { return RunRecall(context, line.recall); });
  recall->add_option("query", line.recall.query, "What to look for")->required();
  recall->add_option("--user", line.recall.user, "Whose memory")->capture_default_str();
  recall->add_option("--limit", line.recall.limit, "Items at most")->capture_default_str();
  recall->add_option("--tier", line.recall.tiers,
                     "short_term, episodic, semantic or procedural; may be repeated");
  recall->add_option("--as-of", line.recall.as_of, "Answer as of this time (RFC 3339)");
}

void AddMoving(CLI::App& app, CommandLine& line) {
  CLI::App* import = AddCommand(
      app, line, "import", "Take in turns from files; safe to repeat, goes on where it stopped",
      [&line](const CommandContext& context) {
        const auto format = ParseImportFormat(line.import_format);
        if (!format) {
          return static_cast<int>(Complain(
              InvalidArgument("import: --format is one of auto, jsonl, chatgpt, conversation")));
        }
        line.import.format = *format;
        return RunImport(context, line.import);
      });
  import
      ->add_option("files", line.import.files,
                   "JSON lines, a ChatGPT conversations.json, or conversation files; - reads "
                   "standard input")
      ->required();
  import->add_option("--user", line.import.user, "Whose turns they are");
  import->add_option("--format", line.import_format, "auto, jsonl, chatgpt or conversation")
      ->capture_default_str();
  import->add_flag("--dry-run", line.import.dry_run, "Read and count, store nothing");
  import->add_flag("--wait", line.import.wait, "Until everything is reflected");

  CLI::App* migrate_data = AddCommand(
      app, line, "migrate-data",
      "Carry a data folder over to the servers; safe to repeat, goes on where it stopped",
      [&line](const CommandContext& context) {
        return RunMigrateData(context, line.migrate_data);
      });
  migrate_data->add_option("--from", line.migrate_data.from,
                           "sqlite://PATH of the folder or its file; default: the data folder");
  migrate_data->add_option("--to", line.migrate_data.to,
                           "postgres://..., empty of memory; default: POSTGRES_URL. The other "
                           "servers are those of the settings");

  CLI::App* exporting = AddCommand(
      app, line, "export", "Write everything held on a user as NDJSON",
      [&line](const CommandContext& context) { return RunExport(context, line.exporting); });
  exporting->add_option("--user", line.exporting.user, "Whose memory")->required();
  exporting->add_option("-o,--output", line.exporting.output, "File; default: standard output");

  CLI::App* forget = AddCommand(
      app, line, "forget", "Remove a user, or one memory, for good",
      [&line](const CommandContext& context) { return RunForget(context, line.forget); });
  forget->add_option("--user", line.forget.user, "Everything of this user");
  forget->add_option("--memory", line.forget.memory_id, "One memory by its id");
  forget->add_flag("--yes", line.forget.yes, "Do not ask");
  forget
      ->add_flag("--certificate", line.forget.certificate,
                 "Print what was removed where, to be kept; with --user")
      ->needs("--user");
  forget
      ->add_option("--check", line.forget.check,
                   "Check a certificate that --certificate --json printed: FILE, or - to read it")
      ->excludes("--user")
      ->excludes("--memory");
}

void AddCorrecting(CLI::App& app, CommandLine& line) {
  CLI::App* merges = AddCommand(
      app, line, "merges", "List the names that were taken for one person or thing",
      [&line](const CommandContext& context) { return RunMerges(context, line.merges); });
  merges->add_option("--user", line.merges.user, "Whose memory")->capture_default_str();
  merges->add_option("--limit", line.merges.limit, "Merges at most")->capture_default_str();

  CLI::App* unmerge = AddCommand(
      app, line, "unmerge", "Part two names that were taken for one, for good",
      [&line](const CommandContext& context) { return RunUnmerge(context, line.unmerge); });
  unmerge->add_option("name", line.unmerge.name, "A name of the merge")->required();
  unmerge->add_option("--user", line.unmerge.user, "Whose memory")->capture_default_str();
  unmerge->add_option("--from", line.unmerge.from, "The other name; default: from all of them");
}

void AddConsolidation(CLI::App& app, CommandLine& line) {
  CLI::App* consolidation = AddCommand(app, line, "consolidation",
                                       "Show or undo the episodes that sum up a user's old ones",
                                       [&line](const CommandContext& context) {
                                         return RunConsolidation(context, line.consolidation);
                                       });
  consolidation
      ->add_option("action", line.consolidation.action,
                   "list, or undo ID (or --all): what it was made of stays as it is")
      ->check(CLI::IsMember({"list", "undo"}))
      ->capture_default_str();
  CLI::Option* id =
      consolidation->add_option("id", line.consolidation.memory_id, "Consolidated episode");
  consolidation->add_flag("--all", line.consolidation.all, "undo: every one of the user's")
      ->excludes(id);
  consolidation->add_option("--user", line.consolidation.user, "Whose memory")
      ->capture_default_str();
  consolidation->add_option("--limit", line.consolidation.limit, "list: how many")
      ->capture_default_str();
}

void AddRebuilding(CLI::App& app, CommandLine& line) {
  CLI::App* rebuild = AddCommand(
      app, line, "rebuild",
      "Work a user's memory out anew beside the one in force, show the difference, swap it in",
      [&line](const CommandContext& context) { return RunRebuild(context, line.rebuild); });
  rebuild->add_option("--user", line.rebuild.user, "Whose memory")->capture_default_str();
  CLI::Option* rules = rebuild->add_flag("--rules", line.rebuild.rules, "By the rules");
  rebuild->add_option("--model", line.rebuild.model, "By this model; default: by what reflects")
      ->excludes(rules);
  rebuild->add_option("--turns", line.rebuild.turns, "Turns at most, this time; default: all");
  CLI::Option* show =
      rebuild->add_flag("--show", line.rebuild.show, "Only say what would be different");
  CLI::Option* swap = rebuild->add_flag("--swap", line.rebuild.swap,
                                        "Put what was worked out anew in force, in one step");
  CLI::Option* back =
      rebuild->add_flag("--back", line.rebuild.back, "Put the former memory in force again");
  CLI::Option* discard = rebuild->add_flag("--discard", line.rebuild.discard,
                                           "Remove everything that is not in force");
  swap->excludes(back)->excludes(discard)->excludes(show);
  back->excludes(discard)->excludes(show);
  discard->excludes(show);
  rebuild->add_option("--limit", line.rebuild.limit, "Items shown of each kind")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
}

void AddOperating(CLI::App& app, CommandLine& line) {
  CLI::App* jobs =
      AddCommand(app, line, "jobs", "Look after the reflection queue",
                 [&line](const CommandContext& context) { return RunJobs(context, line.jobs); });
  jobs->add_option("action", line.jobs.action,
                   "status, dead (list dead letters), show ID, retry ID or filter, discard ID, "
                   "acts (what was done about them)")
      ->check(CLI::IsMember({"status", "dead", "show", "retry", "discard", "acts"}))
      ->capture_default_str();
  jobs->add_option("id", line.jobs.job_id, "Job");
  jobs->add_flag("--all", line.jobs.all, "retry: every dead letter");
  jobs->add_option("--user", line.jobs.user, "retry: those of this user");
  jobs->add_option("--tier", line.jobs.tier, "retry: those that failed in this tier");
  jobs->add_option("--error", line.jobs.error, "retry: those whose error holds this text");
  jobs->add_option("--reason", line.jobs.reason, "discard: why, for the record");
  jobs->add_option("--limit", line.jobs.limit, "dead, acts: how many")->capture_default_str();

  AddCommand(app, line, "audit",
             "Say whether every accepted turn has left what it should have left",
             [](const CommandContext& context) { return RunAudit(context); });
  CLI::App* spool = AddCommand(
      app, line, "spool", "Show or forward the turns that wait here while PostgreSQL is away",
      [&line](const CommandContext& context) { return RunSpool(context, line.spool); });
  spool->add_option("action", line.spool.action, "status, or forward what no process holds")
      ->check(CLI::IsMember({"status", "forward"}))
      ->capture_default_str();
  spool->add_option("file", line.spool.file, "forward: this file alone, wherever it lies");

  CLI::App* shadow = AddCommand(
      app, line, "shadow", "Say what came of trying another path on turns (MEMORY_SHADOW_MODE)",
      [&line](const CommandContext& context) { return RunShadow(context, line.shadow); });
  shadow->add_option("action", line.shadow.action, "report, or clear to begin anew")
      ->check(CLI::IsMember({"report", "clear"}))
      ->capture_default_str();
  shadow->add_option("--candidate", line.shadow.candidate, "report: inline or rules");

  AddCommand(app, line, "migrate", "Make or renew the tables and indexes in PostgreSQL and Neo4j",
             [](const CommandContext& context) { return RunMigrate(context); });
  AddCommand(app, line, "doctor", "Say what is reachable, and what to do about what is not",
             [](const CommandContext& context) { return RunDoctor(context); });
  CLI::App* health = AddCommand(
      app, line, "health", "Say by the exit code whether the server on this machine is ready",
      [&line](const CommandContext& context) { return RunHealth(context, line.health); });
  health->add_flag("--alive", line.health.alive, "Whether it lives, whatever it needs");
  CLI::App* config = AddCommand(
      app, line, "config", "Print the settings in force and where each came from",
      [&line](const CommandContext& context) { return RunConfig(context, line.config); });
  config->add_flag("--reference", line.config.reference, "Print the reference of all settings");
  AddCommand(app, line, "version", "Print version and commit",
             [](const CommandContext& context) { return RunVersion(context); });
}

int RunParsed(const CommandLine& line) {
  if (const char* crash = std::getenv("UMBRANET_CRASH"); crash != nullptr) {
    if (const Status armed = ArmCrashPoint(crash); !armed.ok()) {
      return Complain(armed.error());
    }
  }
  std::vector<std::pair<std::string, std::string>> flags;
  for (const auto& [name, value] :
       {std::pair<std::string, const std::string&>{"UMBRANET_DATA", line.data},
        {"UMBRANET_LISTEN", line.listen},
        {"REFLECTOR_LISTEN", line.reflect_listen},
        {"UMBRANET_ROLE", line.role},
        {"UMBRANET_API_KEY", line.key}}) {
    if (!value.empty()) {
      flags.emplace_back(name, value);
    }
  }
  const char* file = std::getenv("UMBRANET_CONFIG");
  const std::string config_file =
      line.config_file.empty() && file != nullptr ? file : line.config_file;
  const auto load = [config_file, flags] {
    return LoadSettings(config_file, ProcessEnvironment(), flags);
  };
  auto loaded = load();
  if (!loaded.ok()) {
    return Complain(loaded.error());
  }
  const SystemClock clock;
  const CommandContext context{clock, std::move(*loaded), line.url, line.json, load};
  return line.run(context);
}

}  // namespace

int RunCommandLine(int argc, char** argv) {
  CommandLine line;
  CLI::App app(
      "The memory of an AI assistant: a chat turn is answered at once; what it teaches is "
      "worked out behind it and is never lost.",
      "umbranet");
  app.footer(std::string(kExitCodeHelp));
  app.require_subcommand(1);
  app.add_option("--data", line.data, "Folder that holds the memory (UMBRANET_DATA)");
  app.add_option("--config", line.config_file, "File of NAME=VALUE settings (UMBRANET_CONFIG)");
  app.add_option("--url", line.url, "Use this server, whoever holds the folder");
  app.add_option("--key", line.key, "API key to show it (UMBRANET_API_KEY)");
  app.add_flag("--json", line.json, "Print JSON for scripts");
  AddServing(app, line);
  AddTalking(app, line);
  AddMoving(app, line);
  AddCorrecting(app, line);
  AddConsolidation(app, line);
  AddRebuilding(app, line);
  AddOperating(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return RunParsed(line);
}

}  // namespace umbranet
