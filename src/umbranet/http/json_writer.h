// Writes JSON text piece by piece into a string. Commas look after themselves; the caller balances
// Begin and End. Not for use from several threads at once.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "umbranet/base/clock.h"

namespace umbranet {

class JsonWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit JsonWriter(std::string& out) : out_(out) {}

  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view name);

  // Bytes that are not UTF-8 become U+FFFD, so that the text is always JSON.
  JsonWriter& String(std::string_view value);
  JsonWriter& Unsigned(std::uint64_t value);
  JsonWriter& Signed(std::int64_t value);
  JsonWriter& Boolean(bool value);
  JsonWriter& Null();
  // With at most `decimals` digits after the point; what is not finite becomes 0.
  JsonWriter& Number(double value, int decimals);

  JsonWriter& Time(Timestamp time) { return String(FormatTimestamp(time)); }

  // `json` is a value in JSON already.
  JsonWriter& Raw(std::string_view json);

  JsonWriter& Field(std::string_view name, std::string_view value) {
    return Key(name).String(value);
  }

  JsonWriter& Field(std::string_view name, const char* value) { return Key(name).String(value); }

  template <std::same_as<bool> Bool>
  JsonWriter& Field(std::string_view name, Bool value) {
    return Key(name).Boolean(value);
  }

  template <std::unsigned_integral Count>
    requires(!std::same_as<Count, bool>)
  JsonWriter& Field(std::string_view name, Count value) {
    return Key(name).Unsigned(value);
  }

  JsonWriter& Field(std::string_view name, Timestamp time) { return Key(name).Time(time); }

 private:
  void Separate();

  std::string& out_;
  bool comma_ = false;
};

}  // namespace umbranet
