// Models that carry states: what transformers answers of the same numbers, and the same bits however a text
// is cut and batched.
#include <gtest/gtest.h>

#include <cstring>

#include "model/recurrent/recurrent_cases.h"

namespace holdfast::model {
namespace {

TEST(RecurrentModels, AnswerAsTransformersDoes) {
  const auto threads = tensor::make_threads(2);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    const auto states = model.decoder().forward(batch_of({text}), {}, *threads);
    ASSERT_TRUE(states.ok()) << states.error().message;
    std::vector<float> logits(11);
    model.run_head(states.value().last.data() + (text.size() - 1) * 8, 1, logits.data(), *threads);
    for (size_t i = 0; i < logits.size(); ++i) EXPECT_NEAR(logits[i], one.logits[i], 2e-5) << i;
  }
}

TEST(RecurrentModels, SplittingATextIntoCallsAndBatchingItChangesNoBit) {
  const auto one_thread = tensor::make_threads(1), threads = tensor::make_threads(3);
  const std::vector<std::vector<TokenId>> texts = {text, {5}, {8, 1, 1, 6, 2, 9, 3, 3, 7, 10, 4}, {6, 6}};
  for (const tensor::Precision precision :
       {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8})
    for (const Case& one : cases) {
      SCOPED_TRACE(one.type);
      tensor::Compute compute;
      compute.precision = precision;
      const DecoderModel model = opened(one, compute);
      std::vector<KvCache> together(texts.size());
      std::vector<KvCache*> caches;
      for (KvCache& cache : together) caches.push_back(&cache);
      const auto all = model.decoder().forward(batch_of(texts), caches, *threads);
      ASSERT_TRUE(all.ok());
      const TokenBatch whole = batch_of(texts);
      for (size_t i = 0; i < texts.size(); ++i) {
        KvCache cache;
        KvCache* mine[] = {&cache};
        std::vector<float> rows;
        for (size_t at = 0; at < texts[i].size();) {
          const size_t count = std::min<size_t>(1 + (at + i) % 3, texts[i].size() - at);
          const std::vector<TokenId> piece(texts[i].begin() + static_cast<ptrdiff_t>(at),
                                           texts[i].begin() + static_cast<ptrdiff_t>(at + count));
          const auto states = model.decoder().forward(batch_of({piece}, {at}), mine, *one_thread);
          ASSERT_TRUE(states.ok());
          rows.insert(rows.end(), states.value().last.data(), states.value().last.data() + count * 8);
          at += count;
        }
        EXPECT_EQ(std::memcmp(rows.data(), all.value().last.data() + whole.starts[i] * 8, rows.size() * 4), 0)
            << "text " << i;
      }
    }
}

}  // namespace
}  // namespace holdfast::model
