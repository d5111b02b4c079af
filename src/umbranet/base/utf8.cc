#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

// Bytes of the well-formed sequence that starts at `at`, 0 when there is none.
std::size_t SequenceSize(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto tail = [&](std::size_t i) {
    return at + i < text.size() && (byte(i) & 0xc0U) == 0x80U;
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80U) {
    return 1;
  }
  if (lead >= 0xc2U && lead <= 0xdfU) {
    return tail(1) ? 2 : 0;
  }
  if (lead >= 0xe0U && lead <= 0xefU) {
    if (!tail(1) || !tail(2) || (lead == 0xe0U && byte(1) < 0xa0U) ||
        (lead == 0xedU && byte(1) > 0x9fU)) {
      return 0;
    }
    return 3;
  }
  if (lead >= 0xf0U && lead <= 0xf4U) {
    if (!tail(1) || !tail(2) || !tail(3) || (lead == 0xf0U && byte(1) < 0x90U) ||
        (lead == 0xf4U && byte(1) > 0x8fU)) {
      return 0;
    }
    return 4;
  }
  return 0;
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = SequenceSize(text, at);
    if (size == 0) {
      return false;
    }
    at += size;
  }
  return true;
}

bool HasControlCharacters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20U || byte == 0x7fU) {
      return true;
    }
    if (byte == 0xc2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0U) {
      return true;
    }
  }
  return false;
}

std::string_view TruncateUtf8(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end);
}

}  // namespace umbranet
