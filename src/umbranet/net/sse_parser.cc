#include "umbranet/net/sse_parser.h"

#include <algorithm>

namespace umbranet {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void SseParser::Append(std::string_view bytes) {
  if (position_ > 0) {
    buffer_.erase(0, position_);
    scanned_ -= position_;
    position_ = 0;
  }
  buffer_ += bytes;
}

std::optional<std::string_view> SseParser::NextLine() {
  if (skip_line_feed_ && position_ < buffer_.size()) {
    skip_line_feed_ = false;
    if (buffer_[position_] == '\n') {
      ++position_;
      scanned_ = std::max(scanned_, position_);
    }
  }
  const std::size_t end = buffer_.find_first_of("\r\n", scanned_);
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    over_limit_ = buffer_.size() - position_ > limits_.line_bytes_max;
    return std::nullopt;
  }
  const std::string_view line(buffer_.data() + position_, end - position_);
  over_limit_ = line.size() > limits_.line_bytes_max;
  skip_line_feed_ = buffer_[end] == '\r';
  position_ = end + 1;
  scanned_ = position_;
  return line;
}

void SseParser::TakeField(std::string_view line) {
  const std::size_t colon = std::min(line.find(':'), line.size());
  const std::string_view name = line.substr(0, colon);
  std::string_view value = line.substr(std::min(colon + 1, line.size()));
  if (!value.empty() && value.front() == ' ') {
    value.remove_prefix(1);
  }
  if (name == "data") {
    if (has_data_) {
      data_ += '\n';
    }
    data_ += value;
    has_data_ = true;
    over_limit_ = data_.size() > limits_.event_bytes_max;
  } else if (name == "event") {
    type_ = value;
  }
}

Result<std::optional<SseEvent>> SseParser::Next() {
  if (dispatched_) {
    type_.clear();
    data_.clear();
    dispatched_ = false;
  }
  if (at_start_) {
    const std::string_view start = std::string_view(buffer_).substr(0, kByteOrderMark.size());
    if (start.size() < kByteOrderMark.size() && kByteOrderMark.substr(0, start.size()) == start) {
      return std::optional<SseEvent>();
    }
    if (start == kByteOrderMark) {
      position_ = kByteOrderMark.size();
      scanned_ = position_;
    }
    at_start_ = false;
  }
  while (!over_limit_) {
    const std::optional<std::string_view> line = NextLine();
    if (!line || over_limit_) {
      break;
    }
    if (!line->empty()) {
      TakeField(*line);
    } else if (has_data_) {
      has_data_ = false;
      dispatched_ = true;
      return std::optional<SseEvent>(SseEvent{type_, data_});
    } else {
      type_.clear();
    }
  }
  if (over_limit_) {
    return Error{ErrorCode::kBadGateway, "sse: a line or an event is longer than allowed"};
  }
  return std::optional<SseEvent>();
}

}  // namespace umbranet
