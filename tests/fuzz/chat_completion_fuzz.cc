// Any bytes for the events of a streamed completion: an answer or a failure comes of them, and the
// text is what the sink has seen.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/adapters/openai/streamed_answer.h"

namespace {

constexpr std::string_view kSecret = "sk-5ecret";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using umbranet::StreamedAnswer;
  std::string_view events(reinterpret_cast<const char*>(data), size);
  std::string seen;
  const umbranet::DeltaSink sink = [&seen](std::string_view piece) {
    seen += piece;
    return seen.size() < 64;
  };
  StreamedAnswer answer(sink, {}, {"model", "http://localhost", kSecret});
  StreamedAnswer::State state = StreamedAnswer::State::kOpen;
  while (state == StreamedAnswer::State::kOpen && !events.empty()) {
    const std::size_t end = std::min(events.find('\n'), events.size());
    state = answer.Take(events.substr(0, end));
    events.remove_prefix(std::min(end + 1, events.size()));
  }
  if (state == StreamedAnswer::State::kOpen) {
    state = answer.End();
  }
  if (state == StreamedAnswer::State::kFailed) {
    if (answer.TakeFailure().error.message.find(kSecret) != std::string::npos) {
      std::abort();
    }
  } else if (answer.TakeCompletion().text != seen || seen.empty()) {
    std::abort();
  }
  return 0;
}
