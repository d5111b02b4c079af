// A parameter of a statement, in PostgreSQL's binary form, so that no value is ever part of a
// statement's text and nothing has to be quoted.
//
//   bool                          boolean
//   integers, enums               bigint (which any integer column takes)
//   Timestamp                     bigint, Unix milliseconds: the columns of this program hold that
//   double, float                 double precision, real
//   strings                       text: valid UTF-8 without NUL, or the server refuses it
//   PostgresBytes                 bytea: any bytes
//   std::optional of these        the same or NULL
//   std::vector, std::span of them an array of the same; elements may be optional
//
// Values own their bytes. Pure; any thread.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "umbranet/base/clock.h"

namespace umbranet {

// Bytes that need not be text. Refers to what it was made from.
struct PostgresBytes {
  std::string_view bytes;
};

// The server's object identifiers of the types that are used here; they never change.
enum class PostgresType : std::uint32_t {
  kBool = 16,
  kBytes = 17,
  kBigint = 20,
  kText = 25,
  kReal = 700,
  kDouble = 701,
  kBoolArray = 1000,
  kBytesArray = 1001,
  kTextArray = 1009,
  kBigintArray = 1016,
  kRealArray = 1021,
  kDoubleArray = 1022,
};

class PostgresValue {
 public:
  template <typename T>
  static PostgresValue Of(const T& value) {
    PostgresValue made;
    made.type_ = Traits<T>::kType;
    made.is_null_ = !Traits<T>::Append(value, made.bytes_);
    return made;
  }

  [[nodiscard]] PostgresType type() const { return type_; }

  [[nodiscard]] bool is_null() const { return is_null_; }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  // kType, and Append(value, out), which is false for NULL.
  template <typename T>
  struct Traits;

  template <typename Element>
  static bool AppendArray(std::span<const Element> elements, std::string& out);
  // Big-endian, as everything in the protocol.
  static void AppendUint64(std::uint64_t value, std::string& out);
  static void AppendUint32(std::uint32_t value, std::string& out);
  static void AppendDouble(double value, std::string& out);
  static void AppendFloat(float value, std::string& out);
  // One dimension counted from 1; no elements at all are an array without a dimension.
  static void AppendArrayHead(PostgresType element, std::size_t size, bool has_null,
                              std::string& out);
  static void WriteUint32(std::uint32_t value, std::string& out, std::size_t at);

  static constexpr PostgresType ArrayOf(PostgresType element) {
    switch (element) {
      case PostgresType::kBool:
        return PostgresType::kBoolArray;
      case PostgresType::kBytes:
        return PostgresType::kBytesArray;
      case PostgresType::kBigint:
        return PostgresType::kBigintArray;
      case PostgresType::kReal:
        return PostgresType::kRealArray;
      case PostgresType::kDouble:
        return PostgresType::kDoubleArray;
      default:
        return PostgresType::kTextArray;
    }
  }

  PostgresType type_ = PostgresType::kText;
  bool is_null_ = false;
  std::string bytes_;
};

template <>
struct PostgresValue::Traits<bool> {
  static constexpr PostgresType kType = PostgresType::kBool;

  static bool Append(bool value, std::string& out) {
    out.push_back(value ? '\1' : '\0');
    return true;
  }
};

template <typename T>
  requires(std::integral<T> || std::is_enum_v<T>)
struct PostgresValue::Traits<T> {
  static constexpr PostgresType kType = PostgresType::kBigint;

  static bool Append(T value, std::string& out) {
    AppendUint64(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)), out);
    return true;
  }
};

template <>
struct PostgresValue::Traits<Timestamp> {
  static constexpr PostgresType kType = PostgresType::kBigint;

  static bool Append(Timestamp value, std::string& out) {
    return Traits<std::int64_t>::Append(ToUnixMillis(value), out);
  }
};

template <>
struct PostgresValue::Traits<double> {
  static constexpr PostgresType kType = PostgresType::kDouble;

  static bool Append(double value, std::string& out) {
    AppendDouble(value, out);
    return true;
  }
};

template <>
struct PostgresValue::Traits<float> {
  static constexpr PostgresType kType = PostgresType::kReal;

  static bool Append(float value, std::string& out) {
    AppendFloat(value, out);
    return true;
  }
};

template <typename T>
  requires std::convertible_to<const T&, std::string_view>
struct PostgresValue::Traits<T> {
  static constexpr PostgresType kType = PostgresType::kText;

  static bool Append(std::string_view value, std::string& out) {
    out.append(value);
    return true;
  }
};

template <>
struct PostgresValue::Traits<PostgresBytes> {
  static constexpr PostgresType kType = PostgresType::kBytes;

  static bool Append(PostgresBytes value, std::string& out) {
    out.append(value.bytes);
    return true;
  }
};

template <typename T>
struct PostgresValue::Traits<std::optional<T>> {
  static constexpr PostgresType kType = Traits<T>::kType;

  static bool Append(const std::optional<T>& value, std::string& out) {
    return value.has_value() && Traits<T>::Append(*value, out);
  }
};

template <typename T>
struct PostgresValue::Traits<std::span<const T>> {
  static constexpr PostgresType kType = ArrayOf(Traits<T>::kType);

  static bool Append(std::span<const T> values, std::string& out) {
    return AppendArray<T>(values, out);
  }
};

template <typename T>
struct PostgresValue::Traits<std::vector<T>> : Traits<std::span<const T>> {};

template <typename Element>
bool PostgresValue::AppendArray(std::span<const Element> elements, std::string& out) {
  const std::size_t head = out.size();
  AppendArrayHead(Traits<Element>::kType, elements.size(), /*has_null=*/false, out);
  bool has_null = false;
  for (const Element& element : elements) {
    const std::size_t at = out.size();
    AppendUint32(0, out);
    if (Traits<Element>::Append(element, out)) {
      WriteUint32(static_cast<std::uint32_t>(out.size() - at - 4), out, at);
    } else {
      WriteUint32(0xFFFFFFFFU, out, at);
      has_null = true;
    }
  }
  WriteUint32(has_null ? 1 : 0, out, head + 4);
  return true;
}

// The elements of an array in binary form; NULLs read as "". Nothing when it is none, or has more
// than one dimension.
std::optional<std::vector<std::string_view>> SplitPostgresArray(std::string_view bytes);

// Integers of 2, 4 and 8 bytes and booleans; 0 for anything else.
std::int64_t ReadPostgresInt(std::string_view bytes);
// Reals of 4 and 8 bytes; 0 for anything else.
double ReadPostgresReal(std::string_view bytes);

}  // namespace umbranet
