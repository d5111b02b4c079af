#include "umbranet/adapters/local_embedder/wordpiece_tokenizer.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "umbranet/adapters/local_embedder/unicode_tables.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::size_t kWordCharactersMax = 100;
constexpr std::string_view kContinuation = "##";
// A vocabulary of more than this is not of this family.
constexpr std::size_t kPiecesMax = 1'000'000;

bool In(char32_t value, char32_t first, char32_t last) {
  return value >= first && value <= last;
}

bool InRanges(std::span<const CodePointRange> ranges, char32_t value) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), value,
                       [](char32_t v, const CodePointRange& range) { return v < range.first; });
  return after != ranges.begin() && value <= std::prev(after)->last;
}

bool IsSpace(char32_t value) {
  return value == ' ' || value == '\t' || value == '\n' || value == '\r' || value == 0xA0 ||
         value == 0x1680 || In(value, 0x2000, 0x200A) || value == 0x2028 || value == 0x2029 ||
         value == 0x202F || value == 0x205F || value == 0x3000;
}

bool IsControl(char32_t value) {
  if (value < 0x80) {
    return value < 0x20 || value == 0x7F;
  }
  return value == 0xFFFD || InRanges(ControlRanges(), value);
}

bool IsPunctuation(char32_t value) {
  if (value < 0x80) {
    return In(value, '!', '/') || In(value, ':', '@') || In(value, '[', '`') || In(value, '{', '~');
  }
  return InRanges(PunctuationRanges(), value);
}

// Written without spaces, and each character a word of its own. The blocks are BERT's.
bool IsHan(char32_t value) {
  return In(value, 0x4E00, 0x9FFF) || In(value, 0x3400, 0x4DBF) || In(value, 0xF900, 0xFAFF) ||
         In(value, 0x20000, 0x2A6DF) || In(value, 0x2A700, 0x2B73F) ||
         In(value, 0x2B740, 0x2B81F) || In(value, 0x2B920, 0x2CEAF) || In(value, 0x2F800, 0x2FA1F);
}

// The next character of a text and how many bytes it takes; nothing where the bytes are none.
std::optional<char32_t> Decode(std::string_view text, std::size_t at, std::size_t& size) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  size = 1;
  if (first < 0x80) {
    return first;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || first > 0xF4 || at + length > text.size()) {
    return std::nullopt;
  }
  char32_t value = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) {
      return std::nullopt;
    }
    value = (value << 6U) | (byte(at + i) & 0x3FU);
  }
  size = length;
  return value;
}

void AppendUtf8(char32_t value, std::string& out) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6U));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12U));
    put(0x80 | ((value >> 6U) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18U));
    put(0x80 | ((value >> 12U) & 0x3F));
    put(0x80 | ((value >> 6U) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

// A Hangul syllable falls into two or three letters, by the arithmetic of Unicode, chapter 3.12.
bool AppendHangul(char32_t value, std::u32string& word) {
  if (!In(value, 0xAC00, 0xD7A3)) {
    return false;
  }
  const char32_t index = value - 0xAC00;
  word.push_back(0x1100 + index / 588);
  word.push_back(0x1161 + index % 588 / 28);
  if (index % 28 != 0) {
    word.push_back(0x11A7 + index % 28);
  }
  return true;
}

void AppendBare(char32_t value, std::u32string& word) {
  if (value < 0x80) {
    word.push_back(In(value, 'A', 'Z') ? value + 0x20 : value);
    return;
  }
  if (InRanges(AccentRanges(), value) || AppendHangul(value, word)) {
    return;
  }
  const std::span<const BareLetter> letters = BareLetters();
  const auto found =
      std::lower_bound(letters.begin(), letters.end(), value,
                       [](const BareLetter& letter, char32_t v) { return letter.letter < v; });
  word.push_back(found != letters.end() && found->letter == value ? found->bare : value);
}

Result<std::vector<std::string>> PiecesOfJson(const std::string& path, const std::string& text) {
  const auto wrong = [&path](std::string_view what) {
    return InvalidArgument("embedder: " + path + " " + std::string(what));
  };
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error) {
    return wrong("is not JSON");
  }
  const json::value* model = root.is_object() ? root.get_object().if_contains("model") : nullptr;
  const json::value* vocabulary =
      model != nullptr && model->is_object() ? model->get_object().if_contains("vocab") : nullptr;
  if (vocabulary == nullptr || !vocabulary->is_object()) {
    return wrong("holds no WordPiece vocabulary");
  }
  std::vector<std::string> pieces(vocabulary->get_object().size());
  for (const auto& [piece, number] : vocabulary->get_object()) {
    const auto* id = number.if_int64();
    if (id == nullptr || *id < 0 || static_cast<std::size_t>(*id) >= pieces.size()) {
      return wrong("numbers its vocabulary with gaps");
    }
    pieces[static_cast<std::size_t>(*id)] = std::string(piece);
  }
  return pieces;
}

std::vector<std::string> PiecesOfLines(std::string_view text) {
  std::vector<std::string> pieces;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    pieces.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return pieces;
}

}  // namespace

