#include "umbranet/http/message.h"

#include <algorithm>

namespace umbranet {
namespace {

constexpr char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [](char left, char right) { return Lower(left) == Lower(right); });
}

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const HeaderField& field : headers) {
    if (EqualsIgnoringCase(field.name, name)) {
      return field.value;
    }
  }
  return {};
}

std::size_t HttpRequest::CountHeader(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(),
      [name](const HeaderField& field) { return EqualsIgnoringCase(field.name, name); }));
}

}  // namespace umbranet
