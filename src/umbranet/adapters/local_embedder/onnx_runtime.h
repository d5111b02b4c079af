// ONNX Runtime, found and loaded while the program runs: without the library the program is whole
// and merely has no local embedder.
//
// The library's C interface is a table of functions whose order never changes, only grows
// (https://onnxruntime.ai/docs/api/c). Its places that are used here are named in the .cc, so that
// no header of the library is needed to build.
//
// An OnnxSession may be run from any thread, as many at once as wanted. Each run works on the
// calling thread alone, at that thread's priority.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "umbranet/base/result.h"

namespace umbranet {

// Texts as a model reads them: `texts` rows of `length` numbers.
struct TokenBatch {
  std::size_t texts = 0;
  std::size_t length = 0;
  std::vector<std::int64_t> tokens;
  std::vector<std::int64_t> attention;  // 1 where there is a token, 0 behind a row's end.
};

// A vector for every token: texts x length x dimensions.
struct HiddenStates {
  std::size_t dimensions = 0;
  std::vector<float> values;
};

class OnnxSession {
 public:
  // `library` is a path, or a bare name that the system's loader looks for.
  // kNotFound: no such library or file. kInvalidArgument: the library is too old, or the model not
  // one that takes input_ids and attention_mask.
  static Result<std::unique_ptr<OnnxSession>> Open(const std::string& library,
                                                   const std::string& model);

  OnnxSession(const OnnxSession&) = delete;
  OnnxSession& operator=(const OnnxSession&) = delete;
  ~OnnxSession();

  // kInvalidArgument: the model refuses the batch or answers in another shape.
  Result<HiddenStates> Run(TokenBatch& batch) const;

 private:
  struct State;

  explicit OnnxSession(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace umbranet
