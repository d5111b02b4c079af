#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "umbranet/extraction/temporal_lexer.h"

namespace umbranet::temporal {

// What the verbs around a word say about time. "I went on Friday" and "I'll go on Friday" name two
// different Fridays; a hand-made list of verb forms tells them apart well enough, without parsing.

enum class Tense : std::uint8_t { kUntold, kPast, kFuture };

// For every token, the tense that the nearest telling verb of its sentence gives: the one before it
// when there is one, else the one after it. Linear in the number of tokens.
[[nodiscard]] std::vector<Tense> TensesOf(std::span<const Token> tokens);

}  // namespace umbranet::temporal
