// A folder that holds an embedding model:
//   embedder.json      what it is, see ModelDescription
//   model.onnx         the model
//   tokenizer.json     its vocabulary, or vocab.txt
//   libonnxruntime.so* the library that runs it; without it the system's is taken
// Pure functions but for reading the folder; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "umbranet/base/result.h"

namespace umbranet {

enum class Pooling : std::uint8_t {
  kMean,        // The mean of the tokens' vectors.
  kFirstToken,  // That of [CLS].
};

struct ModelDescription {
  std::string name;                  // "all-MiniLM-L6-v2"
  Pooling pooling = Pooling::kMean;  // "mean" or "first_token"
  std::string question_prefix;       // Put before a question, for models that were trained so.
  std::string passage_prefix;
  std::size_t tokens_max = 128;  // Of a text; the rest is not read. At most 512.
};

struct ModelFolder {
  ModelDescription description;
  std::string model_file;
  std::string vocabulary_file;
  std::string library;
};

// kNotFound: there is no such folder, or one of its files is missing; the message names it.
// kInvalidArgument: embedder.json is malformed.
Result<ModelFolder> ReadModelFolder(const std::string& folder);

// Where scripts/setup has put a model for the program that runs: share/umbranet/embedder beside the
// folder of an installed program, or .deps/embedder of the source tree that it was built in. Empty:
// neither is there.
std::string DefaultModelFolder();

}  // namespace umbranet
