#include "umbranet/adapters/neo4j/graph_answers.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

namespace json = boost::json;

constexpr std::string_view kMark = "generations-";

}  // namespace

bool HasGenerations(std::string_view epoch) {
  return epoch.starts_with(kMark);
}

std::string EpochWithGenerations() {
  return std::string(kMark) + RandomHex(kEpochBytes);
}

std::string NextEpoch(std::string_view epoch) {
  return HasGenerations(epoch) ? EpochWithGenerations() : RandomHex(kEpochBytes);
}

namespace graph_answer {

std::string TextOf(const json::value& value) {
  const json::string* text = value.if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

Error NotAsked() {
  return {ErrorCode::kBadGateway, "neo4j: the answer is not the one that was asked for"};
}

// The row's columns, when it has so many.
const json::array* RowOf(const json::array& rows, std::size_t index, std::size_t columns) {
  const json::array* row = index < rows.size() ? rows[index].if_array() : nullptr;
  return row != nullptr && row->size() >= columns ? row : nullptr;
}

}  // namespace graph_answer

}  // namespace umbranet
