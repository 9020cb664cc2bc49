#include "cli/triton_layout.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using codec::OnnxSignature;

TEST(TritonLayoutTest, AFreeFirstDimensionIsTheBatch) {
  const OnnxSignature signature{
      .inputs = {{"ids", 7, {-1, -1}}, {"one", 1, {-1}}}, .outputs = {{"logits", 1, {-1, 3}}}, .files = {}};
  const auto config = triton_config({.name = "bert", .batch_max = 8, .labels = {"a", "b", "c"}}, signature);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(
      config.value(),
      "name: \"bert\"\nbackend: \"onnxruntime\"\ndefault_model_filename: \"model.onnx\"\nmax_batch_size: 8\n"
      "input [\n  {\n    name: \"ids\"\n    data_type: TYPE_INT64\n    dims: [ -1 ]\n  },\n"
      "  {\n    name: \"one\"\n    data_type: TYPE_FP32\n    dims: [ 1 ]\n    reshape { shape: [ ] }\n  "
      "}\n]\n"
      "output [\n  {\n    name: \"logits\"\n    data_type: TYPE_FP32\n    dims: [ 3 ]\n"
      "    label_filename: \"labels.txt\"\n  }\n]\ndynamic_batching { }\n");
}

TEST(TritonLayoutTest, AFixedOneIsWrittenAsItIs) {
  const OnnxSignature signature{.inputs = {{"x", 10, {1, 3}}}, .outputs = {{"y", 10, {-1, 3}}}, .files = {}};
  const auto config = triton_config({.name = "m"}, signature);
  ASSERT_TRUE(config.ok());
  EXPECT_NE(config.value().find("max_batch_size: 0\n"), std::string::npos);
  EXPECT_NE(config.value().find("TYPE_FP16\n    dims: [ 1, 3 ]"), std::string::npos);
  EXPECT_EQ(config.value().find("dynamic_batching"), std::string::npos);
}

TEST(TritonLayoutTest, NamesAreQuotedAndTypesThatTritonLacksRefused) {
  const OnnxSignature odd{.inputs = {{"a\"b\n", 1, {1}}}, .outputs = {{"y", 1, {1}}}, .files = {}};
  EXPECT_NE(triton_config({.name = "m"}, odd).value().find(R"(name: "a\"b\012")"), std::string::npos);
  for (const int32_t type : {-1, 0, 14, 15, 17, 99}) {
    const OnnxSignature unknown{.inputs = {}, .outputs = {{"y", type, {1}}}, .files = {}};
    EXPECT_FALSE(triton_config({.name = "m"}, unknown).ok()) << type;
  }
}

}  // namespace
}  // namespace holdfast::cli
