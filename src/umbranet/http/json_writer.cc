#include "umbranet/http/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void AppendEscaped(std::string& out, std::string_view text) {
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20U && byte != '"' && byte != '\\' && byte != 0x7fU) {
      continue;
    }
    out.append(text.substr(from, i - from));
    from = i + 1;
    switch (byte) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out += kHexDigits[byte >> 4U];
        out += kHexDigits[byte & 0x0fU];
    }
  }
  out.append(text.substr(from));
}

// The text with every byte that is no part of a character replaced.
std::string Repaired(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    std::size_t size = 1;
    const auto lead = static_cast<unsigned char>(text.front());
    if (lead >= 0xc2U) {
      size = lead >= 0xf0U ? 4 : lead >= 0xe0U ? 3 : 2;
    }
    const std::string_view character = text.substr(0, size);
    if (character.size() == size && IsValidUtf8(character)) {
      out.append(character);
      text.remove_prefix(size);
    } else {
      out.append("\xef\xbf\xbd");
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace

void JsonWriter::Separate() {
  if (comma_) {
    out_ += ',';
  }
  comma_ = true;
}

JsonWriter& JsonWriter::BeginObject() {
  Separate();
  out_ += '{';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  out_ += '}';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  Separate();
  out_ += '[';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  out_ += ']';
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  String(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  out_ += '"';
  if (IsValidUtf8(value)) {
    AppendEscaped(out_, value);
  } else {
    AppendEscaped(out_, Repaired(value));
  }
  out_ += '"';
  return *this;
}

JsonWriter& JsonWriter::Unsigned(std::uint64_t value) {
  Separate();
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out_.append(text.data(), end);
  return *this;
}

JsonWriter& JsonWriter::Signed(std::int64_t value) {
  Separate();
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  out_.append(text.data(), end);
  return *this;
}

JsonWriter& JsonWriter::Boolean(bool value) {
  Separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::Null() {
  Separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::Number(double value, int decimals) {
  Separate();
  std::array<char, 64> text{};
  // Beyond 1e15 the fraction is lost in a double anyway, and fixed notation would overflow the
  // buffer.
  if (!std::isfinite(value) || std::fabs(value) > 1e15) {
    value = 0;
  }
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, decimals)
                       .ptr;
  std::string_view written(text.data(), static_cast<std::size_t>(end - text.data()));
  if (decimals > 0) {
    written.remove_suffix(written.size() - 1 - written.find_last_not_of('0'));
    if (written.ends_with('.')) {
      written.remove_suffix(1);
    }
  }
  out_.append(written == "-0" ? std::string_view("0") : written);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  Separate();
  out_.append(json);
  return *this;
}

}  // namespace umbranet
