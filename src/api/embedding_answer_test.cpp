#include "api/embedding_answer.h"

#include <gtest/gtest.h>

#include "api/served_note.h"
#include "net/late_answer.h"

namespace holdfast::api {
namespace {

// A text's vector is its length; what is pending is ready when the test says so.
class HeldModels final : public serve::Models {
 public:
  std::function<void()> ready;

  Result<serve::EmbedAnswer> embed(const Context&, const serve::ServedModel&, serve::EmbedItem request,
                                   const serve::Asker&) override {
    serve::EmbedAnswer answer;
    for (const std::string& text : request.texts) {
      if (text == "bad") return fail(Reason::tokenization_failed, "bad");
      answer.vectors.push_back({static_cast<float>(text.size())});
    }
    return answer;
  }
  Result<std::shared_ptr<serve::PendingAnswer>> begin(const Context& context, const serve::ServedModel& model,
                                                      serve::EmbedItem request,
                                                      const serve::Asker& asker) override {
    if (request.texts.empty()) return fail(Reason::bad_request, "there is no input");
    return std::shared_ptr<serve::PendingAnswer>(
        std::make_shared<Held>(ready, embed(context, model, std::move(request), asker)));
  }
  Status generate(const Context&, const serve::ServedModel&, serve::Generation,
                  const serve::Asker&) override {
    return Done{};
  }
  Result<serve::WorkerFacts> facts(const Context&, const serve::ServedModel&, const serve::Asker&) override {
    return serve::WorkerFacts{};
  }
  Result<Place> enter(const serve::Asker&) override { return Place(); }
  std::vector<serve::ServedModel> loaded() const override { return {}; }
  void refresh_figures() override {}

 private:
  class Held final : public serve::PendingAnswer {
   public:
    Held(std::function<void()>& ready, Result<serve::EmbedAnswer> answer)
        : ready_(ready), answer_(std::move(answer)) {}
    void when_ready(std::function<void()> then) override { ready_ = std::move(then); }
    Result<serve::EmbedAnswer> take() override { return std::move(answer_); }
    void look() override {}

   private:
    std::function<void()>& ready_;
    Result<serve::EmbedAnswer> answer_;
  };
};

struct EmbeddingAnswer : testing::Test {
  HeldModels models;
  net::Request request;
  Call call{.request = request, .context = {}, .caller = {}, .type = {}, .found = {}, .base_url = {}};

  Result<net::Response> ask(std::vector<std::string> texts) {
    serve::EmbedItem item;
    item.texts = std::move(texts);
    return answer_embedding(models, call, {}, std::move(item), nullptr,
                            [](const serve::EmbedAnswer& answer) -> Result<net::Response> {
                              net::Response response;
                              response.body = std::to_string(answer.vectors.size());
                              return response;
                            });
  }
};

TEST_F(EmbeddingAnswer, IsThereAtOnceWhereACallerWouldLookAtIt) {
  EXPECT_EQ(std::get<std::string>(ask({"a", "b"}).value().body), "2");
  EXPECT_EQ(ask({"bad"}).error().reason, Reason::tokenization_failed);
}

TEST_F(EmbeddingAnswer, IsTheSameWhereItMayBeLateOnceItIsReady) {
  call.may_be_late = true;
  for (const bool good : {true, false}) {
    const auto late = net::late_part(ask({"a", good ? "b" : "bad"}));
    ASSERT_NE(late, nullptr);
    bool ready = false;
    late->when_ready([&] { ready = true; });
    EXPECT_FALSE(ready);
    models.ready();
    EXPECT_TRUE(ready);
    auto made = late->finish();
    if (good)
      EXPECT_EQ(std::get<std::string>(made.value().body), "2");
    else
      EXPECT_EQ(made.error().reason, Reason::tokenization_failed);
  }
  EXPECT_EQ(ask({}).error().reason, Reason::bad_request) << "a refusal is no late answer";
}

}  // namespace
}  // namespace holdfast::api
