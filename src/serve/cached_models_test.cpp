#include <gtest/gtest.h>

#include "serve/answer_cache.h"

namespace holdfast::serve {
namespace {

// A text's vector is its length; a task's answer is its text; each written word is an event.
class CountingModels final : public Models {
 public:
  int inputs = 0, written = 0;

  Result<EmbedAnswer> embed(const Context&, const ServedModel&, EmbedItem request,
                            const Asker& asker) override {
    inputs += static_cast<int>(request.size());
    if (asker.work != nullptr) asker.work->add({.inputs = request.size(), .tokens = request.size()});
    EmbedAnswer answer;
    for (const std::string& text : request.texts) {
      if (text == "bad") return fail(Reason::tokenization_failed, "bad");
      answer.tokens.push_back(1);
      answer.vectors.push_back({static_cast<float>(text.size())});
      if (request.wanted == Wanted::task) answer.json = "\"" + text + "\"";
    }
    return answer;
  }
  Status generate(const Context&, const ServedModel&, Generation generation, const Asker&) override {
    ++written;
    GenerateEvent end;
    end.end = GenerateEvent::End{.reason = "stop", .prompt_tokens = 1, .new_tokens = 2};
    for (const char* word : {"Paris", " it is"})
      if (!generation.on_event({.id = 7, .text = word})) return Done{};
    (void)generation.on_event(end);
    return Done{};
  }
  Result<WorkerFacts> facts(const Context&, const ServedModel&, const Asker&) override {
    return WorkerFacts{};
  }
  Result<Place> enter(const Asker&) override { return Place(); }
  std::vector<ServedModel> loaded() const override { return {}; }
  void refresh_figures() override {}
};

class CachedModelsTest : public ::testing::Test {
 protected:
  static ServedModel model(char commit = 'a') { return {1, "ada/m", std::string(40, commit)}; }
  Asker asker(const char* boundary = "ada") {
    work = {};
    Asker out(&work);
    out.caching = Caching::use;
    out.boundary = boundary;
    return out;
  }
  Result<EmbedAnswer> embed(std::vector<std::string> texts, const Asker& who, const ServedModel& of = model(),
                            Wanted wanted = Wanted::vectors) {
    EmbedItem item{.wanted = wanted};
    item.texts = std::move(texts);
    return cached->embed(context, of, std::move(item), who);
  }
  std::string write(const std::string& request, size_t words = 9) {
    std::string out;
    EXPECT_TRUE(cached
                    ->generate(context, model(),
                               {.request = request,
                                .on_event =
                                    [&](const GenerateEvent& event) {
                                      out += event.end ? "." : event.text;
                                      return --words > 0;
                                    }},
                               asker())
                    .ok());
    return out;
  }

  CountingModels models;
  std::unique_ptr<Metrics> metrics = make_metrics();
  AnswerCache cache{1 << 20, *metrics};
  std::unique_ptr<Models> cached = cache_answers(models, cache);
  Context context;
  Work work;
};

TEST_F(CachedModelsTest, TheSameTextIsAskedOnceAndOthersBesideItOnlyThemselves) {
  EXPECT_EQ(embed({"a", "bb"}, asker()).value().vectors, (std::vector<std::vector<float>>{{1}, {2}}));
  EXPECT_EQ(work.missed_inputs, 2U);
  EXPECT_EQ(embed({"bb", "ccc", "a"}, asker()).value().vectors,
            (std::vector<std::vector<float>>{{2}, {3}, {1}}));
  EXPECT_EQ(models.inputs, 3);
  EXPECT_EQ(work.cached_inputs, 2U);
  EXPECT_EQ(work.missed_inputs, 1U);
  EXPECT_EQ(work.inputs, 3U);
  EXPECT_EQ(work.tokens, 3U);
}

TEST_F(CachedModelsTest, WhoDoesNotWaitFindsAndKeepsTheSame) {
  const auto begin = [&](std::vector<std::string> texts) {
    EmbedItem item;
    item.texts = std::move(texts);
    const auto pending = cached->begin(context, model(), std::move(item), asker()).value();
    bool ready = false;
    pending->when_ready([&] { ready = true; });
    EXPECT_TRUE(ready);
    return pending->take();
  };
  ASSERT_TRUE(embed({"bb"}, asker()).ok());
  EXPECT_EQ(begin({"bb", "ccc"}).value().vectors, (std::vector<std::vector<float>>{{2}, {3}}));
  EXPECT_EQ(work.missed_inputs, 1U);
  EXPECT_EQ(begin({"ccc", "bb"}).value().vectors, (std::vector<std::vector<float>>{{3}, {2}}));
  EXPECT_EQ(work.cached_inputs, 2U);
  EXPECT_EQ(models.inputs, 2);
  EXPECT_FALSE(begin({"bb", "bad"}).ok());
}

TEST_F(CachedModelsTest, AnotherRevisionParameterBoundaryOrWishIsAskedAnew) {
  ASSERT_TRUE(embed({"a"}, asker()).ok());
  ASSERT_TRUE(embed({"a"}, asker("bea")).ok());
  ASSERT_TRUE(embed({"a"}, asker(), model('b')).ok());
  ASSERT_TRUE(embed({"a"}, asker(), model(), Wanted::features).ok());
  ASSERT_TRUE(embed({"a"}, asker(), model(), Wanted::task).ok());
  Asker unwilling = asker();
  unwilling.caching = Caching::leave;
  ASSERT_TRUE(embed({"a"}, unwilling).ok());
  EXPECT_EQ(models.inputs, 6);
  EXPECT_EQ(embed({"a"}, asker(), model(), Wanted::task).value().json, "\"a\"");
  EXPECT_EQ(models.inputs, 6);
}

TEST_F(CachedModelsTest, FailuresAreNotKept) {
  EXPECT_FALSE(embed({"bad"}, asker()).ok());
  EXPECT_FALSE(embed({"bad"}, asker()).ok());
  EXPECT_EQ(models.inputs, 2);
}

TEST_F(CachedModelsTest, AWrittenAnswerIsKeptAtTemperatureZeroOnlyAndWholeOnly) {
  const std::string greedy = R"({"prompt":"x","temperature":0})";
  EXPECT_EQ(write(greedy, 1), "Paris") << "cut by its reader";
  EXPECT_EQ(write(greedy), "Paris it is.");
  EXPECT_EQ(write(greedy), "Paris it is.");
  EXPECT_EQ(work.cached_inputs, 1U);
  EXPECT_EQ(models.written, 2);
  for (const char* sampled : {R"({"prompt":"x","temperature":1})", R"({"prompt":"x"})", "no JSON"}) {
    write(sampled);
    write(sampled);
  }
  EXPECT_EQ(models.written, 8);
}

TEST_F(CachedModelsTest, NoMoreIsKeptThanFits) {
  AnswerCache small(4096, *metrics);
  const auto key = [](int i) {
    AnswerCache::Key out{};
    out[0] = static_cast<std::byte>(i);
    return out;
  };
  small.keep(key(0), KeptRow{1, std::vector<float>(4096)});
  EXPECT_EQ(small.find(key(0)), nullptr) << "larger than its share";
  for (int i = 1; i <= 40; ++i) {
    small.keep(key(i), KeptRow{1, {1.0F}});
    EXPECT_NE(small.find(key(1)), nullptr) << "asked for all the time";
    EXPECT_LE(small.bytes(), 4096U);
  }
  EXPECT_EQ(small.find(key(2)), nullptr);
}

}  // namespace
}  // namespace holdfast::serve
