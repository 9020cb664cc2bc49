#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

namespace holdfast::tensor {
namespace {

template <class T>
Bytes raw(std::initializer_list<T> values) {
  Bytes out(values.size() * sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), values.begin(), out.size());
  return out;
}

TEST(Tensor, HalfPrecisionWidensExactly) {
  const Bytes bytes =
      raw<uint16_t>({0x0000, 0x8000, 0x3C00, 0xC000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x7C00, 0xFC00, 0x3555});
  const auto got = to_floats({Dtype::f16, {11}, bytes}).value();
  const float expected[] = {0.0F,
                            -0.0F,
                            1.0F,
                            -2.0F,
                            0x1p-24F,
                            0x1.FF8p-15F,
                            0x1p-14F,
                            65504.0F,
                            std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity(),
                            0x1.554p-2F};
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i], expected[i]) << i;
    EXPECT_EQ(std::signbit(got[i]), std::signbit(expected[i])) << i;
  }
  const Bytes nan = raw<uint16_t>({0x7E00});
  EXPECT_TRUE(std::isnan(to_floats({Dtype::f16, {1}, nan}).value()[0]));
}

TEST(Tensor, OtherTypesWiden) {
  const Bytes bf16 = raw<uint16_t>({0x3F80, 0xC0A0}), f64 = raw<double>({0.5, -3}), f32 = raw<float>({1.5F});
  EXPECT_EQ(to_floats({Dtype::bf16, {2}, bf16}).value(), (std::vector<float>{1.0F, -5.0F}));
  EXPECT_EQ(to_floats({Dtype::f64, {2}, f64}).value(), (std::vector<float>{0.5F, -3.0F}));
  EXPECT_EQ(to_floats({Dtype::f32, {}, f32}).value(), (std::vector<float>{1.5F}));
  const Bytes i32 = raw<int32_t>({-7, 9}), i64 = raw<int64_t>({int64_t{1} << 40}),
              flags = raw<uint8_t>({1, 0});
  EXPECT_EQ(to_integers({Dtype::i32, {2}, i32}).value(), (std::vector<int64_t>{-7, 9}));
  EXPECT_EQ(to_integers({Dtype::i64, {1}, i64}).value(), (std::vector<int64_t>{int64_t{1} << 40}));
  EXPECT_EQ(to_integers({Dtype::boolean, {2}, flags}).value(), (std::vector<int64_t>{1, 0}));
  EXPECT_FALSE(to_floats({Dtype::i32, {2}, i32}).ok());
  EXPECT_FALSE(to_integers({Dtype::f32, {1}, f32}).ok());
}

}  // namespace
}  // namespace holdfast::tensor
