#include <algorithm>
#include <string>
#include <utility>

#include "umbranet/extraction/fact_finder.h"

// Dated events and plans, attributes with one value at a time, and the corrections of both.

namespace umbranet {
namespace {

using Extra = FactSheet::Extra;

constexpr std::size_t kEventWordsMax = 14;

bool HasDigit(std::string_view word) {
  return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "the deadline", "my dentist appointment": the words of an attribute, without its article.
struct Attribute {
  Phrase name;
  std::size_t value = 0;  // First word after the verb.
  bool changed = false;   // "is now", "has been moved to"
};

bool IsAttributeWord(const WordStream& m, std::size_t i) {
  return !m.At(i).symbol &&
         !m.IsAny(i, {"that", "which",   "who",   "and",     "or",       "but",      "to",
                      "with", "because", "if",    "when",    "so",       "favorite", "favourite",
                      "name", "only",    "thing", "problem", "question", "way",      "idea",
                      "goal", "point",   "best",  "worst",   "first",    "same"});
}

std::optional<Attribute> ReadAttribute(const WordStream& m, const Clause& clause, std::size_t i) {
  constexpr std::size_t kNameWordsMax = 7;
  Attribute attribute;
  attribute.name = {i + 1, i + 1};
  std::size_t at = i + 1;
  while (at < clause.last && at < i + 1 + kNameWordsMax && IsAttributeWord(m, at)) {
    if (m.IsAny(at, {"is", "are", "was", "has", "have", "got", "will", "'s", "moved", "changed"})) {
      break;
    }
    ++at;
  }
  attribute.name.last = at;
  if (attribute.name.empty() || at >= clause.last) {
    return std::nullopt;
  }
  bool verb = false;
  for (; at < clause.last; ++at) {
    if (m.IsAny(at, {"is", "are", "was", "will", "be", "has", "been", "have", "got"})) {
      verb = true;
    } else if (m.IsAny(at, {"moved", "changed", "postponed", "rescheduled", "extended", "pushed",
                            "shifted", "updated", "increased", "decreased", "raised", "reduced",
                            "grown", "dropped"})) {
      verb = true;
      attribute.changed = true;
    } else if (m.IsAny(at, {"now", "currently"})) {
      attribute.changed = true;
    } else if (!m.IsAny(at, {"to",      "on",     "at",      "set",           "for",
                             "about",   "around", "only",    "just",          "actually",
                             "back",    "up",     "in",      "due",           "scheduled",
                             "planned", "by",     "exactly", "approximately", "roughly",
                             "still"})) {
      break;
    }
  }
  attribute.value = at;
  return verb && at < clause.last ? std::optional(attribute) : std::nullopt;
}

// The value up to the end of its clause, "at 7 pm, in the town hall" left out behind the comma.
Phrase ValueAt(const WordStream& m, std::size_t first, std::size_t end) {
  constexpr std::size_t kValueWordsMax = 8;
  Phrase value{first, first};
  for (std::size_t i = first; i < std::min(end, first + kValueWordsMax); ++i) {
    if (m.IsAny(i, {"because", "so", "but", "and", "which", "that", "since", "if", "when", "for",
                    "with", "while", "to"})) {
      break;
    }
    // "$50 on a new series": the number is the value.
    if (i > first && m.IsAny(i, {"on", "from", "in"}) && HasDigit(m.Text(i - 1))) {
      break;
    }
    value.last = i + 1;
  }
  return value;
}

bool OpensCorrection(const WordStream& m, const Sentence& sentence, std::size_t* at) {
  std::size_t i = sentence.first;
  bool opened = false;
  constexpr std::size_t kOpenersMax = 6;
  for (std::size_t n = 0; n < kOpenersMax; ++n) {
    if (m.IsAny(i, {"actually", "no", "sorry", "wait", "correction", "oops", "scratch", "rather",
                    "nope", "whoops"})) {
      opened = true;
      ++i;
    } else if (m.At(i).symbol || m.IsAny(i, {"that", "oh", "hmm", "well", "and", "but", "my", "bad",
                                             "i", "meant", "mean", "was", "wrong"})) {
      // "I meant Tuesday" corrects by itself.
      opened = opened || m.IsAny(i, {"meant"});
      ++i;
    } else {
      break;
    }
  }
  *at = i;
  return opened;
}

}  // namespace

void ReadEventFacts(const Statement& s, FactSheet& sheet) {
  const WordStream& m = sheet.m();
  if (s.negated || s.supposed || s.ended || s.end <= s.verb) {
    return;
  }
  const auto time = sheet.TimeWithin(s.subject_at, s.end);
  if (!time) {
    return;
  }
  // Verbs of saying and thinking are no events of their own.
  if (m.IsAny(s.verb, {"meant", "mean", "think", "thought", "said", "say", "guess", "told", "tell",
                       "asked", "remember", "know", "knew", "saying", "hope", "wish", "feel"})) {
    return;
  }
  // "I am happy today" is no event, "I am at the airport on Monday" is.
  const bool present = time->end - time->start <= Millis{1000};
  if (s.copula && (present || s.end - s.rest < 3)) {
    return;
  }
  const bool ahead = time->start > sheet.context().said_at || s.future;
  Phrase what{s.copula ? s.rest : s.verb, std::min(s.end, s.verb + kEventWordsMax)};
  std::string object = ObjectText(m, what);
  if (object.size() < 8) {
    return;
  }
  sheet.Add(s, ahead ? Predicate::kPlan : Predicate::kEvent, std::move(object), {});
}

namespace {

// Reads the attributes of one clause.
class AttributeReader {
 public:
  AttributeReader(const Clause& clause, FactSheet& sheet)
      : clause_(clause), sheet_(sheet), m_(sheet.m()) {}

