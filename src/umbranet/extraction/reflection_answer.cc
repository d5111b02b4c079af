#include "umbranet/extraction/reflection_answer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 12;
constexpr std::size_t kAnswerBytesMax = std::size_t{4} << 20U;
constexpr std::size_t kNameBytesMax = 120;
constexpr std::size_t kTextBytesMax = 400;
constexpr std::size_t kReasonBytesMax = 80;
constexpr std::size_t kFactsMax = 32;
constexpr std::size_t kRulesMax = 16;
constexpr std::size_t kListMax = 8;

// One line, without control characters, cut between characters.
std::string Line(std::string_view text, std::size_t bytes_max) {
  std::string line;
  for (const char c : TruncateUtf8(text, 2 * bytes_max)) {
    const bool blank = static_cast<unsigned char>(c) <= 0x20 || c == '\x7f';
    if (!blank) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ' ') {
      line.push_back(' ');
    }
  }
  line.resize(TruncateUtf8(line, bytes_max).size());
  while (line.ends_with(' ')) {
    line.pop_back();
  }
  return line;
}

// The members of one object. A member that is missing or of another type makes it not Ok; it is
// looked at once, at the end.
class Members {
 public:
  explicit Members(const json::value& value) : object_(value.if_object()) {
    ok_ = object_ != nullptr;
  }

  [[nodiscard]] bool Ok() const { return ok_; }

  std::string Text(std::string_view name, std::size_t bytes_max) {
    const json::value* value = Take(name);
    const json::string* text = value == nullptr ? nullptr : value->if_string();
    if (text == nullptr) {
      ok_ = false;
      return {};
    }
    return Line({text->data(), text->size()}, bytes_max);
  }

  bool Flag(std::string_view name) {
    const json::value* value = Take(name);
    const bool* flag = value == nullptr ? nullptr : value->if_bool();
    ok_ = ok_ && flag != nullptr;
    return flag != nullptr && *flag;
  }

  double Share(std::string_view name) {
    const json::value* value = Take(name);
    if (value == nullptr || !value->is_number()) {
      ok_ = false;
      return 0;
    }
    const auto number = value->to_number<double>();
    return std::isfinite(number) ? std::clamp(number, 0.0, 1.0) : 0.0;
  }

  template <typename Value, typename Parse>
  Value OneOf(std::string_view name, Value fallback, Parse parse) {
    const std::optional<Value> value = parse(Text(name, kNameBytesMax));
    ok_ = ok_ && value.has_value();
    return value.value_or(fallback);
  }

  std::vector<std::string> Texts(std::string_view name, std::size_t bytes_max) {
    std::vector<std::string> texts;
    for (const json::value& value : List(name, kListMax)) {
      if (const json::string* text = value.if_string(); text != nullptr && !text->empty()) {
        texts.push_back(Line({text->data(), text->size()}, bytes_max));
      }
    }
    return texts;
  }

  // The first `max` of a list.
  std::vector<json::value> List(std::string_view name, std::size_t max) {
    const json::value* value = Take(name);
    const json::array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) {
      ok_ = false;
      return {};
    }
    return {array->begin(),
            array->begin() + static_cast<std::ptrdiff_t>(std::min(max, array->size()))};
  }

 private:
  const json::value* Take(std::string_view name) {
    return object_ == nullptr ? nullptr : object_->if_contains(name);
  }

  const json::object* object_;
  bool ok_ = true;
};

std::optional<RuleKind> ParseKind(std::string_view name) {
  if (name == "instruction") {
    return RuleKind::kInstruction;
  }
  return name == "preference" ? std::optional(RuleKind::kPreference) : std::nullopt;
}

std::optional<EntityDraft> ReadEntity(const json::value& value) {
  Members members(value);
  EntityDraft draft;
  draft.name = members.Text("name", kNameBytesMax);
  draft.type = members.OneOf("type", EntityType::kOther, ParseEntityType);
  draft.aliases = members.Texts("aliases", kNameBytesMax);
  if (!members.Ok() || draft.name.empty()) {
    return std::nullopt;
  }
  return draft;
}

