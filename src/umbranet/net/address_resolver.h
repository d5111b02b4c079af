// The addresses of one host, looked up by the system's resolver on a thread of its own, since
// getaddrinfo knows no deadline. Callers that ask at the same time share one lookup, and an answer
// is kept a while; when a later lookup fails, the answer before it serves on.
//
// All methods may be called from any thread. The destructor waits for a lookup that is under way.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "umbranet/base/bounded_worker_pool.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/mutex.h"
#include "umbranet/base/result.h"

namespace umbranet {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

class AddressResolver {
 public:
  AddressResolver(const Clock& clock, std::string host, std::uint16_t port, Millis keep_for);

  // At least one address, in the order in which the system would try them. kUnavailable: the name
  // is not known or no resolver answers. kCancelled: `stop`.
  Result<std::vector<SocketAddress>> Resolve(std::stop_token stop, Deadline deadline);

 private:
  void LookUp();

  const Clock& clock_;
  const std::string host_;
  const std::string service_;
  const Millis keep_for_;
  Mutex mutex_;
  ConditionVariable answered_;
  std::vector<SocketAddress> addresses_ GUARDED_BY(mutex_);
  SteadyTime fresh_until_ GUARDED_BY(mutex_){};
  std::optional<Error> failure_ GUARDED_BY(mutex_);
  std::uint64_t lookups_done_ GUARDED_BY(mutex_) = 0;
  bool looking_up_ GUARDED_BY(mutex_) = false;
  BoundedWorkerPool thread_;  // Last, so that it is stopped before what its task uses goes.
};

}  // namespace umbranet
