// Design decision 8 over everything a caller may vary: a sequence's answer has the same bits alone, packed
// with others, padded among others, on one thread and on two; for every precision, on every instruction set.
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

#include "model/forward.h"

namespace holdfast::model {
namespace {

struct Row {
  std::vector<int64_t> ids, types;
};

std::vector<Row> random_rows(std::mt19937& random, const EncoderPlan& plan, size_t count) {
  const size_t longest = std::min<size_t>(plan.positions, 51);
  std::vector<Row> out(count);
  for (Row& row : out) {
    // The first one is so long that two and three threads share its rows, in unequal parts.
    const size_t length = &row == out.data() ? longest : 1 + random() % longest;
    for (size_t i = 0; i < length; ++i) {
      // Past the small ids, as padding has a meaning for positions.
      row.ids.push_back(static_cast<int64_t>(5 + random() % (plan.vocabulary - 5)));
      row.types.push_back(plan.types > 1 ? static_cast<int64_t>(random() % plan.types) : 0);
    }
  }
  return out;
}

TokenBatch pack(const EncoderPlan& plan, std::span<const Row> rows) {
  TokenBatch batch;
  for (const Row& row : rows) {
    const std::vector<int64_t> positions = positions_of(plan, row.ids);
    for (size_t i = 0; i < row.ids.size(); ++i)
      batch.add(row.ids[i], row.types[i], positions[i], static_cast<int64_t>(i));
    batch.end_sequence();
  }
  return batch;
}

using Bits = std::vector<std::vector<float>>;  // Of each output, one after the other.

// What the rows' own share of each output is.
std::vector<Bits> answers(const EncoderModel& model, std::span<const Row> rows, tensor::Threads& threads) {
  const TokenBatch batch = pack(model.plan(), rows);
  const auto outputs = model.forward(batch, threads).value();
  std::vector<Bits> out(rows.size());
  for (const NamedOutput& output : outputs)
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool tokens = output.rows == NamedOutput::Rows::tokens;
      const size_t first = tokens ? batch.starts[i] : i, count = tokens ? batch.length(i) : 1;
      const float* begin = output.data.data() + first * output.columns;
      out[i].emplace_back(begin, begin + count * output.columns);
    }
  return out;
}

// The same through tensors with padding at the right.
std::vector<Bits> padded_answers(const EncoderModel& model, std::span<const Row> rows,
                                 tensor::Threads& threads) {
  size_t width = 0;
  for (const Row& row : rows) width = std::max(width, row.ids.size());
  std::vector<int64_t> ids(rows.size() * width, model.plan().pad_id), mask(ids.size()), types(ids.size());
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t k = 0; k < rows[i].ids.size(); ++k) {
      ids[i * width + k] = rows[i].ids[k];
      types[i * width + k] = rows[i].types[k];
      mask[i * width + k] = 1;
    }
  const auto view = [&](const std::vector<int64_t>& numbers) {
    return tensor::TensorView{tensor::Dtype::i64, {rows.size(), width}, std::as_bytes(std::span(numbers))};
  };
  const auto inputs = tensor::Weights::borrowed(
      {{"input_ids", view(ids)}, {"attention_mask", view(mask)}, {"token_type_ids", view(types)}});
  const auto outputs = forward(model, inputs, threads).value();
  std::vector<Bits> out(rows.size());
  for (const NamedTensor& output : outputs)
    for (size_t i = 0; i < rows.size(); ++i) {
      const size_t each = output.data.size() / rows.size();
      const bool tokens = output.shape.size() > 1 && output.shape[1] == width;
      const size_t count = tokens ? each / width * rows[i].ids.size() : each;
      out[i].emplace_back(output.data.data() + i * each, output.data.data() + i * each + count);
    }
  return out;
}

