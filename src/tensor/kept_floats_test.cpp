#include "tensor/kept_floats.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "tensor/threads.h"

namespace holdfast::tensor {
namespace {

struct Kept {
  KeptFloats numbers;
  float mark = 0;
};

bool is_whole(const Kept& one) {
  const auto all = one.numbers.span();
  return std::all_of(all.begin(), all.end(), [&](float x) { return x == one.mark; });
}

TEST(KeptFloats, AreAlignedAndOnesOwnWhoeverLivesBesideThem) {
  constexpr size_t sizes[] = {0, 1, 100, 20'000, 100'000, 700'000};
  std::vector<std::vector<Kept>> made(4);
  make_threads(4)->run(made.size(), [&](size_t part) {
    std::mt19937 random(static_cast<uint32_t>(part));
    for (size_t i = 0; i < 12; ++i) {
      Kept one{KeptFloats(sizes[random() % std::size(sizes)]), static_cast<float>(part * 100 + i)};
      std::fill_n(one.numbers.data(), one.numbers.size(), one.mark);
      made[part].push_back(std::move(one));
      if (i % 3 == 2)
        made[part].erase(made[part].begin() + static_cast<ptrdiff_t>(random() % made[part].size()));
    }
  });
  for (const std::vector<Kept>& part : made)
    for (const Kept& one : part) {
      EXPECT_TRUE(is_whole(one)) << one.mark;
      EXPECT_EQ(reinterpret_cast<uintptr_t>(one.numbers.data()) % 64, 0U);
    }
}

TEST(KeptFloats, MayBeLargerThanWhatTheyAreCutFrom) {
  const KeptFloats before(100'000);
  KeptFloats large(9'000'000);
  const KeptFloats after(100'000);
  large.data()[0] = 1;
  large.data()[8'999'999] = 2;
  EXPECT_NE(before.data(), after.data());
  EXPECT_EQ(large.data()[0] + large.data()[8'999'999], 3);
}

TEST(KeptFloats, AreMovedAndNotCopied) {
  KeptFloats first(50'000);
  first.data()[49'999] = 7;
  const float* at = first.data();
  const KeptFloats second = std::move(first);
  EXPECT_EQ(second.data(), at);
  EXPECT_EQ(second.size(), 50'000U);
  EXPECT_EQ(second.data()[49'999], 7);
  EXPECT_EQ(KeptFloats().size(), 0U);
}

}  // namespace
}  // namespace holdfast::tensor
