// Any bytes for a message: analysis, question reading, priority, excerpt and quotation neither
// crash nor let a byte through that could end a term or a quotation.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/prompt_context.h"
#include "umbranet/memory/question.h"
#include "umbranet/memory/reflection_priority.h"

namespace {

void Require(bool promise) {
  if (!promise) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t end_before = 0;
  for (const umbranet::TextToken& token : umbranet::Tokenize(text)) {
    Require(token.begin < token.end && token.end <= text.size());
    Require(token.end >= end_before);
    end_before = token.end;
    Require(!token.term.empty() && token.term.size() <= umbranet::kTermBytesMax);
    for (const char c : token.term) {
      const bool other_script = (static_cast<unsigned char>(c) & 0x80U) != 0;
      Require(other_script || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'));
    }
  }
  const umbranet::Question question = umbranet::ReadQuestion(text);
  Require(question.terms.size() <= umbranet::kQuestionTermsMax);
  Require(question.terms.size() == question.term_weights.size());
  (void)umbranet::DecidePriority(text);
  (void)umbranet::FoldCase(text);

  constexpr std::size_t kExcerptBytes = 64;
  const std::string excerpt = umbranet::Excerpt(question, text, kExcerptBytes);
  Require(excerpt.size() <= kExcerptBytes);
  const std::string quoted = umbranet::QuoteAsData(excerpt);
  Require(quoted.find_first_of(std::string_view("\n\r<\0", 4)) == std::string::npos);
  return 0;
}
