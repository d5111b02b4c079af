#include "umbranet/adapters/openai/embeddings_codec.h"

#include <cmath>
#include <optional>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

namespace json = boost::json;

Error Nonsense(std::string_view what) {
  return {ErrorCode::kBadGateway, "openai: the embeddings' answer " + std::string(what)};
}

std::string Sendable(std::string_view text) {
  std::string kept(text);
  if (!IsValidUtf8(kept)) {
    std::erase_if(kept, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  }
  return kept.empty() ? " " : kept;
}

std::optional<Embedding> ReadVector(const json::value& value) {
  if (!value.is_array() || value.get_array().empty()) {
    return std::nullopt;
  }
  Embedding vector;
  vector.reserve(value.get_array().size());
  double square = 0;
  for (const json::value& number : value.get_array()) {
    boost::system::error_code error;
    const auto component = number.to_number<double>(error);
    if (error) {
      return std::nullopt;
    }
    vector.push_back(static_cast<float>(component));
    square += component * component;
  }
  if (!std::isfinite(square) || square <= 0) {
    return std::nullopt;
  }
  for (float& component : vector) {
    component = static_cast<float>(component / std::sqrt(square));
  }
  return vector;
}

}  // namespace

std::string WriteEmbeddingsRequest(std::span<const std::string_view> texts,
                                   std::string_view model) {
  json::array input;
  input.reserve(texts.size());
  for (const std::string_view text : texts) {
    input.emplace_back(json::string(Sendable(text)));
  }
  return json::serialize(json::object{
      {"model", json::string(model)}, {"input", std::move(input)}, {"encoding_format", "float"}});
}

Result<std::vector<Embedding>> ReadEmbeddings(std::string_view text, std::size_t count) {
  boost::system::error_code error;
  const json::value root = json::parse(json::string_view(text.data(), text.size()), error);
  const json::value* data =
      !error && root.is_object() ? root.get_object().if_contains("data") : nullptr;
  if (data == nullptr || !data->is_array()) {
    return Nonsense("holds no data");
  }
  if (data->get_array().size() != count) {
    return Nonsense("is not one vector for each text");
  }
  std::vector<Embedding> vectors(count);
  std::size_t position = 0;
  for (const json::value& entry : data->get_array()) {
    const json::object* object = entry.if_object();
    const json::value* values = object == nullptr ? nullptr : object->if_contains("embedding");
    std::optional<Embedding> vector = values == nullptr ? std::nullopt : ReadVector(*values);
    // Servers that leave the index out answer in order.
    const json::value* index = object == nullptr ? nullptr : object->if_contains("index");
    const auto at = index == nullptr || !index->is_int64()
                        ? position
                        : static_cast<std::size_t>(index->get_int64());
    if (!vector || at >= count || !vectors[at].empty()) {
      return Nonsense("is not one vector for each text");
    }
    vectors[at] = std::move(*vector);
    ++position;
  }
  for (const Embedding& vector : vectors) {
    if (vector.size() != vectors.front().size()) {
      return Nonsense("mixes vectors of different sizes");
    }
  }
  return vectors;
}

}  // namespace umbranet
