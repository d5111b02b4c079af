// How two names came to mean one entity, so that a wrong guess can be seen and undone.
#pragma once

#include <optional>
#include <string>

#include "umbranet/base/clock.h"

namespace umbranet {

struct EntityMerge {
  std::string name;            // As it was first written; a relation ("my sister") comes first.
  std::string other;           // The name that it was said to mean the same as.
  std::string interaction_id;  // The first turn that said so.
  Timestamp occurred_at{};     // The time of that turn.
  Timestamp recorded_at{};     // When the two became one here.
  std::optional<Timestamp> parted_at;  // When an owner undid it; absent while it holds.
};

}  // namespace umbranet
