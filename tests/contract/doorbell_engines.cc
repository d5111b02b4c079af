#include "tests/contract/doorbell_engines.h"

#include "umbranet/reflection/condition_variable_doorbell.h"

namespace umbranet {

std::vector<DoorbellEngine> DoorbellEngines() {
  return {{"ConditionVariable", [] { return std::make_unique<ConditionVariableDoorbell>(); }}};
}

}  // namespace umbranet