Result<WordPieceTokenizer> WordPieceTokenizer::Load(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return NotFound("embedder: " + path + " cannot be read");
  }
  if (!path.ends_with(".json")) {
    return FromVocabulary(PiecesOfLines(text));
  }
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::string> pieces, PiecesOfJson(path, text));
  return FromVocabulary(pieces);
}

Result<WordPieceTokenizer> WordPieceTokenizer::FromVocabulary(
    const std::vector<std::string>& pieces) {
  if (pieces.size() > kPiecesMax) {
    return InvalidArgument("embedder: the vocabulary is too large");
  }
  WordPieceTokenizer tokenizer;
  std::string bytes;
  for (const std::string& piece : pieces) {
    bytes += piece;
  }
  tokenizer.bytes_ = std::make_shared<const std::string>(std::move(bytes));
  std::string_view rest = *tokenizer.bytes_;
  tokenizer.beginnings_.reserve(pieces.size());
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    std::string_view piece = rest.substr(0, pieces[id].size());
    rest.remove_prefix(piece.size());
    const bool continues = piece.size() > kContinuation.size() && piece.starts_with(kContinuation);
    if (continues) {
      piece.remove_prefix(kContinuation.size());
    }
    tokenizer.piece_bytes_max_ = std::max(tokenizer.piece_bytes_max_, piece.size());
    (continues ? tokenizer.continuations_ : tokenizer.beginnings_)
        .emplace(piece, static_cast<TokenId>(id));
  }
  for (const auto& [name, id] :
       {std::pair("[CLS]", &tokenizer.begin_), std::pair("[SEP]", &tokenizer.end_),
        std::pair("[UNK]", &tokenizer.unknown_)}) {
    const auto found = tokenizer.beginnings_.find(name);
    if (found == tokenizer.beginnings_.end()) {
      return InvalidArgument("embedder: the vocabulary has no " + std::string(name));
    }
    *id = found->second;
  }
  return tokenizer;
}

std::vector<TokenId> WordPieceTokenizer::Encode(std::string_view text,
                                                std::size_t tokens_max) const {
  std::vector<TokenId> tokens{begin_};
  const std::size_t pieces_end = std::max<std::size_t>(tokens_max, 2) - 1;
  std::u32string word;
  const auto end_word = [&] {
    if (!word.empty()) {
      AppendPieces(word, tokens);
      word.clear();
    }
  };
  std::size_t size = 1;
  for (std::size_t at = 0; at < text.size() && tokens.size() < pieces_end; at += size) {
    const std::optional<char32_t> next = Decode(text, at, size);
    if (!next) {
      continue;
    }
    if (IsSpace(*next)) {
      end_word();
    } else if (IsControl(*next)) {
      continue;
    } else if (IsPunctuation(*next) || IsHan(*next)) {
      end_word();
      word.push_back(*next);
      end_word();
    } else if (word.size() <= kWordCharactersMax) {
      AppendBare(*next, word);  // What is longer already is unknown, however it goes on.
    }
  }
  end_word();
  tokens.resize(std::min(tokens.size(), pieces_end));
  tokens.push_back(end_);
  return tokens;
}

void WordPieceTokenizer::AppendPieces(std::u32string_view word,
                                      std::vector<TokenId>& tokens) const {
  const std::size_t first = tokens.size();
  std::string bytes;
  std::vector<std::size_t> starts;  // Of each character, in bytes, and the end.
  for (const char32_t character : word) {
    starts.push_back(bytes.size());
    AppendUtf8(character, bytes);
  }
  starts.push_back(bytes.size());
  bool known = word.size() <= kWordCharactersMax;
  for (std::size_t begin = 0; known && begin < word.size();) {
    const Vocabulary& vocabulary = begin == 0 ? beginnings_ : continuations_;
    std::size_t end = word.size();
    for (; end > begin; --end) {
      const std::size_t length = starts[end] - starts[begin];
      if (length > piece_bytes_max_) {
        continue;
      }
      const auto found = vocabulary.find(std::string_view(bytes).substr(starts[begin], length));
      if (found != vocabulary.end()) {
        tokens.push_back(found->second);
        break;
      }
    }
    known = end > begin;
    begin = end;
  }
  if (!known) {
    tokens.resize(first);
    tokens.push_back(unknown_);
  }
}

}  // namespace umbranet
