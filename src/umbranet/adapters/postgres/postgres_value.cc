#include "umbranet/adapters/postgres/postgres_value.h"

#include <bit>

namespace umbranet {

namespace {

std::uint64_t ReadUint(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) {
    value = (value << 8U) | static_cast<unsigned char>(byte);
  }
  return value;
}

}  // namespace

void PostgresValue::AppendUint64(std::uint64_t value, std::string& out) {
  AppendUint32(static_cast<std::uint32_t>(value >> 32U), out);
  AppendUint32(static_cast<std::uint32_t>(value & 0xFFFFFFFFU), out);
}

void PostgresValue::AppendUint32(std::uint32_t value, std::string& out) {
  out.append(4, '\0');
  WriteUint32(value, out, out.size() - 4);
}

void PostgresValue::WriteUint32(std::uint32_t value, std::string& out, std::size_t at) {
  for (std::size_t i = 0; i < 4; ++i) {
    out[at + i] = static_cast<char>((value >> (24U - 8U * i)) & 0xFFU);
  }
}

void PostgresValue::AppendDouble(double value, std::string& out) {
  AppendUint64(std::bit_cast<std::uint64_t>(value), out);
}

void PostgresValue::AppendFloat(float value, std::string& out) {
  AppendUint32(std::bit_cast<std::uint32_t>(value), out);
}

void PostgresValue::AppendArrayHead(PostgresType element, std::size_t size, bool has_null,
                                    std::string& out) {
  AppendUint32(size == 0 ? 0 : 1, out);
  AppendUint32(has_null ? 1 : 0, out);
  AppendUint32(static_cast<std::uint32_t>(element), out);
  if (size > 0) {
    AppendUint32(static_cast<std::uint32_t>(size), out);
    AppendUint32(1, out);
  }
}

std::optional<std::vector<std::string_view>> SplitPostgresArray(std::string_view bytes) {
  constexpr std::size_t kHead = 12;
  constexpr std::size_t kDimension = 8;
  constexpr std::uint64_t kNull = 0xFFFFFFFFU;
  std::vector<std::string_view> elements;
  if (bytes.size() < kHead) {
    return std::nullopt;
  }
  const std::uint64_t dimensions = ReadUint(bytes.substr(0, 4));
  bytes.remove_prefix(kHead);
  if (dimensions == 0) {
    return elements;
  }
  if (dimensions != 1 || bytes.size() < kDimension) {
    return std::nullopt;
  }
  const std::uint64_t size = ReadUint(bytes.substr(0, 4));
  bytes.remove_prefix(kDimension);
  for (std::uint64_t i = 0; i < size; ++i) {
    if (bytes.size() < 4) {
      return std::nullopt;
    }
    const std::uint64_t length = ReadUint(bytes.substr(0, 4));
    bytes.remove_prefix(4);
    if (length == kNull) {
      elements.emplace_back();
      continue;
    }
    if (bytes.size() < length) {
      return std::nullopt;
    }
    elements.push_back(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  return elements;
}

std::int64_t ReadPostgresInt(std::string_view bytes) {
  switch (bytes.size()) {
    case 1:
      return bytes[0] != '\0' ? 1 : 0;
    case 2:
      return static_cast<std::int16_t>(ReadUint(bytes));
    case 4:
      return static_cast<std::int32_t>(ReadUint(bytes));
    case 8:
      return static_cast<std::int64_t>(ReadUint(bytes));
    default:
      return 0;
  }
}

double ReadPostgresReal(std::string_view bytes) {
  if (bytes.size() == 4) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(ReadUint(bytes)));
  }
  return bytes.size() == 8 ? std::bit_cast<double>(ReadUint(bytes)) : 0.0;
}

}  // namespace umbranet
