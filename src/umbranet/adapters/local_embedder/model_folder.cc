#include "umbranet/adapters/local_embedder/model_folder.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace umbranet {
namespace {

namespace json = boost::json;
namespace files = std::filesystem;

constexpr std::size_t kTokensMax = 512;  // Positions that BERT models know.
constexpr std::string_view kSystemLibrary = "libonnxruntime.so";
constexpr const char* kDescriptionFile = "embedder.json";
// A program is built in build/<preset>/bin of its source tree.
constexpr int kFoldersUp = 4;

Error Malformed(const files::path& path, std::string_view what) {
  return InvalidArgument("embedder: " + path.string() + ": " + std::string(what));
}

Result<ModelDescription> ReadDescription(const files::path& path) {
  std::ifstream file(path);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return NotFound("embedder: " + path.string() + " is missing");
  }
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) {
    return Malformed(path, "write a JSON object");
  }
  ModelDescription description;
  for (const auto& [key, value] : root.get_object()) {
    const json::string* words = value.if_string();
    const std::string_view said = words == nullptr ? "" : std::string_view(*words);
    const std::int64_t* number = value.if_int64();
    if (key == "name" && !said.empty()) {
      description.name = said;
    } else if (key == "pooling" && (said == "mean" || said == "first_token")) {
      description.pooling = said == "mean" ? Pooling::kMean : Pooling::kFirstToken;
    } else if (key == "question_prefix" && words != nullptr) {
      description.question_prefix = said;
    } else if (key == "passage_prefix" && words != nullptr) {
      description.passage_prefix = said;
    } else if (key == "tokens_max" && number != nullptr && *number >= 8 &&
               *number <= static_cast<std::int64_t>(kTokensMax)) {
      description.tokens_max = static_cast<std::size_t>(*number);
    } else {
      return Malformed(path, std::string(key) + " is unknown or has a value that cannot be");
    }
  }
  if (description.name.empty()) {
    return Malformed(path, "name is missing");
  }
  return description;
}

Result<std::string> FirstOf(const files::path& folder, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    std::error_code error;
    if (files::is_regular_file(folder / name, error)) {
      return (folder / name).string();
    }
  }
  return NotFound("embedder: " + (folder / *names.begin()).string() + " is missing");
}

std::string FindLibrary(const files::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (files::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(kSystemLibrary)) {
      found.push_back(entry->path().string());
    }
  }
  const auto newest = std::max_element(found.begin(), found.end());
  return newest == found.end() ? std::string(kSystemLibrary) : *newest;
}

}  // namespace

Result<ModelFolder> ReadModelFolder(const std::string& folder) {
  const files::path at(folder);
  ModelFolder found;
  UMBRANET_ASSIGN_OR_RETURN(found.description, ReadDescription(at / kDescriptionFile));
  UMBRANET_ASSIGN_OR_RETURN(found.model_file, FirstOf(at, {"model.onnx"}));
  UMBRANET_ASSIGN_OR_RETURN(found.vocabulary_file, FirstOf(at, {"tokenizer.json", "vocab.txt"}));
  found.library = FindLibrary(at);
  return found;
}

std::string DefaultModelFolder() {
  std::error_code error;
  const files::path program = files::read_symlink("/proc/self/exe", error);
  const auto holds_model = [&error](const files::path& folder) {
    return files::is_regular_file(folder / kDescriptionFile, error);
  };
  files::path folder = program.parent_path();
  const files::path installed = folder.parent_path() / "share" / "umbranet" / "embedder";
  if (holds_model(installed)) {
    return installed.string();
  }
  for (int up = 0; up < kFoldersUp && folder.has_relative_path(); ++up) {
    if (holds_model(folder / ".deps" / "embedder")) {
      return (folder / ".deps" / "embedder").string();
    }
    folder = folder.parent_path();
  }
  return {};
}

}  // namespace umbranet
