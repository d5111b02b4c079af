// The JSON of the embeddings API, written and read. Pure functions; any thread.
// https://platform.openai.com/docs/api-reference/embeddings
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/result.h"
#include "umbranet/ports/embedder.h"

namespace umbranet {

// Bytes that are not UTF-8 are left out, and what then says nothing is sent as a space: servers
// refuse an empty text.
std::string WriteEmbeddingsRequest(std::span<const std::string_view> texts, std::string_view model);

// One vector for each of `count` texts, in their order and of length 1. kBadGateway: anything else,
// vectors of different sizes included.
Result<std::vector<Embedding>> ReadEmbeddings(std::string_view json, std::size_t count);

}  // namespace umbranet
