// Who was forgotten, as the ledger has it: what every process goes by that holds something of users
// in memory, whoever asked for the forgetting and wherever.
//
// Each forgetting has a time of its own, and the times rise in the order in which forgettings
// became durable: whoever has seen all up to one, and asks for those after it, misses none. It is
// the time of Freshness::forgotten_at and of the certificate: the wall's, or one more than the last
// when the wall's was set back.
//
// All methods may be called from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {

struct Forgetting {
  UserKey user;
  Timestamp at{};
};

struct ForgettingNews {
  std::vector<Forgetting> forgettings;  // In the order of their times; of each user the last.
  Timestamp latest{};                   // Of all there are; Timestamp{} when there is none.
  // What time the ledger's own clock says. Nothing: it goes by this process's clock.
  std::optional<Timestamp> ledger_time;
};

class ForgettingRecord {
 public:
  virtual ~ForgettingRecord() = default;

  // The first `limit` forgettings after `seen`. One that is durable when this is called is there.
  virtual Result<ForgettingNews> After(Timestamp seen, std::size_t limit, Deadline deadline) = 0;
};

}  // namespace umbranet
