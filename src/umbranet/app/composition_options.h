// What each part is told of the settings. Part of the composition; pure but for ReadSystemPrompt,
// which reads a file.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/sqlite/sqlite_database.h"
#include "umbranet/base/answers_under_way.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/config/settings.h"
#include "umbranet/governor/governor.h"
#include "umbranet/memory/memory_manager.h"
#include "umbranet/memory/reflection_modes.h"
#include "umbranet/memory/waiting_cap.h"
#include "umbranet/ports/embedder.h"
#include "umbranet/reflection/backpressure.h"
#include "umbranet/reflection/batch_processor.h"
#include "umbranet/reflection/memory_reflector.h"
#include "umbranet/reflection/session_summarizer.h"
#include "umbranet/telemetry/metrics.h"

namespace umbranet {

// Reflects these jobs of the tenant before the reply.
using ReflectInline =
    std::function<Status(std::string_view, const std::vector<std::string>&, Deadline)>;

// Empty: the built-in one.
Result<std::string> ReadSystemPrompt(const Settings& settings);

// `database` may be null: no store is in a file.
MemoryManager::Options MemoryOptions(const Settings& settings, Metrics& metrics,
                                     const ModeSwitch& modes, Embedder* embedder,
                                     AnswersUnderWay* answers, SqliteDatabase* database);
ReflectionModes ModesOf(const Settings& settings);
Governor::Options GovernorOptions(const Settings& settings, std::string system_prompt,
                                  Metrics& metrics, AnswersUnderWay* answers,
                                  const ModeSwitch& modes, const Clock& ledger_clock,
                                  ReflectInline reflect_inline);
BatchProcessor::Options BatchOptions(const Settings& settings);
SessionSummarizer::Options SummaryOptions(const Settings& settings);
MemoryReflector::Options ReflectorOptions(const Settings& settings);
WaitingCap::Options CapOptions(const Settings& settings, BackpressureWatch& backpressure);

}  // namespace umbranet
