#include "umbranet/app/terminal.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <boost/json/serialize.hpp>
#include <unistd.h>

namespace umbranet {

void Print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void PrintJson(const boost::json::object& object) {
  Print(boost::json::serialize(object) + "\n");
}

Style TerminalStyle() {
  if (isatty(STDOUT_FILENO) == 0 || std::getenv("NO_COLOR") != nullptr) {
    return {};
  }
  return {"\033[1m", "\033[2m", "\033[0m"};
}

std::string Printable(std::string_view text) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are controls too: C2 80 to C2 9F.
    const bool c1 =
        byte == 0xc2U && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0U;
    if (c1) {
      out += kReplacement;
      ++i;
    } else if ((byte < 0x20U && byte != '\n' && byte != '\t') || byte == 0x7fU) {
      out += kReplacement;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string TextOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t NumberOf(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) {
    return 0;
  }
  boost::system::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  return error ? 0 : number;
}

ProgressBar::ProgressBar(std::string label, std::size_t total, bool quiet)
    : label_(std::move(label)),
      total_(total),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) != 0) {}

void ProgressBar::Advance(std::size_t by) {
  done_ = std::min(total_, done_ + by);
  Draw();
}

void ProgressBar::Draw() {
  if (quiet_ || total_ == 0) {
    return;
  }
  const std::size_t percent = done_ * 100 / total_;
  if (terminal_) {
    constexpr std::size_t kWidth = 30;
    const std::size_t filled = done_ * kWidth / total_;
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, '.');
    std::fprintf(stderr, "\r%s [%s] %zu/%zu %zu%%", label_.c_str(), bar.c_str(), done_, total_,
                 percent);
    std::fflush(stderr);
  } else if (percent / 10 > drawn_tenths_) {
    drawn_tenths_ = percent / 10;
    std::fprintf(stderr, "%s %zu/%zu %zu%%\n", label_.c_str(), done_, total_, percent);
  }
}

void ProgressBar::Finish() {
  if (!quiet_ && terminal_ && total_ != 0) {
    std::fprintf(stderr, "\n");
  }
}

}  // namespace umbranet
