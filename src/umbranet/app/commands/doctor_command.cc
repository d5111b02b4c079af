#include <filesystem>
#include <vector>

#include <boost/json/array.hpp>
#include <sys/statvfs.h>
#include <unistd.h>

#include "umbranet/app/commands/commands.h"
#include "umbranet/app/composition.h"
#include "umbranet/app/exit_code.h"
#include "umbranet/app/terminal.h"

namespace umbranet {
namespace {

namespace json = boost::json;

enum class Verdict { kGood, kNote, kBad };

struct Finding {
  Verdict verdict = Verdict::kGood;
  std::string subject;
  std::string text;
  std::string remedy;
};

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kNote:
      return "note";
    case Verdict::kBad:
      return "bad";
  }
  return "bad";
}

// The folder itself, or the nearest one above it that is there.
std::filesystem::path ExistingPartOf(std::filesystem::path folder) {
  std::error_code error;
  folder = std::filesystem::absolute(folder, error);
  while (!std::filesystem::exists(folder, error) && folder.has_relative_path()) {
    folder = folder.parent_path();
  }
  return folder;
}

Finding CheckFolder(const Settings& settings) {
  const std::filesystem::path folder = ExistingPartOf(settings.data_folder);
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    return {Verdict::kBad, "data folder", folder.string() + " cannot be written",
            "name another with --data or UMBRANET_DATA, or change its owner"};
  }
  struct statvfs disk{};
  if (statvfs(folder.c_str(), &disk) == 0) {
    const auto free_mib = static_cast<unsigned long long>(disk.f_bavail) * disk.f_frsize >> 20U;
    if (free_mib < 200) {
      return {Verdict::kBad, "data folder",
              settings.data_folder + " has " + std::to_string(free_mib) + " MiB left",
              "make room: with a full disk new turns are refused"};
    }
    return {Verdict::kGood, "data folder",
            settings.data_folder + ", " + std::to_string(free_mib) + " MiB free", ""};
  }
  return {Verdict::kGood, "data folder", settings.data_folder, ""};
}

