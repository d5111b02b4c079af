#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace umbranet::temporal {

// The lexer of the temporal grammar: cuts a text into words, numbers and symbols and looks every
// word up in one closed table of what it can mean in a date (a month, a weekday, a unit, a number
// word ...). A word may have several roles ("second" is a unit and an ordinal, "may" a month and a
// verb); the grammar decides. Linear in the text; any bytes are accepted.

enum class TokenKind : std::uint8_t { kWord, kNumber, kSymbol };

enum class PartOfDay : std::int8_t {
  kNone = -1,
  kMorning,
  kAfternoon,
  kEvening,
  kNight,
  kDaytime,
  kNightTime,
  kBreakfast,
  kLunch,
  kDinner,
};

// What a word can stand for. Absent roles keep their defaults.
struct WordRoles {
  std::int8_t month = 0;     // 1 to 12
  std::int8_t weekday = -1;  // 0 is Monday
  std::int8_t unit = -1;     // temporal::Unit
  std::int8_t season = -1;   // 0 spring to 3 winter
  PartOfDay part = PartOfDay::kNone;
  std::int16_t cardinal = -1;  // "seven"; "hundred" and "thousand" are the grammar's
  std::int8_t ordinal = 0;     // "seventh"
  bool plural = false;         // "mondays", "mornings", "weeks"
  bool short_form = false;     // "sat", "mar": needs more context than a full name
  std::int8_t multiple = 1;    // a fortnight is two weeks
  bool starter = false;        // see Token::starter
};

struct Token {
  std::size_t begin = 0;  // byte offsets into the text
  std::size_t end = 0;
  TokenKind kind = TokenKind::kSymbol;
  std::string_view text;  // lower case; typographic dashes read "-", apostrophes "'"
  int number = -1;        // of a digit run of at most 9 digits
  int digits = 0;
  bool glued = false;     // nothing between this token and the one before
  bool boundary = false;  // a line break or a wide gap lies before: no expression crosses it
  bool capital = false;
  // Whether an expression, or a part of one, can begin here: a quick test that spares the grammar
  // most words of a text.
  bool starter = false;
  WordRoles roles;
};

// Owns the lowered text that the tokens look into; movable, the views stay valid.
class TokenisedText {
 public:
  explicit TokenisedText(std::string_view text);
  TokenisedText(TokenisedText&&) noexcept = default;
  TokenisedText& operator=(TokenisedText&&) noexcept = default;
  TokenisedText(const TokenisedText&) = delete;
  TokenisedText& operator=(const TokenisedText&) = delete;
  ~TokenisedText() = default;

  [[nodiscard]] const std::vector<Token>& tokens() const { return tokens_; }

 private:
  // A vector rather than a string: moving it never moves the bytes.
  std::vector<char> lowered_;
  std::vector<Token> tokens_;
};

// The roles of a lower-case word; all defaults when it has none.
[[nodiscard]] const WordRoles& RolesOf(std::string_view word);

}  // namespace umbranet::temporal
