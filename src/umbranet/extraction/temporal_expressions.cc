#include "umbranet/extraction/temporal_expressions.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "umbranet/extraction/civil_calendar.h"
#include "umbranet/extraction/temporal_grammar.h"
#include "umbranet/extraction/temporal_lexer.h"
#include "umbranet/extraction/temporal_tense.h"

namespace umbranet {
namespace {

// Small words open an expression only together with a word that can go on with it: "the end", "in
// May", "that weekend". They are the most frequent words there are.
bool MayStart(std::span<const temporal::Token> tokens, std::size_t i) {
  static constexpr std::array kSmallWords = std::to_array<std::string_view>(
      {"the",  "a",   "an", "in", "at",   "for",   "this", "that", "from", "by",    "about",
       "over", "all", "as", "no", "just", "right", "some", "good", "new",  "after", "before"});
  if (!tokens[i].starter) {
    return false;
  }
  if (tokens[i].kind != temporal::TokenKind::kWord || tokens[i].text.size() > 6 ||
      std::find(kSmallWords.begin(), kSmallWords.end(), tokens[i].text) == kSmallWords.end()) {
    return true;
  }
  return i + 1 < tokens.size() && tokens[i + 1].starter && !tokens[i + 1].boundary;
}

}  // namespace

std::vector<TimeExpression> FindTimeExpressions(std::string_view text, Timestamp said_at,
                                                const TimeOptions& options) {
  std::vector<TimeExpression> found;
  const temporal::TokenisedText tokenised(text);
  const std::span<const temporal::Token> tokens = tokenised.tokens();
  const std::vector<temporal::Tense> tenses = temporal::TensesOf(tokens);
  const std::int64_t reference_ms = ToUnixMillis(said_at);
  temporal::ReferencePoint reference;
  reference.today = temporal::DayOfMs(reference_ms);
  // A reference outside of the calendar is moved to its edge.
  const std::int64_t day_ms = temporal::ToMs(reference.today);
  reference.ms =
      reference_ms >= day_ms && reference_ms < day_ms + temporal::kMsPerDay ? reference_ms : day_ms;
  reference.day_first = options.day_first;
  temporal::TokenWindow window(tokens);
  for (std::size_t i = 0; i < tokens.size();) {
    if (!MayStart(tokens, i)) {
      ++i;
      continue;
    }
    temporal::Direction direction = options.preference == TimePreference::kPast
                                        ? temporal::Direction::kPast
                                        : temporal::Direction::kFuture;
    if (tenses[i] == temporal::Tense::kPast) {
      direction = temporal::Direction::kPast;
    }
    if (tenses[i] == temporal::Tense::kFuture) {
      direction = temporal::Direction::kFuture;
    }
    reference.past_told = tenses[i] == temporal::Tense::kPast;
    auto reading = temporal::ReadExpression(window, i, direction, reference);
    if (!reading) {
      ++i;
      continue;
    }
    i = reading->next;
    found.push_back(std::move(reading->value));
  }
  return found;
}

}  // namespace umbranet
