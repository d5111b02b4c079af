#include "umbranet/http/idempotency.h"

#include <algorithm>

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

constexpr std::size_t kKeyBytesMax = 255;

bool IsUsableKey(std::string_view key) {
  return key.size() <= kKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

// Another path or another body under the same key is another request.
std::string FingerprintOf(const HttpRequest& request) {
  std::string text;
  text.reserve(request.path.size() + request.body.size() + 1);
  text.append(request.path).append("\n").append(request.body);
  return Sha256Hex(text);
}

}  // namespace

IdempotentRequests::IdempotentRequests(const Clock& clock, Journal& journal, StructuredLog& log)
    : clock_(clock), journal_(journal), log_(log) {}

IdempotentRequests::Claim::Claim(Claim&& other) noexcept
    : requests_(std::exchange(other.requests_, nullptr)),
      tenant_(std::move(other.tenant_)),
      key_(std::move(other.key_)),
      fingerprint_(std::move(other.fingerprint_)),
      began_at_(other.began_at_) {}

IdempotentRequests::Claim::~Claim() {
  if (requests_ != nullptr) {
    requests_->Release(tenant_, key_);
  }
}

std::string IdempotentRequests::Claim::InteractionId(std::string_view user_id,
                                                     std::size_t index) const {
  if (requests_ == nullptr) {
    return {};
  }
  return NameUuidV5({"idempotency", tenant_, user_id, key_, std::to_string(index)});
}

void IdempotentRequests::Claim::Save(const UserKey& user, int status, const std::string& body,
                                     Deadline deadline) {
  if (requests_ == nullptr) {
    return;
  }
  StoredAnswer answer;
  answer.fingerprint = fingerprint_;
  answer.http_status = status;
  answer.body = body;
  answer.stored_at = requests_->clock_.Now();
  answer.began_at = began_at_;
  if (const Status saved = requests_->journal_.SaveAnswer(user, key_, answer, deadline);
      !saved.ok()) {
    requests_->log_.Warning("idempotent_answer_not_saved", {{"error", saved.error().message}});
  }
}

std::variant<IdempotentRequests::Claim, StoredAnswer, Problem> IdempotentRequests::Begin(
    const HttpRequest& request, Deadline deadline) {
  const std::string key(request.Header("Idempotency-Key"));
  if (key.empty()) {
    return Claim();
  }
  if (!IsUsableKey(key) || request.CountHeader("Idempotency-Key") > 1) {
    return Problem{400, "bad_idempotency_key",
                   "Idempotency-Key must be given once and have 1 to 255 visible ASCII characters"};
  }
  const std::string& tenant = request.caller.tenant;
  {
    MutexLock lock(mutex_);
    while (claimed_.contains({tenant, key})) {
      if (deadline.Expired()) {
        return Problem{409, "idempotency_key_in_use",
                       "a request with this Idempotency-Key is still being worked on; try again "
                       "in a second",
                       Millis{1000}};
      }
      released_.WaitFor(mutex_, Millis{50});
    }
    claimed_.insert({tenant, key});
  }
  Claim claim;
  claim.requests_ = this;
  claim.tenant_ = tenant;
  claim.key_ = key;
  claim.fingerprint_ = FingerprintOf(request);
  claim.began_at_ = clock_.Now();
  auto found = journal_.FindAnswer(tenant, key, deadline);
  if (!found.ok()) {
    return ProblemFromError(found.error());
  }
  if (!found->has_value()) {
    return claim;
  }
  StoredAnswer answer = **std::move(found);
  if (answer.fingerprint != claim.fingerprint_) {
    return Problem{422, "idempotency_key_reused",
                   "this Idempotency-Key was used for another request; use a new key for this one"};
  }
  return answer;
}

void IdempotentRequests::Release(const std::string& tenant, const std::string& key) {
  MutexLock lock(mutex_);
  claimed_.erase({tenant, key});
  released_.NotifyAll();
}

}  // namespace umbranet
