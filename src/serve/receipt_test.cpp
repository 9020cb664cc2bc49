#include "serve/receipt.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "identity/checkpoint.h"
#include "io/disk.h"

namespace holdfast::serve {
namespace {

class ReceiptTest : public ::testing::Test {
 protected:
  Receipt receipt(const std::string& output = R"({"id":"x","created":7,"data":[1]})") {
    const ServedCall call{
        .id = "0f",
        .by = {.model = {1, "ada/m", std::string(40, 'a')}, .tokenizer = "ab", .record = {}, .feature = {}},
        .user = "ada",
        .door = "openai_embeddings",
        .captures = {},
        .content_type = {},
        .input = "in",
        .output = output};
    return make_receipt(call, "holdfast 1 test", WallTime(std::chrono::milliseconds(1'700'000'000'000)), key);
  }

  std::unique_ptr<io::Disk> disk = io::make_memory_disk();
  SeededRandom random{5};
  identity::CheckpointKey key = identity::CheckpointKey::open(*disk, random).value();
};

TEST_F(ReceiptTest, IsReadAsItWasWrittenInBothFormsAndVerified) {
  const Receipt made = receipt();
  EXPECT_TRUE(verify_receipt(made, key.public_key()).ok());
  EXPECT_EQ(parse_receipt(receipt_text(made) + "\n").value(), made);
  EXPECT_EQ(parse_receipt(receipt_header(made)).value(), made);
  EXPECT_EQ(made.input, body_digest("in"));
}

TEST_F(ReceiptTest, OfAnAdapterNamesItsBaseAndIsBoundToIt) {
  const ServedCall call{.id = "0f",
                        .by = {.model = {2, "ada/tuned", std::string(40, 'c')},
                               .base = "ada/m@1",
                               .tokenizer = {},
                               .record = {},
                               .feature = {}},
                        .user = "ada",
                        .door = "openai_completions",
                        .captures = {},
                        .content_type = {},
                        .input = "in",
                        .output = "out"};
  const Receipt made = make_receipt(call, "holdfast 1 test", WallTime{}, key);
  EXPECT_EQ(made.base, "ada/m@1");
  EXPECT_EQ(parse_receipt(receipt_text(made)).value(), made);
  EXPECT_TRUE(verify_receipt(made, key.public_key()).ok());
  Receipt other = made;
  other.base = "ada/m@2";
  EXPECT_FALSE(verify_receipt(other, key.public_key()).ok());
  other.base.clear();
  EXPECT_FALSE(verify_receipt(other, key.public_key()).ok());
  EXPECT_EQ(receipt_text(receipt()).find("base"), std::string::npos);
}

TEST_F(ReceiptTest, AnyChangeIsFound) {
  const Receipt made = receipt();
  const auto changed = [&](auto change) {
    Receipt other = made;
    change(other);
    return !verify_receipt(other, key.public_key()).ok();
  };
  EXPECT_TRUE(changed([](Receipt& r) { r.model += "x"; }));
  EXPECT_TRUE(changed([](Receipt& r) { r.output[0] = r.output[0] == '0' ? '1' : '0'; }));
  EXPECT_TRUE(changed([](Receipt& r) { r.release = 9; }));
  EXPECT_TRUE(changed([](Receipt& r) { r.at += std::chrono::milliseconds(1); }));
  EXPECT_TRUE(changed([](Receipt& r) { r.signature[3] = r.signature[3] == '0' ? '1' : '0'; }));
  EXPECT_TRUE(changed([](Receipt& r) { std::swap(r.tokenizer, r.record); }));
  EXPECT_FALSE(verify_receipt(made, std::string(64, '0')).ok());
  EXPECT_FALSE(verify_receipt(made, "").ok());
}

TEST_F(ReceiptTest, AReplayHasTheSameAnswerThoughItsIdAndTimeAreItsOwn) {
  const Receipt first = receipt(), second = receipt(R"({"id":"y","created":8,"data":[1]})");
  EXPECT_NE(first.output, second.output);
  EXPECT_EQ(first.answer, second.answer);
  EXPECT_NE(receipt(R"({"id":"y","created":8,"data":[2]})").answer, first.answer);
}

TEST_F(ReceiptTest, AStreamEndsWithItsReceiptAndAReplayOfItHasTheSameAnswer) {
  const auto stream = [](const char* id, const char* text) {
    return fmt::format(
        "data: {{\"id\":\"{0}\",\"created\":7,\"choices\":[{{\"text\":\"{1}\"}}]}}\n\ndata: "
        "{{\"item\":{{\"id\":\"{0}\"}}}}\n\ndata: [DONE]\n\n",
        id, text);
  };
  const std::string first = stream("a", "café"), again = stream("b", "café"), other = stream("a", "tea");
  EXPECT_EQ(answer_digest(first), answer_digest(again));
  EXPECT_NE(answer_digest(first), answer_digest(other));
  EXPECT_NE(answer_digest(first), body_digest(first));
  const Receipt made = receipt(first);
  const std::string sent = first + receipt_comment(made);
  EXPECT_EQ(split_stream(sent).output, first);
  EXPECT_EQ(parse_receipt(split_stream(sent).receipt).value(), made);
  EXPECT_EQ(answer_digest(sent), made.answer);
  EXPECT_TRUE(split_stream(first).receipt.empty());
  // A model that writes the comment's words inside of an event has written no receipt.
  EXPECT_TRUE(split_stream("data: : holdfast-receipt e30=\n\n").receipt.empty());
}

TEST_F(ReceiptTest, WhatIsNoReceiptIsRefused) {
  for (const char* text : {"", "{}", "not base64!", R"({"holdfast_receipt":2})", "e30="})
    EXPECT_FALSE(parse_receipt(text).ok()) << text;
  EXPECT_FALSE(parse_receipt(std::string(20'000, 'A')).ok());
}

}  // namespace
}  // namespace holdfast::serve
