// API keys. The tenant comes from the key alone; an admin key opens /v1/admin as well. Without any
// key the server is the property of its machine: callers on loopback are the default tenant and may
// do everything, nobody else may do anything.
//
// Immutable, so usable from any thread.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "umbranet/base/result.h"
#include "umbranet/domain/api_key.h"
#include "umbranet/http/message.h"

namespace umbranet {

class Authenticator {
 public:
  // Only digests of the keys are kept.
  explicit Authenticator(std::span<const ApiKey> keys);

  // kUnauthenticated: no key, two different ones, or an unknown one. kPermissionDenied: no keys are
  // set up and the caller is not on this machine, or a web page elsewhere is asking through the
  // caller's browser (its Origin or Host says so).
  [[nodiscard]] Result<Caller> Authenticate(const HttpRequest& request) const;

  [[nodiscard]] bool HasKeys() const { return !entries_.empty(); }

 private:
  struct Entry {
    std::string digest;  // SHA-256 of the key, hexadecimal.
    Caller caller;
  };

  std::vector<Entry> entries_;
};

}  // namespace umbranet
