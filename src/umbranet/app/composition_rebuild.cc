#include "umbranet/app/composition_rebuild.h"

#include <utility>

#include "umbranet/adapters/postgres/postgres_memory_generations.h"
#include "umbranet/adapters/sqlite/sqlite_memory_generations.h"
#include "umbranet/extraction/llm_extractor.h"
#include "umbranet/extraction/rule_extractor.h"

namespace umbranet {
namespace {

MemoryRebuild::Options RebuildOptions(const Settings& settings) {
  MemoryRebuild::Options options;
  options.batch_turns = settings.reflector_batch_size;
  // What it may cost comes back every day, and a model that is away comes back too.
  options.wait_for = {std::string(kFallbackBudget), std::string(kFallbackAway)};
  return options;
}

}  // namespace

struct Rebuilding::NamedModel {
  std::string name;
  std::unique_ptr<LanguageModel> model;
  std::unique_ptr<Extraction> extraction;
};

Rebuilding::Rebuilding(const Settings& settings, const Clock& clock, Backends& backends,
                       Extractor& reflecting, ModelUsage& usage, Metrics& metrics,
                       StructuredLog& log)
    : settings_(settings),
      clock_(clock),
      reflecting_(reflecting),
      usage_(usage),
      metrics_(metrics),
      log_(log) {
  if (settings.postgres_url.empty() && settings.neo4j_url.empty()) {
    generations_ = std::make_unique<SqliteMemoryGenerations>(*backends.file_ledger);
  } else if (backends.graphs != nullptr) {
    generations_ = std::make_unique<PostgresMemoryGenerations>(*backends.server_ledger,
                                                               *backends.graphs, clock);
  } else {
    return;
  }
  rebuild_ = std::make_unique<MemoryRebuild>(
      MemoryRebuild::Stores{*backends.journal, *generations_, *backends.episodic,
                            *backends.semantic, *backends.procedural},
      log, RebuildOptions(settings));
}

Rebuilding::~Rebuilding() = default;

Result<std::shared_ptr<Extractor>> Rebuilding::OpenExtractor(bool rules, std::string_view model) {
  if (rules && !model.empty()) {
    return InvalidArgument("rebuild: it is the rules or a model that works it out, not both");
  }
  if (rules) {
    return std::shared_ptr<Extractor>(std::make_shared<RuleExtractor>());
  }
  if (model.empty()) {
    return std::shared_ptr<Extractor>(std::shared_ptr<void>(), &reflecting_);
  }
  const MutexLock lock(mutex_);
  if (stopped_) {
    return Unavailable("rebuild: this server is stopping");
  }
  if (named_ == nullptr || named_->name != model) {
    if (!settings_.HasModel()) {
      return InvalidArgument(
          "rebuild: there is no endpoint to ask for a model; set OPENAI_BASE_URL or"
          " OPENAI_API_KEY");
    }
    Settings with = settings_;
    with.extractor = ExtractorChoice::kModel;
    with.reflection_model = model;
    auto named = std::make_shared<NamedModel>();
    named->name = model;
    UMBRANET_ASSIGN_OR_RETURN(named->model, OpenReflectionModel(with, clock_));
    named->extraction =
        std::make_unique<Extraction>(with, clock_, named->model.get(), usage_, metrics_, log_);
    named_ = std::move(named);
  }
  return std::shared_ptr<Extractor>(named_, &named_->extraction->extractor());
}

std::size_t Rebuilding::DropAnswers() {
  const MutexLock lock(mutex_);
  return named_ == nullptr ? 0 : named_->extraction->DropAnswers();
}

void Rebuilding::Stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  if (named_ != nullptr) {
    named_->extraction->Stop();
  }
}

}  // namespace umbranet
