// What requests may contain. Every request object has one table of its fields; a request is checked
// against it before a handler reads anything, and the OpenAPI document is held against it by a
// test. Pure functions.
//
// An optional field given as null counts as left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "umbranet/base/clock.h"
#include "umbranet/http/problem.h"

namespace umbranet {

enum class FieldKind {
  kText,        // Any characters but NUL.
  kIdentifier,  // No control characters.
  kTimestamp,   // RFC 3339.
  kChoice,      // One of `choices`.
  kChoices,     // An array of different ones of `choices`.
  kBoolean,
  kInteger,
  kObject,   // Any object; min and max are bytes of its text. With `object`, one of that form.
  kObjects,  // An array of objects of the form `object`.
};

struct ObjectTable;

struct FieldTable {
  std::string_view name;
  FieldKind kind = FieldKind::kText;
  bool required = false;
  // Bytes of a text, value of an integer, members of an array.
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::span<const std::string_view> choices = {};
  const ObjectTable* object = nullptr;
};

struct ObjectTable {
  std::string_view name;  // Its schema's name in the OpenAPI document.
  std::span<const FieldTable> fields;
};

// What is wrong with `value`, first of all the fields it should not have. `where` is put before
// names in the detail: "items[3]".
std::optional<Problem> CheckObject(const boost::json::value& value, const ObjectTable& table,
                                   std::string_view where = {});

// An integer field of a query string; empty when the text is no integer between `min` and `max`.
std::optional<std::int64_t> ParseBoundedInteger(std::string_view text, std::int64_t min,
                                                std::int64_t max);

// Reading of an object that was checked. The field, or nothing when it is left out or null.
const boost::json::value* FindField(const boost::json::object& object, std::string_view name);
std::optional<std::string_view> TextField(const boost::json::object& object, std::string_view name);
std::int64_t IntegerField(const boost::json::object& object, std::string_view name,
                          std::int64_t fallback);
bool BooleanField(const boost::json::object& object, std::string_view name, bool fallback);
std::optional<Timestamp> TimestampField(const boost::json::object& object, std::string_view name);

}  // namespace umbranet
