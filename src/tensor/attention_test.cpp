#include "tensor/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/buffer.h"
#include "tensor/kernels.h"
#include "tensor/linear.h"

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal(0, 1);
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// A random job with its numbers.
struct Case {
  Vector query, key, value, table, sinks, out;
  std::vector<size_t> query_starts = {0}, key_starts = {0};
  Attention job;

  enum class Strides : uint8_t { any, same };  // Of keys and values.

  Case(std::mt19937& random, size_t sequences, size_t longest, bool generates,
       Strides strides = Strides::any) {
    const size_t group = 1 + random() % 3;
    job.key_heads = 1 + random() % 3;
    job.heads = job.key_heads * group;
    job.head_width = 1 + random() % 70;
    job.value_width = random() % 3 == 0 ? 1 + random() % 70 : 0;
    for (size_t i = 0; i < sequences; ++i) {
      const size_t keys = random() % 5 == 0 ? random() % 3 : 1 + random() % longest;
      const size_t queries = generates && keys > 0 ? 1 + random() % keys : keys;
      query_starts.push_back(query_starts.back() + queries);
      key_starts.push_back(key_starts.back() + keys);
    }
    const size_t wide = value_width();
    job.query_stride = job.heads * job.head_width + random() % 3;
    job.key_stride = job.key_heads * job.head_width + random() % 3;
    job.value_stride = job.key_heads * wide + random() % 3;
    if (strides == Strides::same)
      job.key_stride = job.value_stride = std::max(job.key_stride, job.value_stride);
    job.out_stride = job.heads * wide + random() % 3;
    query = random_floats(random, query_starts.back() * job.query_stride);
    key = random_floats(random, key_starts.back() * job.key_stride);
    value = random_floats(random, key_starts.back() * job.value_stride);
    out = Vector(query_starts.back() * job.out_stride, NAN);
    job.scale = 0.3F;
    if (generates) job.after = 0;
    if (random() % 3 == 0) job.before = random() % 40;
    if (random() % 3 == 0) job.after = random() % 40;
    if (generates) job.after = 0;
    if (random() % 4 == 0) job.soft_cap = 5;
    if (random() % 4 == 0) {
      sinks = random_floats(random, job.heads);
      job.sinks = sinks.data();
    }
    if (random() % 3 == 0) {
      job.bias.reach = random() % 50;
      table = random_floats(random, job.heads * (2 * job.bias.reach + 1));
      job.bias.by_distance = table.data();
    } else if (random() % 3 == 0) {
      job.bias.add = [](const AttentionBias::Block& block) {
        for (size_t q = 0; q < block.queries; ++q)
          for (size_t k = 0; k < block.keys; ++k)
            block.scores[q * block.stride + k] +=
                0.01F *
                static_cast<float>((block.query_from + q) % 7 * (k % 5) + block.head + block.sequence);
      };
    }
    point();
  }
  Case(const Case&) = delete;
  void point() {
    job.query = query.data();
    job.key = key.data();
    job.value = value.data();
    job.out = out.data();
    job.query_starts = query_starts;
    job.key_starts = key_starts;
  }
  size_t value_width() const { return job.value_width != 0 ? job.value_width : job.head_width; }
};

// In double precision, straight from the definition.
Vector by_definition(const Case& test) {
  const Attention& job = test.job;
  Vector out(test.out.size(), NAN);
  for (size_t s = 0; s + 1 < test.query_starts.size(); ++s) {
    const size_t q0 = test.query_starts[s], queries = test.query_starts[s + 1] - q0;
    const size_t k0 = test.key_starts[s], keys = test.key_starts[s + 1] - k0;
    for (size_t h = 0; h < job.heads; ++h) {
      const size_t kh = h / (job.heads / job.key_heads);
      Vector added(queries * keys, 0);
      if (job.bias.add) job.bias.add({s, h, 0, queries, keys, added.data(), keys});
      for (size_t q = 0; q < queries; ++q) {
        const size_t position = keys - queries + q;
        std::vector<double> scores(keys, -INFINITY);
        double peak = job.sinks != nullptr ? job.sinks[h] : -INFINITY;
        for (size_t k = 0; k < keys; ++k) {
          if (k + std::min<size_t>(job.before, 1000) < position ||
              k > position + std::min<size_t>(job.after, 1000))
            continue;
          double score = 0;
          for (size_t d = 0; d < job.head_width; ++d)
            score += double(job.query[(q0 + q) * job.query_stride + h * job.head_width + d]) *
                     job.key[(k0 + k) * job.key_stride + kh * job.head_width + d];
          score *= job.scale;
          if (job.soft_cap > 0) score = job.soft_cap * std::tanh(score / job.soft_cap);
          const int64_t reach = static_cast<int64_t>(job.bias.reach);
          if (job.bias.by_distance != nullptr)
            score += job.bias.by_distance[h * (2 * job.bias.reach + 1) +
                                          std::clamp(int64_t(k) - int64_t(position), -reach, reach) + reach];
          scores[k] = score + added[q * keys + k];
          peak = std::max(peak, scores[k]);
        }
        double sum = job.sinks != nullptr ? std::exp(job.sinks[h] - peak) : 0;
        for (double& score : scores) sum += score = std::exp(score - peak);
        for (size_t d = 0; d < test.value_width(); ++d) {
          double value = 0;
          for (size_t k = 0; k < keys; ++k)
            value += scores[k] * job.value[(k0 + k) * job.value_stride + kh * test.value_width() + d];
          out[(q0 + q) * job.out_stride + h * test.value_width() + d] = static_cast<float>(value / sum);
        }
      }
    }
  }
  return out;
}

