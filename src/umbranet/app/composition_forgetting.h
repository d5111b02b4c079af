// Puts together what forgetting has to reach in the memory of this process. Part of the
// composition.
#pragma once

#include <functional>

#include "umbranet/app/composition_backends.h"
#include "umbranet/config/settings.h"
#include "umbranet/memory/forgetting_watch.h"
#include "umbranet/memory/memory_manager.h"

namespace umbranet {

// `drop_unnamed` empties the caches that know a text but not whose it is. Everything must outlive
// what is returned.
ForgettingWatch::Held HeldInMemory(const Backends& backends, MemoryManager& memory,
                                   const std::function<void()>& drop_unnamed);

ForgettingWatch::Options WatchOptions(const Settings& settings);

}  // namespace umbranet
