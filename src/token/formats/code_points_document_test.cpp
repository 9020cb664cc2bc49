#include "token/formats/code_points_document.h"

#include <gtest/gtest.h>

#include "token/formats/folder.h"

namespace holdfast::token {
namespace {

std::unique_ptr<io::Disk> canine(const std::string& config) {
  auto disk = io::make_memory_disk();
  EXPECT_TRUE(io::publish_text(*disk, "config.json", R"({"model_type": "canine"})").ok());
  if (!config.empty()) {
    EXPECT_TRUE(io::publish_text(*disk, "tokenizer_config.json", config).ok());
  }
  return disk;
}

// As transformers' CanineTokenizer has them.
TEST(CodePoints, a_folder_without_files_of_a_tokenizer_is_read_by_code_points) {
  for (const char* config : {"", R"({"tokenizer_class": "CanineTokenizer", "model_max_length": 2048})"}) {
    const auto disk = canine(config);
    const auto loaded = load_from_folder(*disk, "");
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const Tokenizer& tokenizer = loaded.value().tokenizer;
    const auto one = tokenizer.encode({.text = "h\xC3\xA9 \xF0\x9F\x98\x80", .words = {}, .pair = {}}, {});
    ASSERT_TRUE(one.ok()) << one.error().message;
    EXPECT_EQ(one.value().ids, (std::vector<uint32_t>{0xE000, 'h', 0xE9, ' ', 0x1F600, 0xE001}));
    const auto two = tokenizer.encode({.text = "a", .words = {}, .pair = "b"}, {});
    ASSERT_TRUE(two.ok());
    EXPECT_EQ(two.value().ids, (std::vector<uint32_t>{0xE000, 'a', 0xE001, 'b', 0xE001}));
    EXPECT_EQ(two.value().type_ids, (std::vector<uint32_t>(5, 0)));
  }
}

TEST(CodePoints, every_character_is_the_token_of_its_number) {
  const auto disk = canine("");
  const auto loaded = load_from_folder(*disk, "");
  ASSERT_TRUE(loaded.ok());
  const Tokenizer& tokenizer = loaded.value().tokenizer;
  for (const uint32_t code :
       {1U, 'z' + 0U, 0x7FU, 0x80U, 0x7FFU, 0x800U, 0xD7FFU, 0xE0FFU, 0xFFFFU, 0x10000U, 0x10FFFFU}) {
    const auto text = tokenizer.decode(std::vector<uint32_t>{code}, Tokenizer::SpecialsInOutput::keep);
    ASSERT_TRUE(text.ok());
    const auto back = tokenizer.encode({.text = text.value(), .words = {}, .pair = {}}, {});
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back.value().ids, (std::vector<uint32_t>{0xE000, code, 0xE001}));
  }
}

}  // namespace
}  // namespace holdfast::token
