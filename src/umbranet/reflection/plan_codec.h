// How a plan is written into the ledger: one JSON object, version 1. Whatever can be written can be
// read back; whatever is not exactly a plan is refused with a sentence that names the field.
// Pure functions; they may be called from any thread.
//
// Times are milliseconds since 1970. Importance and confidence, 0 to 1, are kept to a millionth, as
// whole numbers, since a decimal fraction does not survive every JSON parser bit by bit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"
#include "umbranet/domain/reflection_plan.h"

namespace umbranet {

inline constexpr int kPlanVersion = 1;
// A turn of 1 MiB, said back in every field that could hold it, stays well below.
inline constexpr std::size_t kPlanBytesMax = std::size_t{32} << 20U;

// kInvalidArgument: the plan says what no plan may say (no job, a confidence of 2, text that is not
// UTF-8, more than kPlanBytesMax), which is its extractor's mistake.
[[nodiscard]] Result<std::string> EncodePlan(const ReflectionPlan& plan);

// kDataLoss: these bytes are no plan of a version that is known here.
[[nodiscard]] Result<ReflectionPlan> DecodePlan(std::string_view bytes);

}  // namespace umbranet
