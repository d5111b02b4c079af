#include "umbranet/domain/reflection_job.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kReady:
      return "queued";
    case JobState::kLeased:
      return "leased";
    case JobState::kDone:
      return "reflected";
    case JobState::kDead:
      return "dead";
    case JobState::kRetryWait:
      return "retrying";
    case JobState::kCancelled:
      return "cancelled";
    case JobState::kSpooled:
      return "spooled";
  }
  return "queued";
}

std::string_view FailureKindName(FailureKind kind) {
  switch (kind) {
    case FailureKind::kTransient:
      return "transient";
    case FailureKind::kSystemic:
      return "systemic";
    case FailureKind::kPermanent:
      return "permanent";
  }
  return "transient";
}

std::string MakeJobId(const UserKey& user, std::string_view interaction_id,
                      std::uint32_t generation) {
  return NameUuidV5({"job", user.tenant, user.user_id, interaction_id, std::to_string(generation)});
}

}  // namespace umbranet