TEST(Attention, IsWhatTheDefinitionSaysForAnyShapeMaskAndBias) {
  std::mt19937 random(31);  // Seed 31.
  const auto threads = make_threads(2);
  for (int round = 0; round < 80; ++round) {
    Case test(random, random() % 4, 130, round % 2 == 0);
    const Vector expected = by_definition(test);
    for (Isa isa : isas_of_this_machine()) {
      std::fill(test.out.begin(), test.out.end(), NAN);
      attend(test.job, {isa, Precision::f32}, *threads);
      for (size_t i = 0; i < expected.size(); ++i) {
        if (std::isnan(expected[i])) continue;
        ASSERT_NEAR(test.out[i], expected[i], 2e-5) << isa_name(isa) << " round " << round << " at " << i;
      }
    }
  }
}

TEST(Attention, InBf16IsNearTheDefinition) {
  std::mt19937 random(32);  // Seed 32.
  const auto threads = make_threads(2);
  for (int round = 0; round < 30; ++round) {
    Case test(random, 1 + random() % 3, 100, round % 2 == 0);
    const Vector expected = by_definition(test);
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : {Precision::bf16, Precision::int8}) {
        std::fill(test.out.begin(), test.out.end(), NAN);
        attend(test.job, {isa, precision}, *threads);
        for (size_t i = 0; i < expected.size(); ++i) {
          if (std::isnan(expected[i])) continue;
          ASSERT_NEAR(test.out[i], expected[i], 0.06) << isa_name(isa) << " round " << round << " at " << i;
        }
      }
  }
}

// Where words are pairs of bfloat16: near the powers they stand for, none for what is hidden or far below.
TEST(Attention, WeightsOfPairsAreNearTheirPowersAndAddUp) {
  std::mt19937 random(36);  // Seed 36.
  for (Isa isa : isas_of_this_machine()) {
    if (!takes_halves(isa)) continue;
    const ProductKernel& kernel = kernels_for(isa).products[static_cast<size_t>(Precision::bf16)];
    for (int round = 0; round < 60; ++round) {
      const size_t keys = 1 + random() % 200, wide = (keys + 31) / 32 * 32;
      Vector scores(keys);
      for (float& score : scores) score = static_cast<float>(random() % 4000) / 100 - 20;
      const float peak = *std::max_element(scores.begin(), scores.end()), sink = peak * 0.5F - 1;
      if (keys > 2) scores[0] = -INFINITY;
      if (keys > 3) scores[1] = peak - 1e6F;
      std::vector<uint16_t> words(wide, 0xFFFF);
      float total = NAN;
      WeighJob job;
      job.scores = scores.data();
      job.rows = 1;
      job.keys = job.stride = keys;
      job.scale = 0.5F;
      if (round % 2 == 0) job.sink = &sink;
      job.words = reinterpret_cast<uint32_t*>(words.data());
      job.steps = wide / 2;
      job.totals = &total;
      kernel.weigh(job);
      const float seen = *std::max_element(scores.begin(), scores.end()),
                  most = job.sink == nullptr ? seen : std::max(seen, sink / job.scale);
      double sum = job.sink == nullptr ? 0 : std::exp(double(sink) - most * 0.5);
      for (size_t i = 0; i < wide; ++i) {
        const double got = std::bit_cast<float>(static_cast<uint32_t>(words[i]) << 16);
        const double wanted = i < keys ? std::exp((double(scores[i]) - most) * 0.5) : 0;
        sum += got;
        ASSERT_NEAR(got, wanted, wanted * 0.0085) << isa_name(isa) << " round " << round << " at " << i;
      }
      ASSERT_NEAR(total, sum, sum * 0.004) << isa_name(isa) << " round " << round;
    }
  }
}