  void Read() {
    for (std::size_t i = clause_.first; i + 2 < clause_.last; ++i) {
      if (m_.IsAny(i, {"my", "our", "the", "a", "an"})) {
        i = std::max(i, ReadDefined(i));
      }
    }
  }

 private:
  // "my budget is $500", "the deadline has moved to 15 April", "an increased budget of $650". The
  // last word read, or 0.
  std::size_t ReadDefined(std::size_t i) {
    // Relatives, pets and looks are read elsewhere.
    if (ReadMention(m_, i, clause_.last, sheet_.context().self)) {
      return 0;
    }
    if (const std::size_t last = ReadValueOf(i); last != 0) {
      return last;
    }
    if (m_.IsAny(i, {"a", "an"})) {
      return 0;
    }
    const auto attribute = ReadAttribute(m_, clause_, i);
    // "the" in the middle of a clause is too common, unless something has changed.
    const bool inner = m_.Is(i, "the") && i != clause_.first;
    if (!attribute || (inner && !attribute->changed)) {
      return 0;
    }
    const Phrase value = ValueAt(m_, attribute->value, clause_.last);
    return Add(attribute->name, value, attribute->changed, !m_.Is(i, "the"));
  }

  // "a new deadline of April 5": a noun that has a value, and its value behind "of".
  std::size_t ReadValueOf(std::size_t i) {
    constexpr std::size_t kNameWordsMax = 6;
    std::size_t of = i + 1;
    while (of < clause_.last && of < i + kNameWordsMax && !m_.Is(of, "of")) {
      ++of;
    }
    if (!m_.Is(of, "of") || !IsMeasure(m_.Text(of - 1))) {
      return 0;
    }
    std::size_t first = i + 1;
    bool changed = false;
    while (first + 1 < of && m_.IsAny(first, {"new", "updated", "increased", "revised", "reduced",
                                              "extended", "current", "total", "raised"})) {
      changed = changed || !m_.IsAny(first, {"current", "total"});
      ++first;
    }
    return Add({first, of}, ValueAt(m_, of + 1, clause_.last), changed, false);
  }

