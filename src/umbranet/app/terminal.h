// Printing for people and for scripts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace umbranet {

// Writes to standard output as it is.
void Print(std::string_view text);
// One line of JSON.
void PrintJson(const boost::json::object& object);

// ANSI styles, empty strings when standard output is no terminal or NO_COLOR is set.
struct Style {
  std::string bold;
  std::string dim;
  std::string reset;
};

Style TerminalStyle();

// Text that came from a memory or a model may hold escape sequences: control characters but line
// ends and tabs become a replacement character, so that nothing said in a chat can drive the
// terminal.
std::string Printable(std::string_view text);

// The member of this name, as text; empty when absent or of another kind.
std::string TextOf(const boost::json::object& object, std::string_view name);
std::int64_t NumberOf(const boost::json::object& object, std::string_view name);

// A bar on standard error while it is a terminal, a line every tenth part otherwise.
class ProgressBar {
 public:
  ProgressBar(std::string label, std::size_t total, bool quiet);
  void Advance(std::size_t by);
  // Leaves the line behind.
  void Finish();

 private:
  void Draw();

  const std::string label_;
  const std::size_t total_;
  const bool quiet_;
  const bool terminal_;
  std::size_t done_ = 0;
  std::size_t drawn_tenths_ = 0;
};

}  // namespace umbranet
