// What works a user's memory out anew, and by whom. Part of the composition.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "umbranet/app/composition_backends.h"
#include "umbranet/app/composition_extraction.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/reflection/memory_rebuild.h"
#include "umbranet/telemetry/metrics.h"
#include "umbranet/telemetry/model_usage.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

// Any thread. Everything that is referred to must outlive it.
class Rebuilding {
 public:
  Rebuilding(const Settings& settings, const Clock& clock, Backends& backends,
             Extractor& reflecting, ModelUsage& usage, Metrics& metrics, StructuredLog& log);
  ~Rebuilding();
  Rebuilding(const Rebuilding&) = delete;
  Rebuilding& operator=(const Rebuilding&) = delete;

  // Null where part of the memory is in the file and part on servers.
  [[nodiscard]] MemoryRebuild* rebuild() { return rebuild_.get(); }

  // The rules, the model of that name at the settings' endpoint, or, with neither, what reflects
  // here. Its calls keep to the same limits and the same budget. kInvalidArgument: both, or there
  // is no endpoint.
  Result<std::shared_ptr<Extractor>> OpenExtractor(bool rules, std::string_view model);

  // Forgets what a model that was named answered. How many answers.
  std::size_t DropAnswers();

  // Ends calls that nobody waits for any more.
  void Stop();

 private:
  struct NamedModel;

  const Settings settings_;
  const Clock& clock_;
  Extractor& reflecting_;
  ModelUsage& usage_;
  Metrics& metrics_;
  StructuredLog& log_;
  std::unique_ptr<MemoryGenerations> generations_;
  std::unique_ptr<MemoryRebuild> rebuild_;
  Mutex mutex_;
  bool stopped_ GUARDED_BY(mutex_) = false;
  // The one that was asked for last: a rebuild asks for the same one step after step.
  std::shared_ptr<NamedModel> named_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
