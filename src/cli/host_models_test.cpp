#include "cli/host_models.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "codec/hex.h"
#include "codec/sha256.h"
#include "io/symlink.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

class HostModelsTest : public ::testing::Test {
 protected:
  HostModelsTest() : disk_(std::move(io::open_posix_disk(folder_.path()).value())) {}

  void put(const io::Path& path, std::string_view text) {
    ASSERT_TRUE(disk_->make_directories(path.parent_path()).ok());
    ASSERT_TRUE(io::publish_text(*disk_, path, text).ok());
  }
  HostWalk walk() {
    auto found = find_host_models(*disk_, ".", [&](uint64_t bytes) { read_ += bytes; });
    EXPECT_TRUE(found.ok()) << found.error().message;
    auto& models = found.value().models;
    std::sort(models.begin(), models.end(), [](const HostModel& left, const HostModel& right) {
      return left.folder < right.folder || (left.folder == right.folder && left.type < right.type);
    });
    return std::move(found.value());
  }
  static std::string digest(std::string_view text) { return codec::to_hex(codec::sha256(as_bytes(text))); }

  io::TemporaryFolder folder_;
  std::unique_ptr<io::Disk> disk_;
  uint64_t read_ = 0;
};

TEST_F(HostModelsTest, NamesDecideWhatIsAModel) {
  for (const char* name : {"model.safetensors", "model-00001-of-00002.safetensors", "x.gguf", "m.onnx",
                           "pytorch_model.bin", "a.pt", "saved_model.pb", "adapter_model.bin"})
    EXPECT_TRUE(holds_weights(name)) << name;
  for (const char* name : {"config.json", "vocab.bin", ".pt", "notes.txt", "data.parquet", "libfoo.so"})
    EXPECT_FALSE(holds_weights(name)) << name;
  EXPECT_TRUE(holds_rows("train-00000.parquet"));
  EXPECT_FALSE(holds_rows("train.csv"));
}

TEST_F(HostModelsTest, AFolderIsOneEntryOfEachKindWithTheDigestsOfItsFiles) {
  put("a/model.safetensors", "weights");
  put("a/config.json", "{}");
  put("a/rows.parquet", "rows");
  put("a/deep/er/x.gguf", "more");
  put("b/readme.md", "nothing");
  const HostWalk found = walk();
  ASSERT_EQ(found.models.size(), 3u);
  EXPECT_EQ(found.models[0].type, exchange::RemoteType::model);
  ASSERT_EQ(found.models[0].files.size(), 1u);
  EXPECT_EQ(found.models[0].files[0].sha256, digest("weights"));
  EXPECT_EQ(found.models[0].folder.filename(), "a");
  EXPECT_EQ(found.models[1].type, exchange::RemoteType::dataset);
  EXPECT_EQ(found.models[2].folder.filename(), "er");
  EXPECT_EQ(read_, 7u + 4u + 4u);
}

TEST_F(HostModelsTest, ACachedRepositoryIsOneEntryAndNothingOfItIsRead) {
  const std::string blob(64, 'a');
  put("models--lab--tiny/blobs/" + blob, "big");
  put("models--lab--tiny/blobs/" + std::string(40, 'b'), "small");
  put("models--lab--tiny/refs/main", std::string(40, 'c'));
  put("models--lab--tiny/snapshots/" + std::string(40, 'c') + "/model.safetensors", "a copy");
  const HostWalk found = walk();
  ASSERT_EQ(found.models.size(), 1u);
  EXPECT_EQ(found.models[0].source, HostModel::Source::cache);
  EXPECT_EQ(found.models[0].claims, "lab/tiny@" + std::string(40, 'c'));
  ASSERT_EQ(found.models[0].files.size(), 1u);
  EXPECT_EQ(found.models[0].files[0].sha256, blob);
  EXPECT_EQ(read_, 0u);
}

TEST_F(HostModelsTest, ALockSaysWhatAFolderClaimsToBeAndADamagedOneIsTold) {
  put("good/model.safetensors", "weights");
  put("good/holdfast.lock", R"({"holdfast_lock": 1, "model": "lab/tiny@1234", "files": {}})");
  put("bad/model.safetensors", "weights");
  put("bad/holdfast.lock", "no lock");
  const HostWalk found = walk();
  ASSERT_EQ(found.models.size(), 2u);
  EXPECT_EQ(found.models[0].source, HostModel::Source::folder);
  EXPECT_EQ(found.models[1].source, HostModel::Source::lock);
  EXPECT_EQ(found.models[1].claims, "lab/tiny@1234");
  ASSERT_EQ(found.passed_over.size(), 1u);
  EXPECT_NE(found.passed_over[0].find("bad/holdfast.lock"), std::string::npos);
}

TEST_F(HostModelsTest, ALinkThatGoesInACircleIsNotFollowed) {
  put("a/model.gguf", "weights");
  ASSERT_TRUE(io::make_symlink(*disk_, "..", "a/up").ok());
  EXPECT_EQ(walk().models.size(), 1u);
}

}  // namespace
}  // namespace holdfast::cli
