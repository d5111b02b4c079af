// How many questions of chat turns may be embedded a second.
//
// A turn is to be answered at once, and a vector takes a few milliseconds of a processor: a server
// that several hundred people talk to would spend all it has on vectors, and everybody would wait.
// So turns draw on an allowance that fills up evenly (a token bucket), and one that comes when it
// is used up is recalled for by words alone, which its answer names as degraded. Where many times
// as many turns come as may have one, none gets a vector: it would help one in a hundred, and the
// others would wait for it. Whoever asks for a recall itself is not held to it.
//
// All methods may be called from any thread.
#pragma once

#include <algorithm>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"

namespace umbranet {

class EmbeddingAllowance {
 public:
  // `per_second` 0: none at all. A fifth of them may come at once, or one where that is less: more
  // would make the first of many that ask at the same time wait for one another.
  EmbeddingAllowance(const Clock& clock, double per_second)
      : clock_(clock),
        per_second_(per_second),
        at_once_(per_second > 0 ? std::max(per_second / 5, 1.0) : 0),
        left_(at_once_),
        filled_at_(clock.SteadyNow()) {}

  // A turn asks. True: it may be embedded, and is counted. `free`: there is a processor for it.
  [[nodiscard]] bool Take(bool free);

 private:
  const Clock& clock_;
  const double per_second_;
  const double at_once_;
  Mutex mutex_;
  double left_ GUARDED_BY(mutex_);
  double asked_ GUARDED_BY(mutex_) = 0;  // In the last second or so: each fades away since.
  SteadyTime filled_at_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
