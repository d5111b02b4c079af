#include "umbranet/http/authentication.h"

#include <algorithm>
#include <utility>

#include <openssl/crypto.h>

#include "umbranet/base/unique_id.h"
#include "umbranet/domain/interaction.h"

namespace umbranet {
namespace {

Error Unauthenticated(std::string message) {
  return {ErrorCode::kUnauthenticated, std::move(message)};
}

Error Denied(std::string message) {
  return {ErrorCode::kPermissionDenied, std::move(message)};
}

// The host of "host:port", "[::1]:port" or "host".
std::string_view WithoutPort(std::string_view authority) {
  if (authority.starts_with('[')) {
    return authority.substr(0, authority.find(']') + 1);
  }
  return authority.substr(0, authority.find(':'));
}

// A name that a page from elsewhere cannot have made point here: an address of the loopback, a
// local name, or one without a dot, which no public zone holds.
bool IsLocalName(std::string_view host) {
  if (host.ends_with('.')) {
    host.remove_suffix(1);
  }
  if (host == "[::1]" || host.starts_with("127.")) {
    return host.find_first_not_of("0123456789.") == std::string_view::npos || host == "[::1]";
  }
  constexpr std::string_view kLocalSuffix = ".localhost";
  return host.find('.') == std::string_view::npos ||
         (host.size() > kLocalSuffix.size() &&
          EqualsIgnoringCase(host.substr(host.size() - kLocalSuffix.size()), kLocalSuffix));
}

bool IsLocalOrigin(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme != std::string_view::npos && IsLocalName(WithoutPort(origin.substr(scheme + 3)));
}

// The key as the request gives it; empty when it gives none.
Result<std::string_view> KeyOf(const HttpRequest& request) {
  if (request.CountHeader("Authorization") > 1 || request.CountHeader("X-API-Key") > 1) {
    return Unauthenticated("authentication: give one API key, not several");
  }
  std::string_view bearer = request.Header("Authorization");
  if (!bearer.empty()) {
    constexpr std::string_view kScheme = "Bearer ";
    if (bearer.size() <= kScheme.size() ||
        !EqualsIgnoringCase(bearer.substr(0, kScheme.size()), kScheme)) {
      return Unauthenticated("authentication: write the header as 'Authorization: Bearer KEY'");
    }
    bearer.remove_prefix(kScheme.size());
    bearer.remove_prefix(std::min(bearer.find_first_not_of(' '), bearer.size()));
  }
  const std::string_view plain = request.Header("X-API-Key");
  if (!bearer.empty() && !plain.empty() && bearer != plain) {
    return Unauthenticated("authentication: Authorization and X-API-Key name different keys");
  }
  return bearer.empty() ? plain : bearer;
}

}  // namespace

Authenticator::Authenticator(std::span<const ApiKey> keys) {
  entries_.reserve(keys.size());
  for (const ApiKey& key : keys) {
    entries_.push_back({Sha256Hex(key.key), Caller{key.tenant, key.admin}});
  }
}

Result<Caller> Authenticator::Authenticate(const HttpRequest& request) const {
  if (!HasKeys()) {
    if (!request.peer_is_loopback) {
      return Denied(
          "authentication: no API keys are set up, so only this machine may ask; set "
          "UMBRANET_API_KEYS on the server");
    }
    const std::string_view origin = request.Header("Origin");
    if ((!origin.empty() && !IsLocalOrigin(origin)) ||
        !IsLocalName(WithoutPort(request.Header("Host")))) {
      return Denied(
          "authentication: no API keys are set up, so pages from other hosts may not "
          "ask; use 127.0.0.1 or localhost, or set UMBRANET_API_KEYS on the server");
    }
    return Caller{std::string(kDefaultTenant), true};
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::string_view key, KeyOf(request));
  if (key.empty()) {
    return Unauthenticated(
        "authentication: an API key is needed; send 'Authorization: Bearer KEY' or 'X-API-Key: "
        "KEY'");
  }
  const std::string digest = Sha256Hex(key);
  const Entry* found = nullptr;
  // Every entry is compared in full, so that time tells nothing about the keys.
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) {
      found = &entry;
    }
  }
  if (found == nullptr) {
    return Unauthenticated("authentication: this API key is not known here");
  }
  return found->caller;
}

}  // namespace umbranet
