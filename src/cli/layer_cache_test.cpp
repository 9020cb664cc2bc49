#include "cli/layer_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "cli/recording_world.h"
#include "io/file_facts.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

namespace files = std::filesystem;

constexpr std::string_view tokenizer = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
  "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
  "model":{"type":"WordLevel","vocab":{"[UNK]":0,"the":1},"unk_token":"[UNK]"}})";

// Copies of the committed llama, and a user's cache.
class LayerCacheTest : public testing::Test {
 protected:
  void SetUp() override { world_.variables["HF_HOME"] = (folder_.path() / "home").string(); }

  std::string model(const std::string& name) {
    const files::path at = folder_.path() / name;
    if (!files::exists(at)) {
      files::copy("tests/golden/models/llama/gqa", at);
      const auto disk = io::open_posix_disk(at).value();
      EXPECT_TRUE(io::publish_text(*disk, "tokenizer.json", tokenizer).ok());
    }
    return at.string();
  }
  // Opens it as commands do; the file's name where it has one.
  void use(const std::string& name, uint64_t bytes_max = LayerCache::all_bytes_max) {
    const LayerCache cache(world_, files_, model(name), tensor::Precision::f32, LayerCache::Use::alone,
                           bytes_max);
    const auto generator = model::TextGenerator::open(files_.disk(), files_.path(model(name)), {},
                                                      model::DecoderModel::Adapters::none, cache.store());
    ASSERT_TRUE(generator.ok()) << generator.error().message;
    cache.keep(generator.value());
  }
  // Names of the cache's files, and when each was made.
  std::map<std::string, files::file_time_type> kept() {
    std::map<std::string, files::file_time_type> out;
    if (!files::exists(cache_)) return out;
    for (const auto& entry : files::directory_iterator(cache_))
      out[entry.path().filename().string()] = entry.last_write_time();
    return out;
  }

  const io::TemporaryFolder folder_;
  const files::path cache_ = folder_.path() / "home/assets/holdfast/packed";
  RecordingWorld world_;
  UserFiles files_ = UserFiles::open().value();
};

TEST_F(LayerCacheTest, KeepsOneFileAModelAndMarksWhatIsUsed) {
  use("one");
  const auto first = kept();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(first.begin()->first.ends_with(".f32"));
  files::last_write_time(cache_ / first.begin()->first,
                         files::file_time_type::clock::now() - std::chrono::hours(5));
  const auto inode = [&] {
    return io::file_facts(*io::open_posix_disk(cache_).value(), first.begin()->first).value().inode;
  };
  const uint64_t before = inode();
  use("one");
  EXPECT_EQ(inode(), before) << "it was not written again";
  EXPECT_GE(kept().begin()->second, first.begin()->second) << "and is known to have been used";
  use("two");
  EXPECT_EQ(kept().size(), 2U);
  // A link is the model that it points to.
  files::create_directory_symlink(folder_.path() / "one", folder_.path() / "link");
  use("link");
  EXPECT_EQ(kept().size(), 2U);
}

TEST_F(LayerCacheTest, AModelThatChangedReplacesItsLayers) {
  use("one");
  const auto inode = [&] {
    return io::file_facts(*io::open_posix_disk(cache_).value(), kept().begin()->first).value().inode;
  };
  const uint64_t before = inode();
  const files::path weights = folder_.path() / "one/model.safetensors";
  files::copy_file(weights, folder_.path() / "new");
  files::rename(folder_.path() / "new", weights);  // The same bytes: what counts is when they came.
  use("one");
  ASSERT_EQ(kept().size(), 1U);
  EXPECT_NE(inode(), before);
}

TEST_F(LayerCacheTest, WhatWasUsedLongestAgoGoesFirst) {
  for (const char* name : {"one", "two", "three"}) {
    use(name);
    for (const auto& [file, time] : kept())
      files::last_write_time(cache_ / file, time - std::chrono::hours(1));
  }
  ASSERT_EQ(kept().size(), 3U);
  const uint64_t each = files::file_size(cache_ / kept().begin()->first);
  use("one");  // Now "two" is the oldest.
  const auto before = kept();
  use("four", 3 * each);
  const auto after = kept();
  EXPECT_EQ(after.size(), 3U);
  const auto oldest = std::ranges::min_element(before, {}, [](const auto& one) { return one.second; });
  EXPECT_FALSE(after.contains(oldest->first));
  use("five", each - 1);
  EXPECT_TRUE(kept().empty()) << "what alone is too much does not stay";
}

TEST_F(LayerCacheTest, LeftoversOfProgramsThatStoppedGoAfterADay) {
  files::create_directories(cache_);
  for (const auto& [name, hours] :
       {std::pair{"aa.f32.new-0123456789abcdef", 25}, {"bb.f32.new-0123456789abcdef", 1}}) {
    ASSERT_TRUE(io::publish_text(*io::open_posix_disk(cache_).value(), name, "begun").ok());
    files::last_write_time(cache_ / name, files::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  use("one");
  EXPECT_FALSE(kept().contains("aa.f32.new-0123456789abcdef"));
  EXPECT_TRUE(kept().contains("bb.f32.new-0123456789abcdef")) << "it may be being written";
}

TEST_F(LayerCacheTest, WithoutAFolderModelsAreOpenedAllTheSame) {
  world_.variables = {};
  use("one");
  world_.variables["HF_ASSETS_CACHE"] = "/dev/null";
  use("one");
  world_.variables["HF_ASSETS_CACHE"] = (folder_.path() / "elsewhere").string();
  use("one");
  EXPECT_TRUE(files::exists(folder_.path() / "elsewhere/holdfast/packed"));
  EXPECT_FALSE(files::exists(cache_));
}

TEST_F(LayerCacheTest, FilesOfAnotherUserCountAsNone) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  use("one");
  const std::string name = kept().begin()->first;
  ASSERT_EQ(::chown((cache_ / name).c_str(), 12345, 12345), 0);
  const LayerCache cache(world_, files_, model("one"), tensor::Precision::f32);
  EXPECT_EQ(cache.store(), nullptr);
}

}  // namespace
}  // namespace holdfast::cli
