#include "tests/contract/doorbell_engines.h"

#include "umbranet/reflection/condition_variable_doorbell.h"

namespace umbranet {

void PrintTo(const DoorbellEngine& engine, std::ostream* out) {
  *out << engine.name;
}

std::vector<DoorbellEngine> DoorbellEngines() {
  return {{"ConditionVariable", [] { return std::make_unique<ConditionVariableDoorbell>(); }}};
}

}  // namespace umbranet
