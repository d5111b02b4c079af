// The JSON Schema of what a language model answers about a batch of turns. Pure; any thread.
#pragma once

#include <cstddef>

#include "umbranet/extraction/reflection_prompt.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// One member a turn, t1 to t<turns>, each required: a model that is held to it answers every turn
// once and none that there is not.
[[nodiscard]] AnswerSchema ReflectionSchema(std::size_t turns, AnswerParts parts);

}  // namespace umbranet