bool same_bits(const Bits& left, const Bits& right) {
  if (left.size() != right.size()) return false;
  for (size_t i = 0; i < left.size(); ++i)
    if (left[i].size() != right[i].size() ||
        std::memcmp(left[i].data(), right[i].data(), left[i].size() * sizeof(float)) != 0)
      return false;
  return true;
}

void expect_invariance(const EncoderModel& model, uint32_t seed) {
  std::mt19937 random(seed);
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2), three = tensor::make_threads(3);
  const std::vector<Row> rows = random_rows(random, model.plan(), 32);
  const auto together = answers(model, rows, *one), shared = answers(model, rows, *two);
  const auto padded = padded_answers(model, rows, *two);
  std::vector<Row> turned(rows.rbegin(), rows.rend());
  const auto other_order = answers(model, turned, *two);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto alone = answers(model, std::span(rows).subspan(i, 1), *one)[0];
    EXPECT_TRUE(same_bits(alone, together[i])) << "row " << i << " among 32";
    EXPECT_TRUE(same_bits(alone, shared[i])) << "row " << i << " among 32 on two threads";
    EXPECT_TRUE(same_bits(alone, padded[i])) << "row " << i << " padded";
    EXPECT_TRUE(same_bits(alone, other_order[rows.size() - 1 - i])) << "row " << i << " in another order";
    if (i % 8 == 0) {
      EXPECT_TRUE(same_bits(alone, answers(model, std::span(rows).subspan(i, 1), *two)[0])) << "row " << i;
      EXPECT_TRUE(same_bits(alone, answers(model, std::span(rows).subspan(i, 1), *three)[0])) << "row " << i;
    }
  }
}

TEST(BatchInvariance, HoldsForEveryPrecisionInstructionSetAndFamily) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  uint32_t seed = 4'711;
  for (const char* family :
       {"albert", "bert", "deberta-v2", "distilbert", "modernbert", "mpnet", "roberta"}) {
    const auto variants = disk->list(family).value();
    ASSERT_FALSE(variants.empty()) << family;
    const io::Path folder = io::Path(family) / variants.front().name;
    for (const tensor::Isa isa : tensor::isas_of_this_machine())
      for (const auto precision :
           {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
        SCOPED_TRACE(folder.string() + " " + std::string(tensor::isa_name(isa)) + " " +
                     std::string(tensor::precision_name(precision)) + " seed " + std::to_string(seed));
        const auto model = EncoderModel::open(*disk, folder, {.isa = isa, .precision = precision});
        ASSERT_TRUE(model.ok()) << model.error().message;
        expect_invariance(model.value(), seed++);
      }
  }
}

// Such a row's padding has rows of its own that nobody sees, which attention computes another way.
TEST(BatchInvariance, ARowHasTheSameBitsBesideOneWhoseFirstTokenIsPadding) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto model = EncoderModel::open(*disk, "roberta/sequence-classification");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto threads = tensor::make_threads(1);
  constexpr size_t width = 9;
  std::vector<int64_t> ids(2 * width), mask(2 * width, 1);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(5 + i * 31 % 100);
  mask[0] = mask[1] = 0;
  ids[0] = ids[1] = model.value().plan().pad_id;
  const auto answer = [&](size_t first, size_t rows) {
    const auto view = [&](const std::vector<int64_t>& numbers) {
      const auto part = std::span(numbers).subspan(first * width, rows * width);
      return tensor::TensorView{tensor::Dtype::i64, {rows, width}, std::as_bytes(part)};
    };
    const auto inputs = tensor::Weights::borrowed({{"input_ids", view(ids)}, {"attention_mask", view(mask)}});
    return forward(model.value(), inputs, *threads).value().front().data;
  };
  const auto together = answer(0, 2), first = answer(0, 1), second = answer(1, 1);
  EXPECT_TRUE(std::equal(first.begin(), first.end(), together.begin()));
  EXPECT_TRUE(
      std::equal(second.begin(), second.end(), together.end() - static_cast<ptrdiff_t>(second.size())));
}

}  // namespace
}  // namespace holdfast::model
