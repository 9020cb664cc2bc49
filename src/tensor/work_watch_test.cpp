#include "tensor/work_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tensor/attention.h"
#include "tensor/linear.h"
#include "tensor/peak.h"

namespace holdfast::tensor {
namespace {

class Told final : public WorkWatch {
 public:
  void worked(double done, const void* weights, size_t bytes) override {
    operations.push_back(done);
    read.push_back(weights == nullptr ? 0 : bytes);
  }
  void ended(size_t layer, std::string_view step) override {
    steps.push_back(std::to_string(layer) + " " + std::string(step));
  }
  std::string_view enter(std::string_view name) override { return std::exchange(part, name); }

  std::vector<double> operations;
  std::vector<size_t> read;
  std::vector<std::string> steps;
  std::string_view part = "whole";
};

TEST(WorkWatch, IsToldOfProductsAndOfPairsThatAreSeen) {
  const std::vector<float> weight(32 * 16, 1.0F), rows(5 * 32, 1.0F);
  const auto layer = make_linear({weight, {}, 32, 16}, {Isa::plain, Precision::f32});
  const auto threads = make_threads(1);
  std::vector<float> out(5 * 32);
  Told told;
  const LinearRun run{rows.data(), out.data(), 5};
  const std::vector<size_t> starts = {0, 5};
  Attention job;
  job.query = job.key = job.value = rows.data();
  job.out = out.data();
  job.query_stride = job.key_stride = job.value_stride = job.out_stride = 32;
  job.query_starts = job.key_starts = starts;
  job.heads = job.key_heads = 2;
  job.head_width = 16;
  job.after = 0;
  job.before = 2;
  layer->run(run, *threads);  // Nobody watches.
  {
    const WatchScope watched(told);
    layer->run(run, *threads);
    attend(job, {Isa::plain, Precision::f32}, *threads);
  }
  layer->run(run, *threads);
  ASSERT_EQ(told.operations.size(), 2U);
  EXPECT_EQ(told.operations[0], 2 * 5 * 32 * 16);
  EXPECT_GE(told.read[0], 32 * 16 * sizeof(float));
  EXPECT_EQ(told.operations[1], (1 + 2 + 3 + 3 + 3) * 4 * 2 * 16);
  EXPECT_EQ(told.read[1], 0U);
}

TEST(WorkWatch, KnowsThePartAndGoesBackToTheOneBefore) {
  Told told;
  step_ended(0, "nobody hears it");
  {
    const PartScope unheard("part");
    const WatchScope watched(told);
    {
      const PartScope outer("outer");
      EXPECT_EQ(told.part, "outer");
      {
        const PartScope inner("inner");
        EXPECT_EQ(told.part, "inner");
      }
      EXPECT_EQ(told.part, "outer");
    }
    EXPECT_EQ(told.part, "whole");
    step_ended(3, "attention");
  }
  EXPECT_EQ(told.steps, std::vector<std::string>{"3 attention"});
}

TEST(Peak, AllWordsAreRead) {
  std::vector<uint64_t> words(64);
  for (size_t i = 0; i < words.size(); ++i) {
    std::vector<uint64_t> one(words.size());
    one[i] = 0x1234567890ABCDEFU + i;
    EXPECT_EQ(read_words(std::as_bytes(std::span(one))), one[i]) << i;
  }
}

}  // namespace
}  // namespace holdfast::tensor
