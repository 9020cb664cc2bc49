// Texts of models that carry states, made step by step beside each other, are those made alone.
#include <gtest/gtest.h>

#include <algorithm>

#include "model/draft_model.h"
#include "model/recurrent/recurrent_cases.h"
#include "model/step_batch.h"

namespace holdfast::model {
namespace {

TEST(RecurrentSteps, TextsThatJoinAndLeaveAtAnyStepAreThoseMadeAlone) {
  const auto threads = tensor::make_threads(2);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.type);
    const DecoderModel model = opened(one);
    // Every token from the whole text again, without a cache.
    const auto alone = [&](std::vector<TokenId> text, size_t count) {
      std::vector<float> scores(11);
      for (; count > 0; --count) {
        const auto states = model.decoder().forward(batch_of({text}), {}, *threads);
        model.run_head(states.value().last.data() + (text.size() - 1) * 8, 1, scores.data(), *threads);
        text.push_back(static_cast<TokenId>(std::max_element(scores.begin(), scores.end()) - scores.begin()));
      }
      return text;
    };
    StepBatch batch(model, *threads, {.sequences_max = 3, .tokens_a_step = 3});
    uint32_t seed = 7;
    const auto random = [&] { return (seed = seed * 1664525 + 1013904223) >> 16; };
    struct Open {
      StepBatch::Sequence id;
      std::vector<TokenId> now, wanted;
    };
    std::vector<Open> open;
    std::vector<TokenId> ended;  // The last text that ended: a beginning for one to come.
    size_t texts = 0;
    while (texts < 12 || !open.empty()) {
      if (texts < 12 && random() % 2 == 0 && open.size() < 3) {
        std::vector<TokenId> prompt = texts % 3 == 2 ? ended : std::vector<TokenId>{3, 7};
        for (size_t i = random() % 6; i > 0; --i) prompt.push_back(static_cast<TokenId>(random() % 11));
        if (prompt.size() > 40) prompt.resize(40);
        if (prompt.empty()) prompt = {4};
        StepRequest request;
        request.prompt = prompt;
        request.settings.new_tokens_max = 1 + random() % 7;
        if (random() % 2 == 0) request.drafter = make_draft_model(model, *threads);
        const size_t count = *request.settings.new_tokens_max;
        const auto joined = batch.join(std::move(request));
        ASSERT_TRUE(joined.ok()) << joined.error().message;
        open.push_back({joined.value(), prompt, alone(prompt, count)});
        ++texts;
      }
      const auto made = batch.step();
      ASSERT_TRUE(made.ok());
      for (const StepToken& token : made.value()) {
        size_t at = 0;
        while (open[at].id != token.sequence) ++at;
        open[at].now.push_back(token.token);
        if (token.end == StepToken::End::goes_on) continue;
        EXPECT_EQ(open[at].now, open[at].wanted);
        ended = open[at].now;
        open.erase(open.begin() + static_cast<ptrdiff_t>(at));
      }
    }
    EXPECT_GT(batch.tokens_reused(), 0U) << "a text that goes on with one that ended begins with its state";
  }
}

}  // namespace
}  // namespace holdfast::model
