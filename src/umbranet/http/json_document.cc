#include "umbranet/http/json_document.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

namespace json = boost::json;

// Builds the value as the library's own parser does, and remembers the names of every open object:
// that parser lets the last of two equal names win in silence, so that two readers of one document
// may disagree about it.
class StrictHandler {
 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  StrictHandler() { stack_.reset(); }

  json::value Release() { return stack_.release(); }

  // What stopped the parser, when it was this handler.
  [[nodiscard]] std::optional<Problem> Objection() const {
    if (number_too_large_) {
      return Problem{400, "out_of_range", "a number in the body is too large; send a smaller one"};
    }
    if (repeated_) {
      return Problem{400, "repeated_field",
                     "the name '" + *repeated_ + "' stands twice in one object; keep one of them"};
    }
    return std::nullopt;
  }

  bool on_document_begin(json::error_code& /*error*/) { return true; }

  bool on_document_end(json::error_code& /*error*/) { return true; }

  bool on_object_begin(json::error_code& /*error*/) {
    object_starts_.push_back(names_.size());
    return true;
  }

  bool on_object_end(std::size_t size, json::error_code& error) {
    const auto first = names_.begin() + static_cast<std::ptrdiff_t>(object_starts_.back());
    object_starts_.pop_back();
    std::sort(first, names_.end());
    if (const auto twice = std::adjacent_find(first, names_.end()); twice != names_.end()) {
      repeated_ = *twice;
      error = json::make_error_code(json::error::exception);
      return false;
    }
    names_.erase(first, names_.end());
    stack_.push_object(size);
    return true;
  }

  bool on_array_begin(json::error_code& /*error*/) { return true; }

  bool on_array_end(std::size_t size, json::error_code& /*error*/) {
    stack_.push_array(size);
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    name_.append(part.data(), part.size());
    stack_.push_chars(part);
    return true;
  }

  bool on_key(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    name_.append(part.data(), part.size());
    names_.push_back(std::move(name_));
    name_.clear();
    stack_.push_key(part);
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    stack_.push_chars(part);
    return true;
  }

  bool on_string(json::string_view part, std::size_t /*size*/, json::error_code& /*error*/) {
    stack_.push_string(part);
    return true;
  }

  bool on_number_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }

  bool on_int64(std::int64_t value, json::string_view /*text*/, json::error_code& /*error*/) {
    stack_.push_int64(value);
    return true;
  }

  bool on_uint64(std::uint64_t value, json::string_view /*text*/, json::error_code& /*error*/) {
    stack_.push_uint64(value);
    return true;
  }

  // What a double cannot hold would become an infinity, which JSON cannot say again.
  bool on_double(double value, json::string_view /*text*/, json::error_code& error) {
    if (!std::isfinite(value)) {
      number_too_large_ = true;
      error = json::make_error_code(json::error::exception);
      return false;
    }
    stack_.push_double(value);
    return true;
  }

  bool on_bool(bool value, json::error_code& /*error*/) {
    stack_.push_bool(value);
    return true;
  }

  bool on_null(json::error_code& /*error*/) {
    stack_.push_null();
    return true;
  }

  bool on_comment_part(json::string_view /*part*/, json::error_code& /*error*/) { return true; }

  bool on_comment(json::string_view /*part*/, json::error_code& /*error*/) { return true; }

 private:
  json::value_stack stack_;
  std::string name_;
  bool number_too_large_ = false;
  std::optional<std::string> repeated_;
  std::vector<std::string> names_;          // Of all open objects, outermost first.
  std::vector<std::size_t> object_starts_;  // Where each open object's names begin.
};

Problem Malformed(std::size_t at, const json::error_code& error) {
  if (error == json::error::too_deep) {
    return {
        400, "json_too_deep",
        "the body nests deeper than " + std::to_string(kJsonDepthMax) + " levels; send it flatter"};
  }
  return {400, "malformed_json",
          "the body is not JSON: " + error.message() + " near byte " + std::to_string(at)};
}

}  // namespace

std::variant<json::value, Problem> ParseJson(std::string_view text) {
  if (!IsValidUtf8(text)) {
    return Problem{400, "invalid_utf8", "the body is not UTF-8; encode it as UTF-8"};
  }
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::basic_parser<StrictHandler> parser(options);
  json::error_code error;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
  if (auto objection = parser.handler().Objection()) {
    return *std::move(objection);
  }
  if (error) {
    return Malformed(read, error);
  }
  if (read < text.size()) {
    return Malformed(read, json::make_error_code(json::error::extra_data));
  }
  return parser.handler().Release();
}

}  // namespace umbranet
