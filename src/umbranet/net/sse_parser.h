// Server-sent events, read from bytes that are cut anywhere.
//
// The format is the "event stream" of the WHATWG HTML standard, section 9.2: lines end with LF, CR
// or CRLF, a blank line ends an event, the data lines of one event are joined with LF, a line that
// begins with a colon is a comment, a leading byte order mark is skipped, and an event without its
// blank line is no event. Not to be used by two threads at once.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "umbranet/base/result.h"

namespace umbranet {

struct SseEvent {
  std::string_view type;  // The `event` field; empty when there was none, which means "message".
  std::string_view data;
};

class SseParser {
 public:
  struct Limits {
    std::size_t line_bytes_max = std::size_t{1} << 20U;
    std::size_t event_bytes_max = std::size_t{4} << 20U;
  };

  SseParser() : SseParser(Limits{}) {}

  explicit SseParser(Limits limits) : limits_(limits) {}

  // Takes the next bytes of the stream.
  void Append(std::string_view bytes);

  // The next whole event, its views valid until the next call of any method; nothing when more
  // bytes are needed. kBadGateway: a line or an event is over its limit; so it stays.
  Result<std::optional<SseEvent>> Next();

 private:
  // A line without its end; nothing when its end has not come yet.
  std::optional<std::string_view> NextLine();
  void TakeField(std::string_view line);

  Limits limits_;
  std::string buffer_;
  std::size_t position_ = 0;  // Bytes of buffer_ that were taken.
  std::size_t scanned_ = 0;   // Bytes of buffer_ known to hold no further line end.
  std::string type_;
  std::string data_;
  bool has_data_ = false;
  bool dispatched_ = false;  // type_ and data_ belong to the event that was handed out.
  bool at_start_ = true;
  bool skip_line_feed_ = false;  // The last line ended with CR: an LF right after belongs to it.
  bool over_limit_ = false;
};

}  // namespace umbranet
