#include "cli/adapter_shelf.h"

#include <gtest/gtest.h>

#include "io/temporary_folder.h"
#include "model/adapter.h"

namespace holdfast::cli {
namespace {

constexpr std::string_view tokenizer = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
  "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
  "model":{"type":"WordLevel","vocab":{"[UNK]":0,"the":1,"of":2,"a":3},"unk_token":"[UNK]"}})";

// The committed llama with four words, and copies of one of its adapters.
class AdapterShelfTest : public testing::Test {
 protected:
  void SetUp() override {
    copy("llama/gqa", "base", {"config.json", "model.safetensors"});
    put("base/tokenizer.json", tokenizer);
    const auto disk = io::open_posix_disk(folder_.path() / "base").value();
    auto opened = model::TextGenerator::open(*disk, "", {}, model::DecoderModel::Adapters::may_come).value();
    shelf_ = std::make_unique<AdapterShelf>(std::make_shared<const model::TextGenerator>(std::move(opened)));
  }
  void put(const io::Path& path, std::string_view text) {
    ASSERT_TRUE(disk_->make_directories(path.parent_path()).ok());
    ASSERT_TRUE(io::publish_text(*disk_, path, text).ok());
  }
  void copy(const io::Path& from, const io::Path& to, const std::vector<std::string>& names) {
    const auto golden = io::open_posix_disk("tests/golden/models").value();
    for (const std::string& name : names)
      put(to / name, io::read_text(*golden, from / name, 1 << 20).value());
  }
  std::string adapter(const std::string& name) {
    copy("lora/llama-all", name, {"adapter_config.json", "adapter_model.safetensors"});
    return folder_.path() / name;
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<io::Disk> disk_ = io::open_posix_disk(folder_.path()).value();
  std::unique_ptr<AdapterShelf> shelf_;
};

TEST_F(AdapterShelfTest, AnAdapterIsReadOnceAndSharesItsBase) {
  EXPECT_EQ(shelf_->find("").value(), shelf_->base());
  const auto one = shelf_->find(adapter("one")).value();
  EXPECT_EQ(shelf_->find((folder_.path() / "one").string()).value(), one);
  EXPECT_EQ(&one->model(), &shelf_->base()->model());
  ASSERT_NE(one->adapter(), nullptr);
  EXPECT_GT(one->adapter()->bytes(), 1000U);
  EXPECT_EQ(shelf_->base()->adapter(), nullptr);
}

TEST_F(AdapterShelfTest, ItsOwnTemplateGoesBeforeTheBases) {
  const std::string place = adapter("one");
  put("one/chat_template.jinja", "mine");
  EXPECT_EQ(shelf_->find(place).value()->chat_template(), "mine");
  EXPECT_EQ(shelf_->base()->chat_template(), "");
}

TEST_F(AdapterShelfTest, TheLeastRecentlyUsedGoAndWhoHoldsOneKeepsIt) {
  const auto held = shelf_->find(adapter("a0")).value();
  for (size_t i = 1; i <= AdapterShelf::adapters_max; ++i)
    ASSERT_TRUE(shelf_->find(adapter("a" + std::to_string(i))).ok());
  EXPECT_EQ(shelf_->held(), AdapterShelf::adapters_max);
  EXPECT_NE(held->adapter(), nullptr);
  EXPECT_NE(shelf_->find((folder_.path() / "a0").string()).value(), held) << "read again";
}

TEST_F(AdapterShelfTest, WhatCannotBeReadIsSaidAndLeavesNothing) {
  const std::string place = adapter("bad");
  put("bad/adapter_config.json", R"({"peft_type":"LORA","r":5})");
  EXPECT_FALSE(shelf_->find(place).ok());
  EXPECT_FALSE(shelf_->find((folder_.path() / "none").string()).ok());
  EXPECT_EQ(shelf_->held(), 0U);
}

}  // namespace
}  // namespace holdfast::cli
