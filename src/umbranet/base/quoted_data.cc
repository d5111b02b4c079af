#include "umbranet/base/quoted_data.h"

namespace umbranet {

std::string QuoteAsData(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted;
  quoted.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::string_view rest = text.substr(i);
    if (byte == '"' || byte == '\\') {
      quoted += {'\\', text[i]};
    } else if (byte == '\n') {
      quoted += "\\n";
    } else if (byte == '\t') {
      quoted += ' ';
    } else if (byte < 0x20 || byte == 0x7F || byte == '<') {
      quoted += "\\u00";
      quoted += {kHex[byte >> 4U], kHex[byte & 0xFU]};
    } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
      quoted += byte == 0xE2 && rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (rest.starts_with("\xC2\x85")) {
      quoted += "\\u0085";
      ++i;
    } else {
      quoted.push_back(text[i]);
    }
  }
  return quoted;
}

}  // namespace umbranet
