#include "umbranet/http/response_text.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>

#include "umbranet/http/problem.h"

namespace umbranet {
namespace {

void AppendNumber(std::string& out, std::size_t value, int base) {
  std::array<char, 24> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, base).ptr;
  out.append(text.data(), end);
}

// IMF-fixdate of RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string FormatDate(std::chrono::sys_seconds now) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{now - day};
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d GMT",
      kDays.at(std::chrono::weekday{day}.c_encoding()), static_cast<unsigned>(date.day()),
      kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

// Worked out once a second and thread, not once a response.
const std::string& DateNow(Timestamp now) {
  thread_local std::chrono::sys_seconds second{};
  thread_local std::string text;
  const auto current = std::chrono::floor<std::chrono::seconds>(now);
  if (text.empty() || current != second) {
    second = current;
    text = FormatDate(current);
  }
  return text;
}

}  // namespace

std::string RenderHead(const HttpResponse& response, BodyFraming framing, bool keep_alive,
                       Timestamp now) {
  std::string head;
  head.reserve(256);
  head += "HTTP/1.1 ";
  AppendNumber(head, static_cast<std::size_t>(response.status), 10);
  head += ' ';
  head += ReasonPhrase(response.status);
  head += "\r\nDate: ";
  head += DateNow(now);
  if (!response.content_type.empty()) {
    head += "\r\nContent-Type: ";
    head += response.content_type;
  }
  if (framing == BodyFraming::kChunked) {
    head += "\r\nTransfer-Encoding: chunked";
  } else if (framing == BodyFraming::kSized && response.status != 204) {
    head += "\r\nContent-Length: ";
    AppendNumber(head, response.body.size(), 10);
  }
  // Answers are about one caller's memories: no cache on the way may keep them.
  head += "\r\nCache-Control: no-store";
  for (const HeaderField& field : response.headers) {
    head += "\r\n";
    head += field.name;
    head += ": ";
    head += field.value;
  }
  head += keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n";
  return head;
}

void AppendChunk(std::string& out, std::string_view piece) {
  AppendNumber(out, piece.size(), 16);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

}  // namespace umbranet
