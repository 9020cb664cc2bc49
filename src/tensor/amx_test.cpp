// The tile kernels on emulated tile registers: what they load, multiply and store, against the plain sums.
// The instructions themselves are tested by linear_test.cpp on machines that have them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/emulated_tiles.h"
#include "tensor/kernels.h"
#include "tensor/precision.h"
#include "tensor/simd/attention_amx.h"
#include "tensor/simd/tile_product_amx.h"

namespace holdfast::tensor {
namespace {

struct EmulatedPairs : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      const auto wide = [](uint32_t half) { return std::bit_cast<float>(half << 16); };
      float total = std::bit_cast<float>(sum);
      total = std::fma(wide(x & 0xFFFFU), wide(y & 0xFFFFU), total);
      return std::bit_cast<uint32_t>(std::fma(wide(x >> 16), wide(y >> 16), total));
    });
  }
};

struct EmulatedBytes : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      for (unsigned at = 0; at < 32; at += 8)
        sum +=
            static_cast<uint32_t>(static_cast<int32_t>(x >> at & 255U) * static_cast<int8_t>(y >> at & 255U));
      return sum;
    });
  }
};

template <class Tiles>
void compare(Precision precision, uint32_t word_mask) {
  std::mt19937 random(61);  // Seed 61.
  for (int round = 0; round < 60; ++round) {
    SumsJob job;
    job.row_count = random() % 75;
    job.strip_count = 2 * (1 + random() % 3);
    job.steps = 16 * (1 + random() % 4);
    job.row_words = job.steps + 16;
    job.strip_bytes = job.steps * line_bytes;
    job.sums_stride = job.strip_count * strip_columns;
    // Exactly as long as the job says, so that the address sanitizer sees a row too many.
    std::vector<uint32_t> rows(job.row_count == 0 ? 0 : job.row_count * job.row_words - 16);
    std::vector<uint32_t> strips(job.strip_count * job.steps * 16);
    for (uint32_t& word : rows) word = static_cast<uint32_t>(random()) & word_mask;
    for (uint32_t& word : strips) word = static_cast<uint32_t>(random()) & word_mask;
    job.rows = rows.data();
    job.strips = reinterpret_cast<const std::byte*>(strips.data());
    std::vector<uint32_t> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.products[static_cast<size_t>(precision)].sums(job);
    job.sums = got.data();
    TileSums<Tiles>::sums(job);
    EXPECT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

// Strips that lie in pages, by the page or by the step, against the same beside each other.
TEST(AmxTiles, StripsInPagesAreThoseBesideEachOther) {
  std::mt19937 random(68);  // Seed 68.
  for (int round = 0; round < 40; ++round) {
    const bool by_steps = round % 2 == 0;
    SumsJob job;
    job.row_count = 1 + random() % 40;
    const size_t pages = 1 + random() % 4, page_strips = 2 * (1 + random() % 2),
                 page_steps = 16 * (1 + random() % 2);
    job.strip_count = by_steps ? page_strips : page_strips * pages;
    job.steps = by_steps ? page_steps * pages : page_steps;
    job.row_words = job.steps + 16;
    job.strip_bytes = job.steps * line_bytes;
    job.sums_stride = job.strip_count * strip_columns;
    std::vector<uint32_t> rows(job.row_count * job.row_words), strips(job.strip_count * job.steps * 16);
    for (uint32_t& word : rows) word = static_cast<uint32_t>(random()) & 0xBFFFBFFFU;
    for (uint32_t& word : strips) word = static_cast<uint32_t>(random()) & 0xBFFFBFFFU;
    job.rows = rows.data();
    job.strips = reinterpret_cast<const std::byte*>(strips.data());
    std::vector<uint32_t> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    TileSums<EmulatedPairs>::sums(job);

    const size_t offset = random() % 7, line = strip_columns, page_lines = page_strips * page_steps;
    std::vector<std::vector<float>> own;
    std::vector<const float*> list;
    for (size_t page = 0; page < pages; ++page) {
      std::vector<float>& to = own.emplace_back(offset + page_lines * line);
      for (size_t strip = 0; strip < page_strips; ++strip) {
        const size_t from =
            by_steps ? strip * job.steps + page * page_steps : (page * page_strips + strip) * job.steps;
        std::memcpy(to.data() + offset + strip * page_steps * line, strips.data() + from * line,
                    page_steps * line_bytes);
      }
    }
    for (const auto& page : own) list.push_back(page.data());
    job.strips = nullptr;
    job.strip_bytes = page_steps * line_bytes;
    job.pages = {list.data(), offset, by_steps ? 0 : page_strips, by_steps ? page_steps : 0};
    job.sums = got.data();
    TileSums<EmulatedPairs>::sums(job);
    EXPECT_EQ(got, expected) << "round " << round;
  }
}

template <Precision precision>
void plain_finish(const FinishJob& job) {
  plain_kernels.products[static_cast<size_t>(precision)].finish(job);
}

// Sums, then what becomes of them, against both at once.
template <class Tiles, Precision precision>
void compare_product(uint32_t word_mask) {
  const ProductKernel& plain = plain_kernels.products[static_cast<size_t>(precision)];
  std::mt19937 random(67);  // Seed 67.
  const auto floats = [&](size_t count) {
    std::vector<float> out(count);
    for (float& x : out) x = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 512;
    return out;
  };
  for (int round = 0; round < 24; ++round) {
    SumsJob job;
    job.row_count = random() % 110;
    job.strip_count = 2 * (1 + random() % 3);
    job.steps = 16 * (1 + random() % 5);
    job.row_words = job.steps + 16;
    job.strip_bytes = job.steps * line_bytes;
    job.sums_stride = job.strip_count * strip_columns;
    std::vector<uint32_t> rows(job.row_count == 0 ? 0 : job.row_count * job.row_words - 16);
    std::vector<uint32_t> strips(job.strip_count * job.steps * 16);
    for (uint32_t& word : rows) word = static_cast<uint32_t>(random()) & word_mask;
    for (uint32_t& word : strips) word = static_cast<uint32_t>(random()) & word_mask;
    job.rows = rows.data();
    job.strips = reinterpret_cast<const std::byte*>(strips.data());

    FinishJob finish;
    finish.gated = random() % 3 == 0;
    finish.rows = job.row_count;
    const size_t whole = job.sums_stride / (finish.gated ? 2 : 1);
    finish.columns = random() % 2 == 0 ? whole : whole - random() % (finish.gated ? 16 : 32);
    finish.activation = random() % 2 == 0 ? Activation::gelu : Activation::none;
    const std::vector<float> bias = floats(job.sums_stride), scales = floats(job.sums_stride);
    const std::vector<float> row_scales = floats(job.row_count), shifts = floats(job.row_count),
                             sums_of_weights = floats(job.sums_stride);
    finish.bias = bias.data();
    if (precision == Precision::int8) {
      finish.row_scales = row_scales.data();
      finish.row_shifts = shifts.data();
      finish.column_scales = scales.data();
      finish.weight_sums = sums_of_weights.data();
    }
    const bool words = precision == Precision::bf16 && random() % 2 == 0;
    if (words) finish.columns = whole;
    finish.out_stride = finish.row_words = whole + 3;
    const std::vector<float> addend = floats(job.row_count * finish.out_stride);
    if (!words && random() % 2 == 0) finish.addend = addend.data();
    std::vector<float> expected(job.row_count * finish.out_stride, 7), got = expected;
    const auto put_into = [&](std::vector<float>& out) {
      if (words)
        finish.words = reinterpret_cast<uint32_t*>(out.data());
      else
        finish.out = out.data();
    };

    std::vector<uint32_t> sums(job.row_count * job.sums_stride);
    put_into(expected);
    job.sums = sums.data();
    plain.sums(job);
    finish.sums = sums.data();
    finish.sums_stride = job.sums_stride;
    plain.finish(finish);
    put_into(got);
    job.sums = nullptr;
    finish.sums = nullptr;
    TileProduct<Tiles, AnyEnding<plain_finish<precision>>>::run(job, finish);
    const auto bits = [](const std::vector<float>& all) {
      std::vector<uint32_t> out(all.size());
      for (size_t i = 0; i < all.size(); ++i) out[i] = std::bit_cast<uint32_t>(all[i]);
      return out;
    };
    EXPECT_EQ(bits(got), bits(expected)) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

TEST(Amx, ProductsOfBytesEndAsTheirSumsFinishedLater) {
  compare_product<EmulatedBytes, Precision::int8>(0xFFFFFFFFU);
}
TEST(Amx, ProductsOfPairsEndAsTheirSumsFinishedLater) {
  compare_product<EmulatedPairs, Precision::bf16>(0xBFFFBFFFU);
}

TEST(Amx, TilesOfBytesAddUpToThePlainSums) { compare<EmulatedBytes>(Precision::int8, 0xFFFFFFFFU); }
// Without the top exponent bit, so that there are no infinities.
TEST(Amx, TilesOfPairsAddUpToThePlainSums) { compare<EmulatedPairs>(Precision::bf16, 0xBFFFBFFFU); }

// Softmax of one row by the plain kernel.
struct PlainSoftmax {
  static float peak(const float* /*scores*/, size_t /*keys*/) { return 0; }  // It finds its own.
  static float row(const float* scores, size_t keys, float scale, float /*peak*/, uint32_t* words,
                   size_t wide) {
    WeighJob job;
    float total = 0;
    job.scores = scores;
    job.rows = 1;
    job.keys = keys;
    job.scale = scale;
    job.words = words;
    job.steps = wide / 2;
    job.totals = &total;
    plain_kernels.products[static_cast<size_t>(Precision::bf16)].weigh(job);
    return total;
  }
  static float of_sink(float sink, float /*scale*/, float /*peak*/) { return sink; }
};
void plain_share(const ShareJob& job) {
  plain_kernels.products[static_cast<size_t>(Precision::bf16)].share(job);
}

// Each query sees the keys up to its own place, or all of them; what is not seen is masked.
class Seen final : public ScoreChange {
 public:
  Seen(size_t rows, size_t keys, bool causal) : before_(keys - rows), keys_(keys), causal_(causal) {}
  size_t seen(size_t row, size_t rows) const override { return causal_ ? before_ + row + rows : keys_; }
  float change(size_t row, size_t rows, size_t seen, float* scores, size_t stride) const override {
    for (size_t i = 0; causal_ && i < rows; ++i)
      std::fill(scores + i * stride + before_ + row + i + 1, scores + i * stride + seen, -INFINITY);
    return 0.125F;
  }

 private:
  const size_t before_, keys_;
  const bool causal_;
};

// Blocks of rows that overlap, whose tiles are multiplied while others weigh, against one row after the
// other.
TEST(Amx, AttentionInBlocksIsThatOfEachRow) {
  const ProductKernel& plain = plain_kernels.products[static_cast<size_t>(Precision::bf16)];
  std::mt19937 random(71);  // Seed 71.
  for (int round = 0; round < 40; ++round) {
    AttendJob job;
    job.rows = random() % 70;
    const size_t keys = job.rows + 1 + random() % 100;
    job.steps = 16 * (1 + random() % 2);
    job.row_words = job.steps + random() % 3;
    job.keys_wide = (keys + 31) / 32 * 32;
    job.value_strips = 2 * (1 + random() % 2);
    job.value_bytes = job.keys_wide / 2 * line_bytes;
    const Seen scores(job.rows, keys, round % 2 == 0);
    job.scores = &scores;
    const float sink = 3;
    if (random() % 2 == 0) job.sink = &sink;
    const auto words = [&](size_t count) {  // Pairs of numbers from 2^-7 to 1.
      std::vector<uint32_t> out(count);
      for (uint32_t& word : out) word = (static_cast<uint32_t>(random()) & 0x837F837FU) | 0x3C003C00U;
      return out;
    };
    // Exactly as long as the job says, so that the address sanitizer sees a row too many.
    const auto queries = words(job.rows == 0 ? 0 : (job.rows - 1) * job.row_words + job.steps);
    const auto key_words = words(job.keys_wide * job.steps),
               value_words = words(job.value_strips * job.value_bytes / 4);
    job.queries = queries.data();
    job.keys = reinterpret_cast<const std::byte*>(key_words.data());
    job.values = reinterpret_cast<const std::byte*>(value_words.data());
    std::vector<float> memory(attend_floats(job.keys_wide, job.value_strips), NAN);
    job.memory = memory.data();
    job.share.columns = job.value_strips * strip_columns - random() % 3;
    job.share.out_stride = job.share.columns + 5;
    std::vector<float> got(job.rows * job.share.out_stride, 7), expected = got;
    job.share.out = got.data();
    TileAttention<EmulatedPairs, PlainSoftmax, plain_share>::run(job);
    EXPECT_FALSE(Emulated::configured);

    for (size_t row = 0; row < job.rows; ++row) {
      const size_t seen = scores.seen(row, 1);
      std::vector<float> row_scores(job.keys_wide), row_sums(job.value_strips * strip_columns);
      std::vector<uint32_t> weights(job.keys_wide / 2);
      SumsJob sums;
      sums.rows = job.queries + row * job.row_words;
      sums.row_words = job.row_words;
      sums.row_count = 1;
      sums.strips = job.keys;
      sums.strip_bytes = job.steps * line_bytes;
      sums.strip_count = job.keys_wide / strip_columns;
      sums.steps = job.steps;
      sums.sums = row_scores.data();
      sums.sums_stride = job.keys_wide;
      plain.sums(sums);
      float total = PlainSoftmax::row(row_scores.data(), seen, 0.125F, 0, weights.data(), job.keys_wide);
      if (job.sink != nullptr) total += sink;
      sums.rows = weights.data();
      sums.strips = job.values;
      sums.strip_bytes = job.value_bytes;
      sums.strip_count = job.value_strips;
      sums.steps = job.keys_wide / 2;
      sums.sums = row_sums.data();
      sums.sums_stride = row_sums.size();
      plain.sums(sums);
      ShareJob share = job.share;
      share.sums = row_sums.data();
      share.sums_stride = row_sums.size();
      share.rows = 1;
      share.totals = &total;
      share.out = expected.data() + row * share.out_stride;
      plain.share(share);
    }
    EXPECT_EQ(got, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace holdfast::tensor
