// The reply when no language model is configured: it quotes what is remembered, says who said it
// and when, and says that no model is configured. It never makes anything up. Pure; may be called
// from any thread.
//
//   "Where does my sister live?"  ->  "You told me on 3 May: my sister Ana lives in Porto."
//   "Tom said on 3 May 2023: ..."     when somebody else said it, and in another year than this
//
// A question gets the remembered statement that answers it best (answer_matching.h): what still
// holds before what was superseded, the user's own words before the assistant's. The question
// itself, or an earlier one like it, is no answer. When nothing fits, the reply says so. A
// statement is acknowledged, with what is known about the same already.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/memory/memory_manager.h"

namespace umbranet {

struct OfflineRequest {
  std::string_view message;
  Timestamp asked_at{};
  const RecalledContext& recalled;
  // The turns that the recalled items name as their sources, as far as they could be read; they
  // tell whose words a fact was made from.
  const std::vector<Interaction>& sources;
};

// "What do you know about me?": a question with no word to recall by. What such a reply is made
// from has to be listed.
[[nodiscard]] bool AsksForOverview(std::string_view message);

[[nodiscard]] std::string ComposeOfflineReply(const OfflineRequest& request);

}  // namespace umbranet
