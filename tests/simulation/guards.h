// What keeps a history in order. Each can be left out, to see that its absence is noticed.
#pragma once

#include <set>

#include "tests/doubles/in_memory_ledger_store.h"

namespace umbranet {

struct Guards {
  std::set<BrokenPromise> broken = {};  // Of the twin of journal and ledger.
  bool tier_markers = true;             // A plan is applied once, by its marker.
  bool tier_fence = true;               // A lost lease writes nothing.
  bool lease_cap = true;                // No lease is extended for ever.
  bool sweeper = true;                  // Expired leases and due retries are looked for.
  bool look_without_ring = true;        // Workers look at the ledger now and then.
  bool spool_keeps_order = true;        // Who has turns in the spool has the next one there too.
  bool durable_before_answer = true;    // A turn is stored before it is answered.
  // No clock is set back where a user is forgotten: what is known of that is known by the time.
  bool clocks_stay = true;
};

}  // namespace umbranet