Finding CheckServer(const CommandContext& context) {
  const Settings& settings = context.settings();
  const auto holder = FindFolderHolder(settings);
  if (!holder && context.url.empty()) {
    return {Verdict::kNote, "server", "no process holds the data folder",
            "start one with `umbranet serve`; commands open the folder themselves meanwhile"};
  }
  if (context.url.empty() && holder->address.empty()) {
    return {Verdict::kNote, "server",
            "process " + std::to_string(holder->pid) + " holds the folder and serves no API", ""};
  }
  auto client = context.Connect();
  if (!client.ok()) {
    return {Verdict::kBad, "server", client.error().message, ""};
  }
  const auto ready = (*client)->Call("GET", "/readyz", std::nullopt, context.Within(Millis{5'000}));
  if (!ready.ok()) {
    return {Verdict::kBad, "server", (*client)->Where() + " is not ready: " + ready.error().message,
            "see its log"};
  }
  return {Verdict::kGood, "server", (*client)->Where() + " is ready", ""};
}

// Opens the file only when nobody else holds it.
Finding CheckDatabase(const CommandContext& context) {
  const std::string path = DatabasePath(context.settings());
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return {Verdict::kGood, "memory", "nothing is stored yet", ""};
  }
  if (FindFolderHolder(context.settings())) {
    return {Verdict::kGood, "memory", path + " is in use", ""};
  }
  const Status whole =
      CheckStoredMemory(context.settings(), context.clock, context.Within(Millis{60'000}));
  if (!whole.ok()) {
    return {Verdict::kBad, "memory", whole.error().message,
            "restore the file from a copy, or start with another folder"};
  }
  return {Verdict::kGood, "memory", path + " is whole", ""};
}

Finding CheckModel(const CommandContext& context) {
  const Settings& settings = context.settings();
  if (!settings.HasModel()) {
    return {Verdict::kNote, "language model", "none: replies quote what is remembered",
            "set OPENAI_API_KEY, or OPENAI_BASE_URL for a server of your own"};
  }
  auto model = OpenLanguageModel(settings, context.clock);
  const Status probed =
      model.ok() ? (*model)->Probe(context.Within(Millis{5'000})) : Status(model.error());
  if (!probed.ok()) {
    return {
        Verdict::kBad, "language model",
        settings.openai_model + " at " + settings.openai_base_url + ": " + probed.error().message,
        "check OPENAI_BASE_URL, OPENAI_API_KEY and the network"};
  }
  return {Verdict::kGood, "language model",
          settings.openai_model + " at " + settings.openai_base_url, ""};
}

Finding CheckEmbedder(const CommandContext& context) {
  const Settings& settings = context.settings();
  const auto embedder = OpenEmbedder(settings, context.clock);
  if (!embedder.ok() && embedder.error().code == ErrorCode::kNotFound) {
    return {Verdict::kNote, "embedder", "none: " + embedder.error().message,
            "run scripts/setup, or set EMBEDDING_MODEL_FOLDER or EMBEDDING_BASE_URL; until then "
            "recall goes by words alone"};
  }
  if (!embedder.ok()) {
    return {Verdict::kBad, "embedder", embedder.error().message,
            "correct the setting or file that is named"};
  }
  if (*embedder == nullptr) {
    return {Verdict::kNote, "embedder", "switched off: recall goes by words alone",
            "unset EMBEDDER to recall by meaning too"};
  }
  const auto vector = (*embedder)->EmbedQuestion("How are you?", context.Within(Millis{30'000}));
  if (!vector.ok()) {
    return {Verdict::kBad, "embedder", vector.error().message,
            settings.HasEmbeddingEndpoint()
                ? "check EMBEDDING_BASE_URL, EMBEDDING_API_KEY, EMBEDDING_MODEL and the network"
                : "remove the model's folder and run scripts/setup"};
  }
  return {Verdict::kGood, "embedder",
          (*embedder)->space() + ", " + std::to_string(vector->size()) + " dimensions", ""};
}

std::vector<Finding> CheckBackends(const CommandContext& context) {
  const auto reports =
      CheckServers(context.settings(), context.clock, context.Within(Millis{10'000}));
  if (!reports.ok()) {
    return {{Verdict::kBad, "servers", reports.error().message, ""}};
  }
  std::vector<Finding> findings;
  for (const ServerReport& report : *reports) {
    findings.push_back(report.status.ok()
                           ? Finding{Verdict::kGood, report.setting, "the server answers", ""}
                           : Finding{Verdict::kBad, report.setting, report.status.error().message,
                                     "start the server, or correct " + report.setting});
  }
  return findings;
}

Finding CheckKeys(const Settings& settings) {
  if (settings.api_keys.empty()) {
    return {Verdict::kNote, "API keys", "none: the server answers on loopback only",
            "set UMBRANET_API_KEYS to serve others"};
  }
  bool admin = false;
  for (const ApiKey& key : settings.api_keys) {
    admin = admin || key.admin;
  }
  return admin ? Finding{Verdict::kGood, "API keys", std::to_string(settings.api_keys.size()), ""}
               : Finding{Verdict::kNote, "API keys", "none of them is an admin key",
                         "add :admin to one, or nobody can look after the queue"};
}

}  // namespace

int RunDoctor(const CommandContext& context) {
  std::vector<Finding> findings = CheckBackends(context);
  if (context.settings().NeedsDataFolder()) {
    findings.push_back(CheckFolder(context.settings()));
    findings.push_back(CheckDatabase(context));
    findings.push_back(CheckServer(context));
  }
  findings.push_back(CheckModel(context));
  findings.push_back(CheckEmbedder(context));
  findings.push_back(CheckKeys(context.settings()));
  json::array report;
  std::string text;
  bool good = true;
  for (const Finding& finding : findings) {
    good = good && finding.verdict != Verdict::kBad;
    report.push_back({{"verdict", VerdictName(finding.verdict)},
                      {"subject", finding.subject},
                      {"text", finding.text},
                      {"remedy", finding.remedy}});
    std::string label(VerdictName(finding.verdict));
    label.resize(6, ' ');
    text += label + finding.subject + ": " + Printable(finding.text) + "\n";
    if (!finding.remedy.empty()) {
      text += "      " + finding.remedy + "\n";
    }
  }
  if (context.json) {
    PrintJson({{"healthy", good}, {"findings", report}});
  } else {
    Print(text);
  }
  return good ? kExitOk : kExitUnavailable;
}

}  // namespace umbranet
