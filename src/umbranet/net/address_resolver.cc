#include "umbranet/net/address_resolver.h"

#include <cstring>
#include <memory>
#include <utility>

#include <netdb.h>

namespace umbranet {
namespace {

// How long a waiter without a deadline sleeps between looks.
constexpr std::chrono::seconds kLookAgain{60};

Result<std::vector<SocketAddress>> AskSystem(const std::string& host, const std::string& service,
                                             int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (code != 0) {
    return Unavailable("http: the host " + host + " cannot be resolved: " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::vector<SocketAddress> addresses;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    SocketAddress address;
    if (info->ai_addrlen <= sizeof address.storage) {
      std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
      address.size = info->ai_addrlen;
      addresses.push_back(address);
    }
  }
  if (addresses.empty()) {
    return Unavailable("http: the host " + host + " has no address");
  }
  return addresses;
}

}  // namespace

AddressResolver::AddressResolver(const Clock& clock, std::string host, std::uint16_t port,
                                 Millis keep_for)
    : clock_(clock),
      host_(std::move(host)),
      service_(std::to_string(port)),
      keep_for_(keep_for),
      thread_({.name = "resolver", .threads_min = 0, .threads_max = 1, .queue_max = 1}) {}

void AddressResolver::LookUp() {
  Result<std::vector<SocketAddress>> found = AskSystem(host_, service_, 0);
  MutexLock lock(mutex_);
  looking_up_ = false;
  ++lookups_done_;
  if (found.ok()) {
    addresses_ = std::move(found).value();
    fresh_until_ = clock_.SteadyNow() + keep_for_;
    failure_.reset();
  } else {
    failure_ = found.error();
  }
  answered_.NotifyAll();
}

Result<std::vector<SocketAddress>> AddressResolver::Resolve(std::stop_token stop,
                                                            Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (!addresses_.empty() && clock_.SteadyNow() < fresh_until_) {
      return addresses_;
    }
  }
  // An address in digits needs no resolver and no other thread.
  if (Result<std::vector<SocketAddress>> numeric = AskSystem(host_, service_, AI_NUMERICHOST);
      numeric.ok()) {
    return numeric;
  }
  MutexLock lock(mutex_);
  const std::uint64_t lookups_before = lookups_done_;
  if (!looking_up_) {
    looking_up_ = thread_.TrySubmit([this] { LookUp(); });
    if (!looking_up_) {
      return Unavailable("http: no thread to resolve the host " + host_ + " on");
    }
  }
  while (lookups_done_ == lookups_before) {
    if (stop.stop_requested()) {
      return Error{ErrorCode::kCancelled, "http: stopped"};
    }
    if (deadline.Expired()) {
      return DeadlineExceeded("http: the host " + host_ + " was not resolved in time");
    }
    answered_.WaitUntil(mutex_, stop, deadline.At().value_or(clock_.SteadyNow() + kLookAgain));
  }
  if (failure_ && addresses_.empty()) {
    return *failure_;
  }
  return addresses_;
}

}  // namespace umbranet
