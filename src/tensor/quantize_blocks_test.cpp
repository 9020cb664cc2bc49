#include "tensor/quantize_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <random>

#include "io/disk.h"
#include "tensor/blocks.h"

namespace holdfast::tensor {
namespace {

using codec::GgmlType;

TEST(QuantizeBlocks, HalvesAreTheNearestOnes) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    const float here = from_half(static_cast<uint16_t>(bits));
    ASSERT_EQ(to_half(here), bits);
    ASSERT_EQ(to_half(-here), bits | 0x8000U);
    if (bits + 1 == 0x7C00) break;
    const float middle = here + (from_half(static_cast<uint16_t>(bits + 1)) - here) / 2;
    ASSERT_EQ(to_half(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(to_half(std::nextafter(middle, 1e9F)), bits + 1);
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0F)), bits);
  }
  EXPECT_EQ(to_half(65'519.0F), 0x7BFFU);
  EXPECT_EQ(to_half(65'520.0F), 0x7C00U);
  EXPECT_EQ(to_half(1e30F), 0x7C00U);
}

// The reference data's files of one model in several types were made by ggml's own rules.
TEST(QuantizeBlocks, AreTheBytesOfTheReferenceFiles) {
  const char* shared = std::getenv("HOLDFAST_SHARED");
  if (shared == nullptr || !std::filesystem::exists(std::filesystem::path(shared) / "data/models/gguf"))
    GTEST_SKIP() << "HOLDFAST_SHARED is not set: the reference data is not here";
  const auto disk = io::open_posix_disk(std::filesystem::path(shared) / "data/models/gguf").value();
  const auto exact_bytes = disk->map("llama-tiny-f32.gguf").value();
  const auto exact = codec::GgufFile::parse(exact_bytes->bytes()).value();
  size_t compared = 0;
  for (const auto& [name, type] :
       {std::pair("llama-tiny-f16.gguf", GgmlType::f16), std::pair("llama-tiny-q8_0.gguf", GgmlType::q8_0),
        std::pair("llama-tiny-q4_0.gguf", GgmlType::q4_0)}) {
    const auto bytes = disk->map(name).value();
    const auto file = codec::GgufFile::parse(bytes->bytes()).value();
    for (const codec::GgufTensor& tensor : file.tensors()) {
      const codec::GgufTensor* from = exact.find_tensor(tensor.name);
      if (tensor.type != type || from == nullptr || from->type != GgmlType::f32) continue;
      const auto numbers = widen_blocks(GgmlType::f32, from->bytes, from->elements).value();
      const Bytes made = quantize_blocks(type, numbers).value();
      ASSERT_TRUE(std::equal(made.begin(), made.end(), tensor.bytes.begin(), tensor.bytes.end()))
          << name << " " << tensor.name;
      ++compared;
    }
  }
  EXPECT_GE(compared, 10U);
}

TEST(QuantizeBlocks, AreNearWhatTheyStandFor) {
  std::mt19937 random(61);  // Seed 61.
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> numbers(256 * 40);
  for (float& x : numbers) x = normal(random);
  std::fill_n(numbers.begin(), 256, 0.0F);
  std::fill_n(numbers.begin() + 256, 256, 1.5F);
  struct Case {
    GgmlType type;
    double worst;  // Of the root of the mean square of the misses.
  };
  for (const auto& [type, worst] :
       {Case{GgmlType::f32, 0}, Case{GgmlType::f16, 3e-4}, Case{GgmlType::q8_0, 0.006},
        Case{GgmlType::q4_0, 0.1}, Case{GgmlType::q4_k, 0.08}}) {
    const Bytes made = quantize_blocks(type, numbers).value();
    const auto back = widen_blocks(type, made, numbers.size()).value();
    double squares = 0;
    for (size_t i = 0; i < numbers.size(); ++i) squares += std::pow(back[i] - numbers[i], 2);
    EXPECT_LE(std::sqrt(squares / static_cast<double>(numbers.size())), worst)
        << codec::ggml_type_row(type).name;
  }
  EXPECT_EQ(quantize_blocks(GgmlType::q8_0, std::span(numbers).first(33)).error().reason,
            Reason::bad_request);
  EXPECT_EQ(quantize_blocks(GgmlType::q5_k, numbers).error().reason, Reason::model_unsupported);
  numbers[7] = NAN;
  EXPECT_EQ(quantize_blocks(GgmlType::q8_0, numbers).error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::tensor
