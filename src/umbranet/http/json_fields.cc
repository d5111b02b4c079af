#include "umbranet/http/json_fields.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

namespace json = boost::json;

std::string Named(std::string_view where, std::string_view name) {
  std::string out = "'";
  if (!where.empty()) {
    out.append(where).append(".");
  }
  return out.append(name).append("'");
}

std::string Listed(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    out.append(out.empty() ? "" : ", ").append(name);
  }
  return out;
}

std::string FieldNames(const ObjectTable& table) {
  std::string out;
  for (const FieldTable& field : table.fields) {
    out.append(out.empty() ? "" : ", ").append(field.name);
  }
  return out;
}

Problem WrongType(const std::string& name, std::string_view wanted) {
  return {400, "wrong_type", name + " must be " + std::string(wanted)};
}

Problem BadValue(const std::string& name, const std::string& wanted) {
  return {400, "bad_value", name + " " + wanted};
}

std::optional<Problem> CheckText(const json::value& value, const FieldTable& field,
                                 const std::string& name) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    return WrongType(name, "a string");
  }
  const std::string_view content(text->data(), text->size());
  if (content.empty() && field.min > 0) {
    return Problem{400, "empty_field", name + " is empty; give it at least one character"};
  }
  if (content.size() > static_cast<std::size_t>(field.max)) {
    return Problem{400, "too_long",
                   name + " has " + std::to_string(content.size()) + " bytes; at most " +
                       std::to_string(field.max) + " are allowed"};
  }
  if (content.find('\0') != std::string_view::npos) {
    return BadValue(name, "contains a NUL character; remove it");
  }
  if (field.kind == FieldKind::kIdentifier && HasControlCharacters(content)) {
    return BadValue(name, "contains a control character; remove it");
  }
  if (field.kind == FieldKind::kTimestamp && !ParseTimestamp(content)) {
    return BadValue(name, "must be a time by RFC 3339, such as 2024-05-03T10:00:00Z");
  }
  if (field.kind == FieldKind::kChoice &&
      std::find(field.choices.begin(), field.choices.end(), content) == field.choices.end()) {
    return BadValue(name, "must be one of " + Listed(field.choices));
  }
  return std::nullopt;
}

std::optional<Problem> CheckInteger(const json::value& value, const FieldTable& field,
                                    const std::string& name) {
  const bool huge =
      value.is_uint64() &&
      value.get_uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_int64() && !value.is_uint64()) {
    return WrongType(name, "an integer");
  }
  const std::int64_t number = huge               ? std::numeric_limits<std::int64_t>::max()
                              : value.is_int64() ? value.get_int64()
                                                 : static_cast<std::int64_t>(value.get_uint64());
  if (number < field.min || number > field.max) {
    return Problem{
        400, "out_of_range",
        name + " must be from " + std::to_string(field.min) + " to " + std::to_string(field.max)};
  }
  return std::nullopt;
}

std::optional<Problem> CheckCount(std::size_t count, const FieldTable& field,
                                  const std::string& name) {
  if (count < static_cast<std::size_t>(field.min) || count > static_cast<std::size_t>(field.max)) {
    return Problem{400, "out_of_range",
                   name + " has " + std::to_string(count) + " members; give it " +
                       std::to_string(field.min) + " to " + std::to_string(field.max)};
  }
  return std::nullopt;
}

std::optional<Problem> CheckChoices(const json::value& value, const FieldTable& field,
                                    const std::string& name) {
  const json::array* array = value.if_array();
  if (array == nullptr) {
    return WrongType(name, "an array of strings");
  }
  if (auto problem = CheckCount(array->size(), field, name)) {
    return problem;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const json::value& member = (*array)[i];
    const json::string* text = member.if_string();
    if (text == nullptr || std::find(field.choices.begin(), field.choices.end(),
                                     std::string_view(*text)) == field.choices.end()) {
      return BadValue(name, "may hold only " + Listed(field.choices));
    }
    if (std::find(array->begin(), array->begin() + static_cast<std::ptrdiff_t>(i), member) !=
        array->begin() + static_cast<std::ptrdiff_t>(i)) {
      return BadValue(name, "holds '" + std::string(*text) + "' twice; name each once");
    }
  }
  return std::nullopt;
}