// Each sequence on its own, and its queries in two calls as a chunked prefill makes them: the keys of the
// first call end where its queries do.
TEST(Attention, ASequenceHasTheSameBitsAloneAndInPiecesAndOnOneAndTwoThreads) {
  std::mt19937 random(33);  // Seed 33.
  const auto one = make_threads(1), two = make_threads(2);
  for (int round = 0; round < 24; ++round) {
    Case test(random, 1 + random() % 4, 120, true);
    test.job.bias.add = nullptr;  // Depends on the sequence's number.
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : {Precision::f32, Precision::bf16}) {
        std::fill(test.out.begin(), test.out.end(), 0.0F);
        attend(test.job, {isa, precision}, *one);
        const Vector whole = test.out;
        std::fill(test.out.begin(), test.out.end(), 0.0F);
        attend(test.job, {isa, precision}, *two);
        EXPECT_EQ(std::memcmp(whole.data(), test.out.data(), whole.size() * sizeof(float)), 0)
            << isa_name(isa) << " round " << round;
        std::fill(test.out.begin(), test.out.end(), 0.0F);
        for (size_t s = 0; s + 1 < test.query_starts.size(); ++s) {
          const size_t q0 = test.query_starts[s], q1 = test.query_starts[s + 1], k0 = test.key_starts[s],
                       k1 = test.key_starts[s + 1], half = q0 + (q1 - q0) / 2;
          for (const auto& [from, to] : {std::pair{q0, half}, {half, q1}}) {
            Attention piece = test.job;
            const size_t queries[] = {from, to}, keys[] = {k0, k1 - (q1 - to)};
            piece.query_starts = queries;
            piece.key_starts = keys;
            attend(piece, {isa, precision}, round % 2 == 0 ? *one : *two);
          }
        }
        EXPECT_EQ(std::memcmp(whole.data(), test.out.data(), whole.size() * sizeof(float)), 0)
            << isa_name(isa) << " " << precision_name(precision) << " round " << round;
      }
  }
}

TEST(Attention, RowsForTheNextProductAreThoseMadeOfItsFloats) {
  std::mt19937 random(34);  // Seed 34.
  const auto threads = make_threads(2);
  for (int round = 0; round < 20; ++round) {
    const size_t heads = 2 * (1 + random() % 3), head_width = 16 * (1 + random() % 3),
                 width = heads * head_width;
    const std::vector<size_t> starts = {0, 1 + random() % 50, 60 + random() % 90};
    const size_t rows = starts.back();
    const Vector joined = random_floats(random, rows * 3 * width), weight(width, 0.0F);
    Attention job;
    job.query = joined.data();
    job.key = job.query + width;
    job.value = job.key + width;
    job.query_stride = job.key_stride = job.value_stride = 3 * width;
    job.out_stride = width;
    job.query_starts = job.key_starts = starts;
    job.heads = job.key_heads = heads;
    job.head_width = head_width;
    job.scale = 0.2F;
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : {Precision::f32, Precision::bf16}) {
        const auto reader = make_linear({weight, {}, 1, width}, {isa, precision});
        ReadyRows expected, got;
        expected.ensure(*reader, rows);
        got.ensure(*reader, rows);
        Vector out(rows * width);
        job.out = out.data();
        job.words = nullptr;
        attend(job, {isa, precision}, *threads);
        reader->make_ready(out.data(), width, 0, rows, expected);
        job.out = nullptr;
        job.words = reinterpret_cast<uint32_t*>(got.words.data());
        job.row_words = reader->row_words();
        attend(job, {isa, precision}, *threads);
        const size_t used = reader->row_words() - 16;  // The rest is a gap.
        for (size_t row = 0; row < rows; ++row)
          ASSERT_EQ(std::memcmp(got.words.data() + row * job.row_words,
                                expected.words.data() + row * job.row_words, used * sizeof(float)),
                    0)
              << isa_name(isa) << " " << precision_name(precision) << " round " << round << " row " << row;
      }
  }
}

