// What a language model is asked about a batch of turns. Pure functions; any thread.
//
// The prompt names turns, known facts and speakers by short handles (t1, f1, p1): no id of a user,
// a tenant, a session or a turn is in it, and no model can answer about a turn that it was not
// shown. Everything that people said stands in quotation marks inside a block of its own
// (base/quoted_data.h), as data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "umbranet/domain/interaction.h"
#include "umbranet/ports/extractor.h"
#include "umbranet/ports/language_model.h"

namespace umbranet {

// What is asked for of each turn; a set of bits.
using AnswerParts = std::uint8_t;
inline constexpr AnswerParts kEpisodePart = 1;
inline constexpr AnswerParts kFactPart = 2;
inline constexpr AnswerParts kRulePart = 4;
inline constexpr AnswerParts kAllAnswerParts = 7;

// Bounds on what is shown. Bytes, of one text each.
struct PromptLimits {
  std::size_t message_bytes = 6'000;
  std::size_t reply_bytes = 800;  // The assistant's half, which is no evidence.
  std::size_t earlier_message_bytes = 300;
  std::size_t earlier_reply_bytes = 200;
  std::size_t known_bytes = 200;
  std::size_t entities = 40;
  std::size_t facts = 24;
  std::size_t rules = 30;
};

// "t1" for 0.
[[nodiscard]] std::string TurnHandle(std::size_t index);
[[nodiscard]] std::string FactHandle(std::size_t index);

// Who speaks in the turns beside the user, each once, in the order of their handles p1, p2.
[[nodiscard]] std::vector<std::string> OtherSpeakers(std::span<const Interaction> turns);

// The entities that the turns may mean: those of which a name's word is in them, then the most
// recently mentioned, `limit` at most.
[[nodiscard]] std::vector<Entity> RelevantEntities(const ExtractionInput& input, std::size_t limit);

// How many bytes a turn adds to a prompt, near enough to divide turns among prompts.
[[nodiscard]] std::size_t PromptBytesOf(const Interaction& turn, const PromptLimits& limits);

// The request for `input.turns`, all of one user.
[[nodiscard]] CompletionRequest BuildReflectionRequest(const ExtractionInput& input,
                                                       AnswerParts parts,
                                                       const PromptLimits& limits);

// The question that is asked once when an answer could not be used: the same request with the
// answer and what was wrong with it.
[[nodiscard]] CompletionRequest BuildRepairRequest(const CompletionRequest& request,
                                                   std::string_view answer,
                                                   std::string_view problem);

}  // namespace umbranet
