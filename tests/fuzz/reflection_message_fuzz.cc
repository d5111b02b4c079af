// Whatever a foreign producer puts into the queue: it is refused, or it is a turn that the journal
// may be given, which reads back the same when it is written again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "umbranet/adapters/rabbitmq/reflection_message.h"
#include "umbranet/base/utf8.h"

namespace {

using umbranet::Interaction;

void Require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

void CheckTurn(const Interaction& turn) {
  for (const std::string* id : {&turn.user.tenant, &turn.user.user_id, &turn.interaction_id,
                                &turn.session_id, &turn.speaker}) {
    Require(!id->empty() && id->size() <= 256 && umbranet::IsValidUtf8(*id) &&
            !umbranet::HasControlCharacters(*id));
  }
  Require(!turn.user_message.empty() && umbranet::IsValidUtf8(turn.user_message) &&
          umbranet::IsValidUtf8(turn.assistant_response));
  Require(umbranet::RoutingKey(turn.user.user_id).size() <= 255);
}

// Metadata aside: a fraction in it need not survive being read by bit.
bool SameTurn(const Interaction& a, const Interaction& b) {
  return a.user == b.user && a.interaction_id == b.interaction_id && a.session_id == b.session_id &&
         a.speaker == b.speaker && a.user_message == b.user_message &&
         a.assistant_response == b.assistant_response && a.priority == b.priority &&
         a.origin == b.origin && a.occurred_at == b.occurred_at && a.accepted_at == b.accepted_at;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto job = umbranet::DecodeJob(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!job.ok()) {
    return 0;
  }
  CheckTurn(job->turn);
  umbranet::ReflectionJob as_job;
  as_job.user = job->turn.user;
  as_job.interaction_id = job->turn.interaction_id;
  const auto bytes = umbranet::EncodeJob(as_job, job->turn);
  if (!bytes.has_value()) {
    return 0;  // Too long to travel whole.
  }
  const auto again = umbranet::DecodeJob(*bytes);
  Require(again.ok() && SameTurn(again->turn, job->turn));
  return 0;
}
