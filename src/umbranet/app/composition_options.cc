#include "umbranet/app/composition_options.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "umbranet/app/composition_extraction.h"
#include "umbranet/extraction/event_times.h"

namespace umbranet {
namespace {

// Reflection takes what answering leaves of the processors. It cannot starve: the least weight
// there is still gets its turn, and answering is never busy for long.
constexpr int kReflectionNice = 15;

// The level of backpressure at which a user with a long backlog is held back.
constexpr std::uint32_t kFarBehind = 2;

// Those whose store is not a server are asked where they are, and one that is.
std::vector<Tier> NearTiers(const Settings& settings) {
  std::vector<Tier> near;
  if (settings.postgres_url.empty()) {
    near = {Tier::kEpisodic, Tier::kProcedural};
  }
  // On Redis too: its client keeps to the deadline, and the caller would only wait meanwhile.
  near.push_back(Tier::kShortTerm);
  if (settings.neo4j_url.empty()) {
    near.push_back(Tier::kSemantic);
  }
  return near;
}

ConversationWindow WindowOf(const Settings& settings) {
  return {.tokens = settings.conversation_tokens, .turns = settings.conversation_turns};
}

}  // namespace

Result<std::string> ReadSystemPrompt(const Settings& settings) {
  if (settings.system_prompt_file.empty()) {
    return std::string();
  }
  std::ifstream file(settings.system_prompt_file);
  std::stringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) {
    return InvalidArgument("config: UMBRANET_SYSTEM_PROMPT_FILE: " + settings.system_prompt_file +
                           " cannot be read, or is empty");
  }
  return text.str();
}

MemoryManager::Options MemoryOptions(const Settings& settings, Metrics& metrics,
                                     const ModeSwitch& modes, Embedder* embedder,
                                     AnswersUnderWay* answers, SqliteDatabase* database) {
  MemoryManager::Options options;
  if (database != nullptr) {
    options.begin_reading = [database] { return std::make_shared<SqliteReadingScope>(*database); };
  }
  options.ring_for_inline = [&modes] { return modes.Get().queue; };
  options.metrics = &metrics;
  options.with_consolidated = settings.consolidation;
  options.answers = answers;
  options.near_tiers = NearTiers(settings);
  options.recall_budget = Millis{settings.recall_budget_ms};
  options.conversation = WindowOf(settings);
  options.embedder = embedder;
  options.chat_embeddings_per_s = settings.chat_embeddings_per_s;
  options.embedder_missing = embedder == nullptr && settings.embedder != EmbedderChoice::kOff;
  options.read_times = [](std::string_view text, Timestamp said_at) {
    return EventTimes(text, said_at);
  };
  return options;
}

ReflectionModes ModesOf(const Settings& settings) {
  return {.fast = settings.memory_fast_mode,
          .queue = settings.reflection_queue_enabled,
          .fast_percent = settings.fast_mode_percent};
}

Governor::Options GovernorOptions(const Settings& settings, std::string system_prompt,
                                  Metrics& metrics, AnswersUnderWay* answers,
                                  const ModeSwitch& modes, const Clock& ledger_clock,
                                  ReflectInline reflect_inline) {
  Governor::Options options;
  options.ledger_clock = &ledger_clock;
  options.answers = answers;
  options.metrics = &metrics;
  options.mode_of = [&modes](const UserKey& user) { return modes.ModeOf(user); };
  options.reflect_inline = std::move(reflect_inline);
  options.turn_budget = Millis{settings.turn_timeout_ms};
  // What the model may take leaves room to store what it said.
  options.model_budget =
      options.turn_budget - std::min(options.store_budget, options.turn_budget / 4);
  options.context_tokens = settings.context_tokens;
  // All that recall takes for being in view.
  options.history_turns_max = settings.conversation_turns;
  options.history_tokens_max = settings.conversation_tokens;
  options.system_prompt = std::move(system_prompt);
  return options;
}

BatchProcessor::Options BatchOptions(const Settings& settings) {
  BatchProcessor::Options options;
  options.tier_budget = Millis{settings.tier_timeout_ms};
  options.nice = kReflectionNice;
  AllowForModel(settings, options);
  // Three tiers at once for each worker, and as many again for calls that were left behind.
  options.threads_max = std::max<std::size_t>(options.threads_max, 6 * settings.reflector_workers);
  return options;
}

SessionSummarizer::Options SummaryOptions(const Settings& settings) {
  SessionSummarizer::Options options;
  options.window = WindowOf(settings);
  return options;
}

MemoryReflector::Options ReflectorOptions(const Settings& settings) {
  MemoryReflector::Options options;
  options.workers = settings.reflector_workers;
  options.batch_jobs_max = settings.reflector_batch_size;
  options.nice = kReflectionNice;
  AllowForModel(settings, options);
  return options;
}

WaitingCap::Options CapOptions(const Settings& settings, BackpressureWatch& backpressure) {
  WaitingCap::Options options;
  options.waiting_max = settings.reflection_user_backlog_max;
  options.far_behind = [&backpressure] { return backpressure.Level() >= kFarBehind; };
  return options;
}

}  // namespace umbranet
