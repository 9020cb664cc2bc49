#include "codec/gguf.h"

#include <gtest/gtest.h>

#include <functional>

namespace holdfast::codec {
namespace {

void put_text(ByteWriter& out, std::string_view text) {
  out.u64(text.size());
  out.text(text);
}

void put_f32(ByteWriter& out, float value) { out.u32(std::bit_cast<uint32_t>(value)); }

// Six values and one tensor of one Q8_0 row of 32 elements; `change` may put something else in its place.
struct Sample {
  uint32_t version = 3, type = 8, rank = 2, alignment = 32;
  uint64_t tensors = 1, values = 6, offset = 0, row = 32;
  std::string_view last_key = "tokenizer.ggml.tokens";
  size_t data_bytes = 34;

  Bytes bytes() const {
    ByteWriter out;
    out.text("GGUF");
    out.u32(version);
    out.u64(tensors);
    out.u64(values);
    put_text(out, "general.architecture");
    out.u32(8);
    put_text(out, "llama");
    put_text(out, "general.alignment");
    out.u32(4);
    out.u32(alignment);
    put_text(out, "rope.freq_base");
    out.u32(6);
    put_f32(out, 0.5F);
    put_text(out, "tokenizer.ggml.add_bos_token");
    out.u32(7);
    out.u8(1);
    put_text(out, "scores");
    out.u32(9);
    out.u32(5);  // i32
    out.u64(2);
    out.u32(static_cast<uint32_t>(-7));
    out.u32(9);
    put_text(out, last_key);
    out.u32(9);
    out.u32(8);
    out.u64(2);
    put_text(out, "a");
    put_text(out, "");
    put_text(out, "w");
    out.u32(rank);
    out.u64(row);
    out.u64(1);
    out.u32(type);
    out.u64(offset);
    out.zeros((alignment == 0 ? 0 : (alignment - out.size() % alignment) % alignment) + data_bytes);
    return std::move(out).take();
  }
};

TEST(Gguf, values_and_tensors_are_read) {
  const Bytes bytes = Sample{}.bytes();
  auto parsed = GgufFile::parse(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const GgufFile& file = parsed.value();
  EXPECT_EQ(file.text_if("general.architecture").value(), "llama");
  EXPECT_EQ(file.integer_if("general.alignment").value(), 32);
  EXPECT_EQ(file.number_if("rope.freq_base").value(), 0.5);
  EXPECT_EQ(file.flag_if("tokenizer.ggml.add_bos_token").value(), true);
  EXPECT_EQ(file.integers_if("scores").value(), (std::vector<int64_t>{-7, 9}));
  EXPECT_EQ(file.numbers_if("scores").value(), (std::vector<double>{-7, 9}));
  EXPECT_EQ(file.texts_if("tokenizer.ggml.tokens").value(), (std::vector<std::string_view>{"a", ""}));
  EXPECT_EQ(file.text_if("missing").value(), std::nullopt);
  EXPECT_FALSE(file.text_if("scores").ok());
  EXPECT_FALSE(file.numbers_if("tokenizer.ggml.tokens").ok());
  const GgufTensor* tensor = file.find_tensor("w");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->type, GgmlType::q8_0);
  EXPECT_EQ(tensor->dimensions, (std::vector<uint64_t>{32, 1}));
  EXPECT_EQ(tensor->bytes.size(), 34U);
  EXPECT_EQ(tensor->bytes.data() + 34, bytes.data() + bytes.size());
}

TEST(Gguf, what_does_not_fit_is_refused) {
  const struct {
    const char* name;
    Sample sample;
    const char* message;
  } cases[] = {
      {"version 1", {.version = 1}, "version 1 is not read"},
      {"big endian", {.version = 3U << 24}, "big endian"},
      {"more values than bytes", {.values = 1U << 20}, "counts more"},
      {"more tensors than bytes", {.tensors = uint64_t{1} << 62}, "counts more"},
      {"a key twice", {.last_key = "scores"}, "'scores' appears twice"},
      {"an unknown type", {.type = 4}, "unknown type 4"},
      {"five dimensions", {.rank = 5}, "has 5 dimensions"},
      {"a row that is no whole block", {.row = 33}, "whole number of Q8_0"},
      {"elements beyond 64 bits", {.row = uint64_t{1} << 60}, "too large"},
      {"an offset out of line", {.offset = 4}, "not aligned"},
      {"an offset past the end", {.offset = 32}, "past the end"},
      {"an offset that wraps", {.offset = ~uint64_t{31}}, "past the end"},
      {"data cut short", {.data_bytes = 33}, "past the end"},
      {"no alignment", {.alignment = 0}, "power of two"},
      {"an odd alignment", {.alignment = 24}, "power of two"},
  };
  for (const auto& row : cases) {
    const Bytes bytes = row.sample.bytes();
    auto parsed = GgufFile::parse(bytes);
    ASSERT_FALSE(parsed.ok()) << row.name;
    EXPECT_NE(parsed.error().message.find(row.message), std::string::npos)
        << row.name << ": " << parsed.error().message;
  }
}

// Arrays hold arrays, so what lies inside one could go on for ever.
TEST(Gguf, arrays_within_arrays_and_their_counts_are_bounded) {
  struct Row {
    const char* name;
    size_t depth;
    uint64_t count;
    const char* message;
  };
  for (const Row& row : {Row{"a hundred thousand arrays in each other", 100'000, 1, "too deep"},
                         {"an array of arrays beyond the file", 2, 1U << 20, "longer than the file"},
                         {"a count that wraps", 1, ~uint64_t{0}, "longer than the file"}}) {
    ByteWriter out;
    out.text("GGUF");
    out.u32(3);
    out.u64(0);
    out.u64(1);
    put_text(out, "k");
    for (size_t i = 0; i < row.depth; ++i) {
      out.u32(9);
      if (i > 0) out.u64(row.count);
    }
    out.u32(4);
    out.u64(row.count);
    out.u32(7);
    out.zeros(32);
    const auto parsed = GgufFile::parse(std::move(out).take());
    ASSERT_FALSE(parsed.ok()) << row.name;
    EXPECT_NE(parsed.error().message.find(row.message), std::string::npos)
        << row.name << ": " << parsed.error().message;
  }
}

TEST(Gguf, every_shorter_file_is_refused) {
  const Bytes bytes = Sample{}.bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(GgufFile::parse(cut).ok()) << size;
  }
}

}  // namespace
}  // namespace holdfast::codec
