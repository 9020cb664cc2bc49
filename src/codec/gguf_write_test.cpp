#include "codec/gguf_write.h"

#include <gtest/gtest.h>

namespace holdfast::codec {
namespace {

TEST(GgufWrite, WhatIsWrittenIsWhatIsRead) {
  const std::vector<std::string_view> words = {"a", "", "\xFF"};
  const uint32_t numbers[] = {7, 9};
  GgufArray texts{.type = GgufValueType::text, .count = 3, .numbers = {}, .texts = words};
  GgufArray list{
      .type = GgufValueType::u32, .count = 2, .numbers = std::as_bytes(std::span(numbers)), .texts = {}};
  const std::vector<GgufEntry> entries = {{"general.architecture", std::string_view("llama")},
                                          {"llama.block_count", uint64_t{2}},
                                          {"low", int64_t{-5}},
                                          {"large", uint64_t{1} << 40},
                                          {"epsilon", 0.5},
                                          {"wide", 1e-300, GgufEntry::Width::wide},
                                          {"flag", true},
                                          {"words", texts},
                                          {"numbers", list}};
  const std::vector<GgufTensorOut> tensors = {
      {"one", GgmlType::f32, {3, 5}}, {"two", GgmlType::q4_0, {64, 2}}, {"three", GgmlType::f16, {1}}};
  GgufHead head = write_gguf_head(entries, tensors).value();
  Bytes file = head.bytes;
  for (size_t i = 0; i < tensors.size(); ++i) {
    file.resize(file.size() + head.data_bytes[i], static_cast<std::byte>(i + 1));
    file.resize(file.size() + head.padded_bytes[i] - head.data_bytes[i]);
  }
  const auto read = GgufFile::parse(file);
  ASSERT_TRUE(read.ok()) << read.error().message;
  const GgufFile& got = read.value();
  EXPECT_EQ(got.version(), 3U);
  EXPECT_EQ(got.text_if("general.architecture").value(), "llama");
  EXPECT_EQ(got.integer_if("llama.block_count").value(), 2);
  EXPECT_EQ(got.integer_if("low").value(), -5);
  EXPECT_EQ(got.integer_if("large").value(), int64_t{1} << 40);
  EXPECT_EQ(got.number_if("epsilon").value(), 0.5);
  EXPECT_EQ(got.number_if("wide").value(), 1e-300);
  EXPECT_EQ(got.flag_if("flag").value(), true);
  EXPECT_EQ(got.texts_if("words").value(), words);
  EXPECT_EQ(got.integers_if("numbers").value(), (std::vector<int64_t>{7, 9}));
  ASSERT_EQ(got.tensors().size(), 3U);
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(got.tensors()[i].name, tensors[i].name);
    EXPECT_EQ(got.tensors()[i].type, tensors[i].type);
    EXPECT_EQ(got.tensors()[i].dimensions, tensors[i].dimensions);
    ASSERT_EQ(got.tensors()[i].bytes.size(), head.data_bytes[i]);
    EXPECT_EQ(got.tensors()[i].bytes.back(), static_cast<std::byte>(i + 1));
  }
}

TEST(GgufWrite, RefusesWhatNobodyCouldRead) {
  const std::vector<GgufEntry> twice = {{"a", true}, {"a", false}};
  EXPECT_EQ(write_gguf_head(twice, {}).error().reason, Reason::bad_request);
  for (const GgufTensorOut& bad :
       {GgufTensorOut{"x", GgmlType::q4_0, {33}}, GgufTensorOut{"", GgmlType::f32, {1}},
        GgufTensorOut{"x", GgmlType::f32, {0}}, GgufTensorOut{"x", GgmlType::f32, {1, 1, 1, 1, 1}},
        GgufTensorOut{std::string(65, 'x'), GgmlType::f32, {1}}})
    EXPECT_EQ(write_gguf_head({}, {&bad, 1}).error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::codec