  static bool IsMeasure(std::string_view noun) {
    return noun == "deadline" || noun == "budget" || noun == "goal" || noun == "target" ||
           noun == "limit" || noun == "salary" || noun == "rent" || noun == "price" ||
           noun == "cost" || noun == "score" || noun == "weight" || noun == "height" ||
           noun == "total" || noun == "income" || noun == "average" || noun == "fee";
  }

  std::size_t Add(Phrase name, Phrase value, bool changed, bool names_too) {
    const auto time = sheet_.TimeWithin(value.first, value.last);
    bool number = false;
    for (std::size_t j = value.first; j < value.last; ++j) {
      number = number || HasDigit(m_.Text(j));
    }
    const bool named = names_too && !value.empty() && IsName(m_, value.first);
    if (value.empty() || m_.IsAny(value.first, {"not", "what", "how"}) ||
        !(time || number || named)) {
      return 0;
    }
    Statement statement;
    statement.subject.name = std::string(sheet_.context().self);
    statement.subject_at = value.first;  // The time of the value is the fact's.
    statement.verb = value.first;
    statement.end = value.last;
    Extra extra;
    extra.qualifier = ObjectText(m_, name);
    extra.supersedes = changed;
    sheet_.Add(statement, Predicate::kState, std::string(m_.Source(value.first, value.last)),
               extra);
    return value.last;
  }

  const Clause& clause_;
  FactSheet& sheet_;
  const WordStream& m_;
};

}  // namespace

void ReadAttributes(const Sentence& sentence, FactSheet& sheet) {
  for (const Clause& clause : sentence.clauses) {
    if (!clause.question && !clause.conditional && !clause.reported) {
      AttributeReader(clause, sheet).Read();
    }
  }
}

bool MayCorrect(const WordStream& message) {
  return std::any_of(message.sentences().begin(), message.sentences().end(),
                     [&message](const Sentence& sentence) {
                       std::size_t at = 0;
                       return !sentence.question && OpensCorrection(message, sentence, &at);
                     });
}

std::optional<PlannedFact> ReadCorrection(const FactContext& context,
                                          const std::vector<PlannedFact>& earlier) {
  const WordStream& m = context.message;
  for (const Sentence& sentence : m.sentences()) {
    std::size_t at = 0;
    if (sentence.question || !OpensCorrection(m, sentence, &at)) {
      continue;
    }
    if (m.IsAny(at, {"it", "that", "this"}) && m.IsAny(at + 1, {"is", "'s", "was", "will"})) {
      at += 2;
    } else if (m.Match(at, "make that") != 0 || m.Match(at, "make it") != 0 ||
               m.Match(at, "should be") != 0) {
      at += 2;
    }
    if (at >= sentence.last) {
      continue;
    }
    // The new time must open what is said now.
    constexpr std::size_t kReachBytes = 12;
    const std::size_t begin = m.At(at).begin;
    const auto told = std::find_if(
        context.times.begin(), context.times.end(), [&](const TimeExpression& expression) {
          return expression.begin >= begin && expression.begin <= begin + kReachBytes &&
                 expression.end <= sentence.end && expression.kind != TimeExpressionKind::kDuration;
        });
    if (told == context.times.end()) {
      continue;
    }
    for (auto fact = earlier.rbegin(); fact != earlier.rend(); ++fact) {
      const auto old = FindTimeExpressions(fact->object, context.said_at);
      if (old.empty() || fact->retracts) {
        continue;
      }
      PlannedFact corrected = *fact;
      const std::string value(m.Bytes(told->begin, told->end));
      const auto replace = [&](std::string& text) {
        const auto spans = FindTimeExpressions(text, context.said_at);
        if (!spans.empty()) {
          text.replace(spans.back().begin, spans.back().end - spans.back().begin, value);
        }
      };
      replace(corrected.object);
      replace(corrected.text);
      if (corrected.object == fact->object) {
        return std::nullopt;
      }
      if (told->range.start != kOpenStart) {
        corrected.valid_from = told->range.start;
      }
      corrected.supersedes = true;
      corrected.ends_object = fact->object;
      return corrected;
    }
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace umbranet