std::optional<Problem> CheckObjects(const json::value& value, const FieldTable& field,
                                    const std::string& name) {
  const json::array* array = value.if_array();
  if (array == nullptr) {
    return WrongType(name, "an array of objects");
  }
  if (auto problem = CheckCount(array->size(), field, name)) {
    return problem;
  }
  std::string where = name.substr(1, name.size() - 2) + "[";
  const std::size_t stem = where.size();
  for (std::size_t i = 0; i < array->size(); ++i) {
    where.resize(stem);
    where.append(std::to_string(i)).append("]");
    if (auto problem = CheckObject((*array)[i], *field.object, where)) {
      return problem;
    }
  }
  return std::nullopt;
}

std::optional<Problem> CheckField(const json::value& value, const FieldTable& field,
                                  std::string_view where) {
  const auto name = [&] { return Named(where, field.name); };
  switch (field.kind) {
    case FieldKind::kText:
    case FieldKind::kIdentifier:
    case FieldKind::kTimestamp:
    case FieldKind::kChoice:
      return CheckText(value, field, name());
    case FieldKind::kChoices:
      return CheckChoices(value, field, name());
    case FieldKind::kBoolean:
      return value.is_bool() ? std::nullopt : std::optional(WrongType(name(), "true or false"));
    case FieldKind::kInteger:
      return CheckInteger(value, field, name());
    case FieldKind::kObjects:
      return CheckObjects(value, field, name());
    case FieldKind::kObject:
      break;
  }
  if (!value.is_object()) {
    return WrongType(name(), "an object");
  }
  if (field.object != nullptr) {
    const std::string path = name();
    return CheckObject(value, *field.object, std::string_view(path).substr(1, path.size() - 2));
  }
  if (const std::size_t size = json::serialize(value).size();
      size > static_cast<std::size_t>(field.max)) {
    return Problem{400, "too_long",
                   name() + " has " + std::to_string(size) + " bytes; at most " +
                       std::to_string(field.max) + " are allowed"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Problem> CheckObject(const json::value& value, const ObjectTable& table,
                                   std::string_view where) {
  const json::object* object = value.if_object();
  if (object == nullptr) {
    return WrongType(where.empty() ? std::string("the body") : "'" + std::string(where) + "'",
                     "a JSON object");
  }
  for (const auto& member : *object) {
    const std::string_view name(member.key().data(), member.key().size());
    if (std::none_of(table.fields.begin(), table.fields.end(),
                     [name](const FieldTable& field) { return field.name == name; })) {
      return Problem{400, "unknown_field",
                     Named(where, TruncateUtf8(name, 100)) +
                         " is not a field here; the fields are " + FieldNames(table)};
    }
  }
  for (const FieldTable& field : table.fields) {
    const json::value* member = FindField(*object, field.name);
    if (member == nullptr) {
      if (field.required) {
        return Problem{400, "missing_field", Named(where, field.name) + " is missing; give it"};
      }
      continue;
    }
    if (auto problem = CheckField(*member, field, where)) {
      return problem;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> ParseBoundedInteger(std::string_view text, std::int64_t min,
                                                std::int64_t max) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) {
    return std::nullopt;
  }
  return value;
}

const json::value* FindField(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string_view> TextField(const json::object& object, std::string_view name) {
  const json::value* value = FindField(object, name);
  if (value == nullptr) {
    return std::nullopt;
  }
  const json::string& text = value->get_string();
  return std::string_view(text.data(), text.size());
}

std::int64_t IntegerField(const json::object& object, std::string_view name,
                          std::int64_t fallback) {
  const json::value* value = FindField(object, name);
  if (value == nullptr) {
    return fallback;
  }
  return value->is_int64() ? value->get_int64() : static_cast<std::int64_t>(value->get_uint64());
}

bool BooleanField(const json::object& object, std::string_view name, bool fallback) {
  const json::value* value = FindField(object, name);
  return value == nullptr ? fallback : value->get_bool();
}

std::optional<Timestamp> TimestampField(const json::object& object, std::string_view name) {
  const auto text = TextField(object, name);
  return text ? ParseTimestamp(*text) : std::nullopt;
}

}  // namespace umbranet
