#include "codec/onnx_signature.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::codec {
namespace {

// Protobuf by hand: a field of bytes, a field of a number (both below 128).
std::string bytes_field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}
std::string number_field(int number, int value) {
  return std::string(1, static_cast<char>(number << 3)) + static_cast<char>(value);
}
std::string tensor_value(const std::string& name, int type, const std::vector<std::string>& dimensions) {
  std::string shape;
  for (const std::string& one : dimensions) shape += bytes_field(1, one);
  return bytes_field(1, name) + bytes_field(2, bytes_field(1, number_field(1, type) + bytes_field(2, shape)));
}
std::string model(const std::string& graph) { return number_field(1, 8) + bytes_field(7, graph); }

const std::string batch = bytes_field(2, "batch"), three = number_field(1, 3);

TEST(OnnxSignatureTest, NamesTypesAndShapesAreRead) {
  const auto read =
      read_onnx_signature(as_bytes(model(bytes_field(11, tensor_value("ids", 7, {batch, batch})) +
                                         bytes_field(12, tensor_value("logits", 1, {batch, three})))));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read.value().inputs, (std::vector<OnnxValue>{{"ids", 7, {-1, -1}}}));
  EXPECT_EQ(read.value().outputs, (std::vector<OnnxValue>{{"logits", 1, {-1, 3}}}));
}

TEST(OnnxSignatureTest, WeightsThatOldFilesListAsInputsAreNone) {
  const auto read = read_onnx_signature(as_bytes(
      model(bytes_field(11, tensor_value("w", 1, {three})) + bytes_field(11, tensor_value("x", 1, {three})) +
            bytes_field(5, bytes_field(8, "w") +
                               bytes_field(13, bytes_field(1, "location") + bytes_field(2, "w.bin"))) +
            bytes_field(12, tensor_value("y", 1, {})))));
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read.value().inputs.size(), 1);
  EXPECT_EQ(read.value().inputs[0].name, "x");
  EXPECT_EQ(read.value().files, std::vector<std::string>{"w.bin"});
}

TEST(OnnxSignatureTest, WhatIsNoSuchFileIsRefused) {
  const std::string whole = model(bytes_field(12, tensor_value("y", 1, {batch, three})));
  ASSERT_TRUE(read_onnx_signature(as_bytes(whole)).ok());
  for (size_t cut = 1; cut < whole.size(); ++cut)
    EXPECT_FALSE(read_onnx_signature(as_bytes(whole).first(cut)).ok()) << cut;
  for (const std::string& text : {std::string(), std::string("hello there"), model(""),
                                  model(bytes_field(12, bytes_field(1, "sequence"))), whole + whole,
                                  std::string("\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11)})
    EXPECT_FALSE(read_onnx_signature(as_bytes(text)).ok()) << text.size();
}

}  // namespace
}  // namespace holdfast::codec