TEST(Attention, OfBfloat16HasTheBitsOfTheSameNumbersAsFloats) {
  std::mt19937 random(36);  // Seed 36.
  const auto threads = make_threads(2);
  for (int round = 0; round < 20; ++round) {
    const size_t heads = 1 + random() % 3, head_width = 32 * (1 + random() % 3), width = heads * head_width;
    const std::vector<size_t> starts = {0, 1 + random() % 50, 60 + random() % 90, 150 + random() % 3};
    std::vector<uint16_t> halves(starts.back() * 3 * width);
    Vector joined(halves.size());
    for (size_t i = 0; i < halves.size(); ++i) {  // From 2^-7 to 2^8, of either sign.
      halves[i] = static_cast<uint16_t>((random() & 0x8000U) + 0x3C00U + random() % 0x0800U);
      joined[i] = std::bit_cast<float>(static_cast<uint32_t>(halves[i]) << 16);
    }
    Attention job;
    job.query_stride = job.key_stride = job.value_stride = 3 * width;
    job.out_stride = width;
    job.query_starts = job.key_starts = starts;
    job.heads = job.key_heads = heads;
    job.head_width = head_width;
    job.scale = 1e-4F;
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : {Precision::bf16, Precision::int8}) {
        if (!takes_halves(isa)) continue;
        Vector expected(starts.back() * width), got = expected;
        Attention floats = job;
        floats.query = joined.data();
        floats.key = floats.query + width;
        floats.value = floats.key + width;
        floats.out = expected.data();
        attend(floats, {isa, precision}, *threads);
        Attention short_numbers = job;
        short_numbers.query_halves = halves.data();
        short_numbers.key_halves = halves.data() + width;
        short_numbers.value_halves = halves.data() + 2 * width;
        short_numbers.out = got.data();
        attend(short_numbers, {isa, precision}, *threads);
        ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
            << isa_name(isa) << " " << precision_name(precision) << " round " << round;
      }
  }
}

// The keys and values of a case in pages that another text had before, put there in pieces, some of them over
// what was guessed and given up.
struct Paged {
  PageShape shape;
  std::vector<Floats> pages;
  std::vector<std::vector<const float*>> lists;
  std::vector<Attention::Pages> spans;

  Paged(const Case& test, Isa isa, Precision precision, std::mt19937& random) {
    const ProductKernel& kernel = kernels_for(isa).products[static_cast<size_t>(precision)];
    shape = {1, test.job.key_heads, test.job.head_width, test.value_width(), precision != Precision::f32};
    const Vector before(page_tokens * shape.key_heads * std::max(shape.head_width, shape.value_width), NAN);
    const Vector guesses(before.size(), 1e30F);
    for (size_t s = 0; s + 1 < test.key_starts.size(); ++s) {
      const size_t first = test.key_starts[s], keys = test.key_starts[s + 1] - first, from = pages.size();
      for (size_t k = 0; k < keys;) {
        if (k % page_tokens == 0) {
          Floats& page = pages.emplace_back(shape.floats());
          std::fill_n(page.data(), page.size(), 0.0F);
          put_tokens(shape, kernel, page.data(), 0, {before.data(), before.data(), 0, page_tokens});
        }
        const size_t most = std::min(page_tokens - k % page_tokens, keys - k);
        const size_t count = random() % 2 == 0 ? most : 1 + random() % std::min<size_t>(most, 5);
        if (random() % 3 == 0)
          put_tokens(shape, kernel, pages.back().data(), k % page_tokens,
                     {guesses.data(), guesses.data(), 0, 1 + random() % most});
        const float* key = test.job.key + (first + k) * test.job.key_stride;
        const float* value = test.job.value + (first + k) * test.job.value_stride;
        put_tokens(shape, kernel, pages.back().data(), k % page_tokens,
                   {key, value, test.job.key_stride, count});
        k += count;
      }
      auto& list = lists.emplace_back();
      for (size_t page = from; page < pages.size(); ++page) list.push_back(pages[page].data());
    }
    for (const auto& list : lists) spans.emplace_back(list);
  }
};

TEST(Attention, FromPagesHasTheBitsOfRows) {
  std::mt19937 random(35);  // Seed 35.
  const auto threads = make_threads(2);
  for (int round = 0; round < 60; ++round) {
    Case test(random, 1 + random() % 4, 120, true, Case::Strides::same);
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : {Precision::f32, Precision::bf16}) {
        if (precision == Precision::bf16 && !takes_halves(isa)) continue;
        const Paged paged(test, isa, precision, random);
        std::fill(test.out.begin(), test.out.end(), 0.0F);
        attend(test.job, {isa, precision}, *threads);
        const Vector whole = test.out;
        std::fill(test.out.begin(), test.out.end(), 0.0F);
        Attention from_pages = test.job;
        from_pages.key = from_pages.value = nullptr;
        from_pages.pages = paged.spans;
        from_pages.page_shape = &paged.shape;
        attend(from_pages, {isa, precision}, *threads);
        if (whole.empty()) continue;
        EXPECT_EQ(std::memcmp(whole.data(), test.out.data(), whole.size() * sizeof(float)), 0)
            << isa_name(isa) << " " << precision_name(precision) << " round " << round;
      }
  }
}

}  // namespace
}  // namespace holdfast::tensor
