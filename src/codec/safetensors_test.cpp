#include "codec/safetensors.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace holdfast::codec {
namespace {

Bytes file_of(std::string_view header, size_t data_bytes) {
  ByteWriter out;
  out.u64(header.size());
  out.text(header);
  out.zeros(data_bytes);
  return std::move(out).take();
}

Result<SafetensorsHeader> parse(std::string_view header, size_t data_bytes) {
  const Bytes file = file_of(header, data_bytes);
  return parse_safetensors_header(file, file.size());
}

TEST(Safetensors, ReadsTensorsInTheOrderOfTheirDataWithMetadata) {
  auto got = parse(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I64","shape":[2],"data_offsets":[12,28]},)"
      R"("a":{"dtype":"F32","shape":[3,1],"data_offsets":[0,12]},"s":{"dtype":"U8","shape":[],"data_offsets":[28,29]}}  )",
      29);
  ASSERT_TRUE(got.ok()) << got.error().message;
  const SafetensorsHeader& header = got.value();
  ASSERT_EQ(header.entries.size(), 3U);
  EXPECT_EQ(header.entries[0].name, "a");
  EXPECT_EQ(header.entries[0].elements(), 3U);
  EXPECT_EQ(header.entries[1].name, "b");
  EXPECT_EQ(header.entries[2].elements(), 1U);
  EXPECT_EQ(header.metadata.at(0).second, "pt");
  const auto counts = parameters_by_dtype(header);
  ASSERT_EQ(counts.size(), 3U);
  EXPECT_EQ(counts[0].first, "F32");
  EXPECT_EQ(counts[0].second, 3U);
}

TEST(Safetensors, AcceptsAnEmptyFileAndEmptyTensors) {
  EXPECT_TRUE(parse("{}", 0).ok());
  EXPECT_TRUE(parse(R"({"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]}})", 0).ok());
}

TEST(Safetensors, RefusesWhatTheFormatForbids) {
  struct Case {
    const char* why;
    const char* header;
    size_t data_bytes;
  };
  const Case cases[] = {
      {"not JSON", "{", 0},
      {"not an object", "[]", 0},
      {"leading space", " {}", 0},
      {"something after the object", "{}{}", 0},
      {"a tensor that is text", R"({"a":"x"})", 0},
      {"metadata that is not text", R"({"__metadata__":{"a":1}})", 0},
      {"nested metadata", R"({"__metadata__":{"a":{}}})", 0},
      {"unknown dtype", R"({"a":{"dtype":"Q9","shape":[1],"data_offsets":[0,4]}})", 4},
      {"no dtype", R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4},
      {"unknown field", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4},
      {"one offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4},
      {"three offsets", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}})", 4},
      {"negative offset", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4},
      {"fraction", R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4},
      {"backwards", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4},
      {"past the end", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4},
      {"data left over", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 5},
      {"a hole", R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8},
      {"overlap",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4},
      {"size does not fit the shape", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4},
      {"shape overflows", R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0},
      {"bits overflow", R"({"a":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,0]}})", 0},
      {"offset overflows", R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}})", 1},
      {"half a byte", R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}})", 1},
      {"the same tensor twice",
       R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
       2},
      {"the same field twice", R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1},
      {"metadata twice", R"({"__metadata__":{"a":"1","a":"2"}})", 0},
  };
  for (const auto& [why, header, data_bytes] : cases) EXPECT_FALSE(parse(header, data_bytes).ok()) << why;
}

TEST(Safetensors, RefusesLengthsThatLieAboutTheHeader) {
  ByteWriter huge;
  huge.u64(~uint64_t{0});
  EXPECT_FALSE(parse_safetensors_header(huge.view(), std::nullopt).ok());
  ByteWriter big;
  big.u64(safetensors_header_bytes_max + 1);
  EXPECT_FALSE(safetensors_prefix_bytes(big.view()).ok());
  EXPECT_FALSE(parse_safetensors_header({}, 0).ok());
  Bytes cut = file_of("{}", 0);
  cut.pop_back();
  EXPECT_FALSE(parse_safetensors_header(cut, std::nullopt).ok());
}

TEST(Safetensors, APrefixIsEnoughToCountParameters) {
  const Bytes file = file_of(R"({"a":{"dtype":"BF16","shape":[10,10],"data_offsets":[0,200]}})", 200);
  const uint64_t needed = safetensors_prefix_bytes(ByteView(file).first(8)).value();
  auto got = parse_safetensors_header(ByteView(file).first(needed), std::nullopt);
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(parameters_by_dtype(got.value()).at(0), (std::pair<std::string_view, uint64_t>{"BF16", 100}));
}

TEST(Safetensors, WhatIsWrittenIsReadBackTheSame) {
  std::mt19937 random(7);  // Seed 7.
  const std::array dtypes = {Dtype::u8, Dtype::f16, Dtype::f32, Dtype::i64, Dtype::f64};
  for (int round = 0; round < 50; ++round) {
    std::vector<Bytes> data;
    std::vector<SafetensorsTensor> tensors;
    const size_t count = random() % 6;
    data.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const Dtype dtype = dtypes[random() % dtypes.size()];
      const std::vector<uint64_t> shape = {random() % 4, random() % 5};
      data.emplace_back(shape[0] * shape[1] * dtype_bits(dtype) / 8, std::byte(random() & 255));
      tensors.push_back({"layer \"" + std::to_string(random() % 1000) + "\"\n" + std::to_string(i), dtype,
                         shape, data.back()});
    }
    const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
    auto file = write_safetensors(tensors, metadata);
    ASSERT_TRUE(file.ok()) << file.error().message;
    auto header = parse_safetensors_header(file.value(), file.value().size());
    ASSERT_TRUE(header.ok()) << header.error().message;
    EXPECT_EQ(header.value().data_offset % 8, 0U);
    for (const SafetensorsTensor& tensor : tensors) {
      const SafetensorsEntry* entry = header.value().find(tensor.name);
      ASSERT_NE(entry, nullptr);
      EXPECT_EQ(entry->dtype, tensor.dtype);
      EXPECT_EQ(entry->shape, tensor.shape);
      const auto bytes =
          ByteView(file.value()).subspan(header.value().data_offset + entry->begin, tensor.bytes.size());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), tensor.bytes.begin()));
    }
    std::reverse(tensors.begin(), tensors.end());
    EXPECT_EQ(write_safetensors(tensors, metadata).value(), file.value())
        << "the order given must not matter";
  }
}

TEST(Safetensors, RefusesToWriteTwoTensorsOfOneName) {
  const std::array tensors = {SafetensorsTensor{"a", Dtype::u8, {0}, {}},
                              SafetensorsTensor{"a", Dtype::u8, {0}, {}}};
  EXPECT_FALSE(write_safetensors(tensors).ok());
}

}  // namespace
}  // namespace holdfast::codec
