// Any bytes for a text: the tokenizer neither crashes nor gives a token that its vocabulary has
// not, nor more of them than were asked for, and reading a text twice gives the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "umbranet/adapters/local_embedder/wordpiece_tokenizer.h"

namespace {

void Require(bool promise) {
  if (!promise) {
    std::abort();
  }
}

const umbranet::WordPieceTokenizer& Tokenizer() {
  static const umbranet::WordPieceTokenizer tokenizer =
      umbranet::WordPieceTokenizer::FromVocabulary({"[UNK]", "[CLS]", "[SEP]", "a", "##a", "the",
                                                    "play", "##ing", ",", ".", "\u6771", "e",
                                                    "##\u00f8", "\u1112", "##\u1161"})
          .value();
  return tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr umbranet::TokenId kPieces = 15;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::size_t tokens_max : {std::size_t{2}, std::size_t{16}, std::size_t{512}}) {
    const std::vector<umbranet::TokenId> tokens = Tokenizer().Encode(text, tokens_max);
    Require(tokens.size() >= 2 && tokens.size() <= tokens_max);
    Require(tokens.front() == 1 && tokens.back() == 2);
    for (const umbranet::TokenId token : tokens) {
      Require(token >= 0 && token < kPieces);
    }
    Require(tokens == Tokenizer().Encode(text, tokens_max));
  }
  return 0;
}
