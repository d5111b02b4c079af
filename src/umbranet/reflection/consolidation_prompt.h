// What a language model is asked about old episodes that are to become one, and what its answer is
// held to. Pure functions; any thread.
//
// The prompt names episodes by short handles (e1, e2): no id of a user, a session or a memory is in
// it, and no model can answer about an episode that it was not shown. What people said stands in
// quotation marks (base/quoted_data.h), as data.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"
#include "umbranet/domain/consolidated_episode.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

struct ConsolidationLimits {
  std::size_t shown_bytes_max = 1'000;  // Of one episode's text.
  std::size_t sentences_max = 12;
  std::size_t sentence_bytes_max = 400;
  std::size_t tokens_max = 300;  // Of the consolidated text.
};

// The request about `episodes`, oldest first; the account is the caller's to fill in.
[[nodiscard]] CompletionRequest BuildConsolidationRequest(std::span<const OldEpisode> episodes,
                                                          const ConsolidationLimits& limits);

// The consolidated text. An answer must be one object of exactly the form asked for, each of its
// sentences must name episodes that were shown, and the whole be shorter than they are. A sentence
// most of whose words are in none of the episodes that it names is left out; where that is more
// than half of them, or in anything else the answer is not what it must be: kBadGateway, with what
// is wrong.
[[nodiscard]] Result<std::string> ReadConsolidationAnswer(std::string_view answer,
                                                          std::span<const OldEpisode> episodes,
                                                          const ConsolidationLimits& limits);

}  // namespace umbranet