std::optional<FactDraft> ReadFact(const json::value& value) {
  Members members(value);
  FactDraft draft;
  draft.subject = members.Text("subject", kNameBytesMax);
  draft.subject_type = members.OneOf("subject_type", EntityType::kOther, ParseEntityType);
  draft.predicate = members.OneOf("predicate", Predicate::kOther, ParsePredicate);
  draft.qualifier = members.Text("qualifier", kNameBytesMax);
  draft.object = members.Text("object", kTextBytesMax);
  const std::string object_type = members.Text("object_type", kNameBytesMax);
  draft.object_type = ParseEntityType(object_type);
  draft.negated = members.Flag("negated");
  draft.ended = members.Flag("ended");
  draft.text = members.Text("text", kTextBytesMax);
  draft.from = ReadDay(members.Text("from", kNameBytesMax));
  draft.to = ReadDay(members.Text("to", kNameBytesMax));
  draft.replaces = members.Texts("replaces", kNameBytesMax);
  draft.certainty = members.Share("certainty");
  draft.quote = members.Text("quote", kTextBytesMax);
  if (!members.Ok() || draft.subject.empty() || draft.object.empty() ||
      (!draft.object_type && object_type != "value")) {
    return std::nullopt;
  }
  if (draft.text.empty()) {
    draft.text = draft.object;
  }
  return draft;
}

std::optional<RuleDraft> ReadRule(const json::value& value) {
  Members members(value);
  RuleDraft draft;
  draft.kind = members.OneOf("kind", RuleKind::kInstruction, ParseKind);
  draft.text = members.Text("text", kTextBytesMax);
  draft.scope = members.Text("scope", kNameBytesMax);
  draft.negative = members.Flag("negative");
  draft.withdraws = members.Flag("withdraws");
  draft.strength = members.Share("strength");
  draft.quote = members.Text("quote", kTextBytesMax);
  if (!members.Ok() || draft.text.empty()) {
    return std::nullopt;
  }
  return draft;
}

std::optional<TimeRange> ReadDates(const json::value& value) {
  Members members(value);
  const auto from = ReadDay(members.Text("from", kNameBytesMax));
  const auto to = ReadDay(members.Text("to", kNameBytesMax));
  if (!members.Ok() || (!from && !to)) {
    return std::nullopt;
  }
  const TimeRange range{(from ? *from : *to).start, (to ? *to : *from).end};
  return range.start < range.end ? std::optional(range) : std::nullopt;
}

template <typename Item>
std::vector<Item> ReadItems(Members& members, std::string_view name, std::size_t max,
                            std::optional<Item> (*read)(const json::value&), std::size_t& refused) {
  std::vector<Item> items;
  for (const json::value& value : members.List(name, max)) {
    if (std::optional<Item> item = read(value)) {
      items.push_back(std::move(*item));
    } else {
      ++refused;
    }
  }
  return items;
}

// `formed`: it has the form asked for, whether or not it says anything.
std::optional<TurnDraft> ReadTurn(const json::value& value, AnswerParts parts, std::size_t& refused,
                                  bool& formed) {
  Members members(value);
  TurnDraft draft;
  if ((parts & kEpisodePart) != 0) {
    draft.keep = members.Flag("keep");
    draft.skip_reason = members.Text("skip_reason", kReasonBytesMax);
    draft.summary = members.Text("summary", kTextBytesMax);
    draft.importance = members.Share("importance");
    draft.dates = ReadItems<TimeRange>(members, "dates", kListMax, &ReadDates, refused);
  }
  if ((parts & kFactPart) != 0) {
    draft.entities = ReadItems<EntityDraft>(members, "entities", kFactsMax, &ReadEntity, refused);
    draft.facts = ReadItems<FactDraft>(members, "facts", kFactsMax, &ReadFact, refused);
  }
  if ((parts & kRulePart) != 0) {
    draft.rules = ReadItems<RuleDraft>(members, "rules", kRulesMax, &ReadRule, refused);
  }
  // A turn that is to go without a reason is one that nobody decided about.
  const bool decided = draft.keep || !draft.skip_reason.empty();
  formed = members.Ok();
  return formed && decided ? std::optional(std::move(draft)) : std::nullopt;
}

