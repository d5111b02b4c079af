#include "umbranet/extraction/temporal_expressions.h"

#include <span>
#include <utility>

#include "umbranet/extraction/civil_calendar.h"
#include "umbranet/extraction/temporal_grammar.h"
#include "umbranet/extraction/temporal_lexer.h"
#include "umbranet/extraction/temporal_tense.h"

namespace umbranet {

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
    if (!temporal::MayStartExpression(tokens[i])) {
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
