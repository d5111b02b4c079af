// Idempotency-Key: the same key within 24 hours gives the first answer and stores nothing twice.
// Answers live in the journal; requests of this process that carry the same key at the same time
// wait for one another here.
//
// All methods may be called from any thread.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/http/message.h"
#include "umbranet/http/problem.h"
#include "umbranet/ports/journal.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class IdempotentRequests {
 public:
  IdempotentRequests(const Clock& clock, Journal& journal, StructuredLog& log);

  // The right to work on a key, or the absence of one; given back when it goes.
  class Claim {
   public:
    // Of a request without a key: everything below does nothing.
    Claim() = default;
    ~Claim();
    Claim(Claim&& other) noexcept;
    Claim& operator=(Claim&&) = delete;
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    // The interaction id of the `index`-th turn of this request, the same for every repetition, so
    // that even one whose first answer was lost stores nothing twice. Empty without a key.
    [[nodiscard]] std::string InteractionId(std::string_view user_id, std::size_t index) const;

    // Remembers the first answer. A failure is logged and otherwise let be: the turn is stored,
    // and the ids above still keep a repetition harmless.
    void Save(const UserKey& user, int status, const std::string& body, Deadline deadline);

   private:
    friend class IdempotentRequests;

    IdempotentRequests* requests_ = nullptr;
    std::string tenant_;
    std::string key_;
    std::string fingerprint_;
    Timestamp began_at_{};
  };

  // A claim, when the request is to be worked on; the first answer, when it was before; a problem,
  // when the key is not usable.
  std::variant<Claim, StoredAnswer, Problem> Begin(const HttpRequest& request, Deadline deadline);

 private:
  using Key = std::pair<std::string, std::string>;  // tenant, key

  void Release(const std::string& tenant, const std::string& key);

  const Clock& clock_;
  Journal& journal_;
  StructuredLog& log_;
  Mutex mutex_;
  ConditionVariable released_;
  std::set<Key> claimed_ GUARDED_BY(mutex_);
};

}  // namespace umbranet
