// Puts the whole together: which adapter serves which port. The only place that names both.
//
// Open builds everything and takes the data folder and the listening address; Start sets it going;
// Stop drains. One thread calls these.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/answers_under_way.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/ports/embedder.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// Where a data folder keeps its one file.
std::string DatabasePath(const Settings& settings);

// The process that has a data folder open.
struct FolderHolder {
  int pid = 0;
  std::string address;  // Where it serves, "127.0.0.1:8080"; empty while it does not.
};

// Nothing when nobody has it open.
std::optional<FolderHolder> FindFolderHolder(const Settings& settings);

// Opens what is stored, unless it is held, and reads all of it. kFailedPrecondition while it is
// held.
Status CheckStoredMemory(const Settings& settings, const Clock& clock, Deadline deadline);

// The model that the settings name; null when they name none.
Result<std::unique_ptr<LanguageModel>> OpenLanguageModel(const Settings& settings,
                                                         const Clock& clock);

// The embedder that the settings name; null when it is switched off. kNotFound: the model in this
// process is not there, with a sentence that says which file is missing.
Result<std::unique_ptr<Embedder>> OpenEmbedder(const Settings& settings, const Clock& clock,
                                               AnswersUnderWay* answers = nullptr);

// Makes the tables, constraints and indexes on the servers that the settings name, and says in a
// few lines what was done. kFailedPrecondition when they name none.
Result<std::string> MigrateServers(const Settings& settings, const Clock& clock);

struct ServerReport {
  std::string setting;  // "REDIS_URL"
  Status status;        // Says what to do where it is not ok.
};

// Asks each server that the settings name, in turn.
Result<std::vector<ServerReport>> CheckServers(const Settings& settings, const Clock& clock,
                                               Deadline deadline);

// Whether the memory that the settings name can be shared by several processes.
// kFailedPrecondition says what is missing.
Status CheckShared(const Settings& settings);

class Application {
 public:
  // kProbes: healthz, readyz and metrics alone, at REFLECTOR_LISTEN.
  enum class Serve : std::uint8_t { kNothing, kApi, kProbes };

  struct Options {
    Serve serve = Serve::kApi;
    bool reflect = true;
  };

  // Fails with a sentence for the operator: the folder is held by another process, the address is
  // taken, or serving beyond loopback without API keys was asked for.
  static Result<std::unique_ptr<Application>> Open(const Settings& settings, Options options,
                                                   const Clock& clock);
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  void Start();

  // Lets requests in flight finish and batches settle until `deadline`, then ends what is left.
  // Accepted turns that are not reflected yet are so the next time. Idempotent. False: something
  // had to be cut short.
  bool Stop(Deadline deadline);

  // Turns the switches of how turns are reflected to what these settings say; the rest of them is
  // not looked at. From any thread.
  void SetModes(const Settings& settings, std::string_view by);

  // Where it listens; 0 when it does not.
  [[nodiscard]] std::uint16_t Port() const;

  // True when no job is ready, leased or waiting for a retry.
  Result<bool> NothingLeftToReflect(Deadline deadline);

 private:
  struct Parts;

  explicit Application(std::unique_ptr<Parts> parts);

  static Status OpenServer(Parts& parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace umbranet
