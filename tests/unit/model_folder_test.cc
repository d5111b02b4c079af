// Goal: what is wrong with a model's folder is said in a sentence that names the file, and a model
// that cannot be used ends a call rather than the program.
// Method: folders with parts missing, malformed or of the wrong kind. That a whole one works is the
// embedder contract's business.
#include "umbranet/adapters/local_embedder/model_folder.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "umbranet/adapters/local_embedder/local_embedder.h"

namespace umbranet {
namespace {

class ModelFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    Write("embedder.json", R"({"name": "m", "pooling": "first_token", "tokens_max": 64})");
    Write("model.onnx", "no model");
    Write("vocab.txt", "[UNK]\n[CLS]\n[SEP]\nplay");
    Write("libonnxruntime.so.1", "no library");
  }

  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }

  [[nodiscard]] Error ErrorOf() const {
    const auto folder = ReadModelFolder(folder_.string());
    EXPECT_FALSE(folder.ok());
    return folder.ok() ? Error{} : folder.error();
  }

  std::filesystem::path folder_;
};

TEST_F(ModelFolderTest, DescribesItsModelAndNamesItsFiles) {
  const auto folder = ReadModelFolder(folder_.string());
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_EQ(folder->description.name, "m");
  EXPECT_EQ(folder->description.pooling, Pooling::kFirstToken);
  EXPECT_EQ(folder->description.tokens_max, 64U);
  EXPECT_EQ(folder->vocabulary_file, (folder_ / "vocab.txt").string());
  EXPECT_EQ(folder->library, (folder_ / "libonnxruntime.so.1").string());
}

TEST_F(ModelFolderTest, TakesTheSystemsLibraryWhereItHasNone) {
  std::filesystem::remove(folder_ / "libonnxruntime.so.1");
  EXPECT_EQ(ReadModelFolder(folder_.string())->library, "libonnxruntime.so");
}

TEST_F(ModelFolderTest, IsNotFoundWhenAFileIsMissingAndSaysWhich) {
  for (const char* name : {"vocab.txt", "model.onnx", "embedder.json"}) {
    std::filesystem::remove(folder_ / name);
    const Error error = ErrorOf();
    EXPECT_EQ(error.code, ErrorCode::kNotFound);
    EXPECT_NE(error.message.find(name == std::string("vocab.txt") ? "tokenizer.json" : name),
              std::string::npos)
        << error.message;
  }
}

TEST_F(ModelFolderTest, RefusesADescriptionThatCannotBe) {
  for (const char* text :
       {"", "[]", "{}", R"({"name": ""})", R"({"name": "m", "pooling": "max"})",
        R"({"name": "m", "tokens_max": 7})", R"({"name": "m", "tokens_max": 513})",
        R"({"name": "m", "tokens_max": "64"})", R"({"name": "m", "question_prefix": 1})",
        R"({"name": "m", "unheard_of": true})"}) {
    Write("embedder.json", text);
    EXPECT_EQ(ErrorOf().code, ErrorCode::kInvalidArgument) << text;
  }
}

TEST_F(ModelFolderTest, WithAModelThatCannotBeUsedFailsAtTheFirstUseAndEachOneAfter) {
  const auto embedder = LocalEmbedder::Open({.folder = folder_.string()});
  ASSERT_TRUE(embedder.ok());
  EXPECT_EQ((*embedder)->space(), "m/64");
  for (int i = 0; i < 2; ++i) {
    const auto vector = (*embedder)->EmbedQuestion("Play", Deadline::Never());
    ASSERT_FALSE(vector.ok());
    EXPECT_EQ(vector.error().code, ErrorCode::kInvalidArgument) << vector.error().message;
  }
}

}  // namespace
}  // namespace umbranet