// "2024-05" and 0 give 2024, and 1 gives 5; nothing where there is no number.
std::optional<int> NumberAt(std::string_view text, std::size_t begin, std::size_t size) {
  int number = 0;
  const char* first = text.data() + begin;
  const auto [end, error] = std::from_chars(first, first + size, number);
  return error == std::errc() && end == first + size && number >= 0 ? std::optional(number)
                                                                    : std::nullopt;
}

Timestamp StartOf(std::chrono::year_month_day day) {
  return Timestamp(std::chrono::sys_days(day));
}

}  // namespace

bool ReflectionAnswer::Usable() const {
  return std::any_of(turns.begin(), turns.end(),
                     [](const auto& draft) { return draft.has_value(); });
}

std::string_view FindAnswerObject(std::string_view text) {
  constexpr std::string_view kThinkEnd = "</think>";
  // Some servers leave out where the thinking begins.
  if (const std::size_t end = text.rfind(kThinkEnd); end != std::string_view::npos) {
    text.remove_prefix(end + kThinkEnd.size());
  } else if (const std::size_t begin = text.find("<think>"); begin != std::string_view::npos) {
    text = text.substr(0, begin);  // It never came to an end.
  }
  const std::size_t open = text.find('{');
  const std::size_t close = text.rfind('}');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return {};
  }
  return text.substr(open, close - open + 1);
}

ReflectionAnswer ReadReflectionAnswer(std::string_view text, std::size_t turns, AnswerParts parts) {
  ReflectionAnswer answer;
  answer.turns.resize(turns);
  const std::string_view object_text = FindAnswerObject(text);
  if (object_text.empty() || object_text.size() > kAnswerBytesMax) {
    answer.problem = "there is no JSON object in it";
    return answer;
  }
  json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code error;
  const json::value root =
      json::parse(json::string_view(object_text.data(), object_text.size()), error, {}, options);
  if (error) {
    answer.problem = "it is not valid JSON (" + error.message() + ")";
    return answer;
  }
  const json::object& object = root.get_object();
  std::string missing;
  for (std::size_t i = 0; i < turns; ++i) {
    const json::value* value = object.if_contains(TurnHandle(i));
    bool formed = false;
    if (value != nullptr) {
      answer.turns[i] = ReadTurn(*value, parts, answer.items_refused, formed);
    }
    if (!formed) {
      missing += (missing.empty() ? "" : ", ") + TurnHandle(i);
    }
  }
  if (!missing.empty()) {
    answer.problem = "these members are missing or not of the form asked for: " + missing;
  }
  return answer;
}

std::optional<TimeRange> ReadDay(std::string_view text) {
  using std::chrono::day;
  using std::chrono::month;
  using std::chrono::year;
  constexpr int kYearMin = 1'600;
  constexpr int kYearMax = 2'400;
  if (text.size() < 4) {
    return std::nullopt;
  }
  const auto y = NumberAt(text, 0, 4);
  if (!y || *y < kYearMin || *y > kYearMax) {
    return std::nullopt;
  }
  if (text.size() == 4) {
    return TimeRange{StartOf(year(*y) / 1 / 1), StartOf(year(*y + 1) / 1 / 1)};
  }
  const auto m = text.size() >= 7 && text[4] == '-' ? NumberAt(text, 5, 2) : std::nullopt;
  if (!m || *m < 1 || *m > 12) {
    return std::nullopt;
  }
  const auto of_month = year(*y) / month(static_cast<unsigned>(*m));
  if (text.size() == 7) {
    return TimeRange{StartOf(of_month / 1), StartOf((of_month + std::chrono::months(1)) / 1)};
  }
  if (text.size() == 10 && text[7] == '-') {
    const auto d = NumberAt(text, 8, 2);
    const auto date = of_month / day(d ? static_cast<unsigned>(*d) : 0U);
    if (!d || !date.ok()) {
      return std::nullopt;
    }
    return TimeRange{StartOf(date), StartOf(date) + std::chrono::days(1)};
  }
  if (const auto time = ParseTimestamp(text)) {
    return TimeRange{*time, *time + std::chrono::seconds(1)};
  }
  return std::nullopt;
}

}  // namespace umbranet
