// Texts in, texts out: goldens of encoder-decoder models with a vocabulary of words "w0" to "w119".
#include "model/text_rewriter.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "codec/json.h"
#include "io/temporary_folder.h"
#include "model/pipeline.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

constexpr size_t words = 120;

json::value word_tokenizer() {
  json::object vocabulary;
  for (size_t i = 0; i < words; ++i) vocabulary["w" + std::to_string(i)] = i;
  return json::object{
      {"version", "1.0"},
      {"added_tokens", json::array()},
      {"pre_tokenizer", json::object{{"type", "WhitespaceSplit"}}},
      {"model", json::object{{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "w3"}}}};
}

std::string text_of(std::span<const int64_t> ids) {
  std::string out;
  for (int64_t id : ids) out += (out.empty() ? "w" : " w") + std::to_string(id);
  return out;
}

// A golden's folder with that tokenizer, and what its cases hold.
class RewriterTest : public testing::Test {
 protected:
  void open(std::string_view golden, const json::object& more = {}) {
    const std::filesystem::path from = std::filesystem::path("tests/golden/models") / golden;
    std::filesystem::copy(from, root_.path(), std::filesystem::copy_options::recursive);
    disk_ = io::open_posix_disk(root_.path().string()).value();
    json::object config =
        codec::parse_json_object(io::read_text(*disk_, "config.json", 1 << 20).value()).value();
    for (const auto& [key, value] : more) config[key] = value;
    std::ofstream(root_.path() / "config.json") << json::serialize(config);
    std::ofstream(root_.path() / "tokenizer.json") << json::serialize(word_tokenizer());
    golden_.emplace(tensor::Weights::open_file(*disk_, "golden.safetensors").value());
  }
  std::vector<int64_t> numbers(std::string_view name) const {
    return tensor::to_integers(*golden_->find(name)).value();
  }
  std::string written(const json::value& answer, std::string_view key) const {
    return std::string(answer.at(0).at(key).as_string());
  }

  io::TemporaryFolder root_;
  std::unique_ptr<io::Disk> disk_;
  std::optional<tensor::Weights> golden_;
  std::unique_ptr<tensor::Threads> threads_ = tensor::make_threads(1);
};

TEST_F(RewriterTest, WritesWhatTheReferenceWrites) {
  open("t5/flan-gated-gelu");
  const auto rewriter = TextRewriter::open(*disk_, "");
  ASSERT_TRUE(rewriter.ok()) << rewriter.error().message;
  const json::value text = json::string(text_of(numbers("greedy.in.input_ids")));
  const std::vector<int64_t> wanted = numbers("greedy.out.sequences");
  // An end token that never comes, as the golden has none.
  const json::object parameters = {{"max_new_tokens", 20}, {"eos_token_id", 119}};
  for (const auto& [task, key] :
       {std::pair("summarization", "summary_text"), std::pair("translation", "translation_text"),
        std::pair("text2text-generation", "generated_text")}) {
    const auto answer = rewriter.value().run(task, text, parameters, *threads_);
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(written(answer.value(), key), text_of(std::span(wanted).subspan(1)));
  }
}

TEST_F(RewriterTest, ATasksPrefixAndSettingsAreTheConfigurations) {
  const json::object own = {
      {"summarization", json::object{{"prefix", "w9 w10 "}, {"max_new_tokens", 4}}},
      {"translation_en_to_fr", json::object{{"prefix", "w11 "}, {"max_new_tokens", 5}}}};
  open("t5/flan-gated-gelu", {{"task_specific_params", own}});
  const TextRewriter rewriter = TextRewriter::open(*disk_, "").value();
  const auto plain = [&](std::string_view text, int most) {
    return written(
        rewriter.run("text2text-generation", json::string(text), {{"max_new_tokens", most}}, *threads_)
            .value(),
        "generated_text");
  };
  const json::value text = json::string("w20 w21 w22");
  EXPECT_EQ(written(rewriter.run("summarization", text, {}, *threads_).value(), "summary_text"),
            plain("w9 w10 w20 w21 w22", 4));
  const json::object languages = {{"src_lang", "en"}, {"tgt_lang", "fr"}};
  EXPECT_EQ(written(rewriter.run("translation", text, languages, *threads_).value(), "translation_text"),
            plain("w11 w20 w21 w22", 5));
}

TEST_F(RewriterTest, ALanguageIsTheFirstTokenThatIsWritten) {
  open("m2m_100/base");
  const TextRewriter rewriter = TextRewriter::open(*disk_, "").value();
  EXPECT_EQ(rewriter.task(), "translation");
  const json::object parameters = {{"tgt_lang", "w77"}, {"max_new_tokens", 3}};
  const json::value answer =
      rewriter.run("translation", json::string("w20 w21"), parameters, *threads_).value();
  EXPECT_TRUE(written(answer, "translation_text").starts_with("w77 ")) << answer;
  const auto unknown =
      rewriter.run("translation", json::string("w20"), {{"tgt_lang", "fra_Latn"}}, *threads_);
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("fra_Latn"), std::string::npos);
}

TEST_F(RewriterTest, RefusesWhatItCannotDo) {
  open("t5/flan-gated-gelu");
  std::ofstream(root_.path() / "tokenizer_config.json") << R"({"model_max_length": 3})";
  const TextRewriter rewriter = TextRewriter::open(*disk_, "").value();
  const json::value text = json::string("w20 w21 w22 w23");
  EXPECT_EQ(rewriter.run("fill-mask", text, {}, *threads_).error().reason, Reason::model_unsupported);
  EXPECT_EQ(rewriter.run("summarization", json::value(7), {}, *threads_).error().reason, Reason::bad_request);
  const auto longer = rewriter.run("summarization", text, {}, *threads_);
  EXPECT_EQ(longer.error().reason, Reason::input_too_long);
  EXPECT_NE(longer.error().message.find("4 tokens, the model takes 3"), std::string::npos);
  EXPECT_TRUE(rewriter.run("summarization", text, {{"truncation", "longest_first"}}, *threads_).ok());
  EXPECT_EQ(rewriter.run("summarization", text, {{"max_new_tokens", 100'000}}, *threads_).error().reason,
            Reason::bad_request);
  const auto encoder_task = Pipeline::open(*disk_, "");
  ASSERT_FALSE(encoder_task.ok());
  EXPECT_NE(encoder_task.error().message.find("summarization"), std::string::npos);
}

TEST_F(RewriterTest, BartJudgesTextsAsOtherClassifiersDo) {
  open("bart/sequence-classification");
  const auto pipeline = Pipeline::open(*disk_, "");
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  EXPECT_EQ(pipeline.value().task(), "text-classification");
  const std::vector<int64_t> ids = numbers("padded.in.input_ids");
  const std::vector<float> logits = tensor::to_floats(*golden_->find("padded.out.logits")).value();
  json::array texts;
  texts.push_back(json::string(text_of(std::span(ids).first(11))));
  texts.push_back(json::string(text_of(std::span(ids).subspan(11, 7))));
  const json::value answer =
      pipeline.value().run("text-classification", texts, {{"top_k", nullptr}}, *threads_).value();
  for (size_t row = 0; row < 2; ++row) {
    double sum = 0;
    for (size_t i = 0; i < 3; ++i) sum += std::exp(logits[3 * row + i]);
    for (const json::value& one : answer.at(row).as_array()) {
      const size_t label = one.at("label").as_string().back() - '0';
      EXPECT_NEAR(one.at("score").to_number<double>(), std::exp(logits[3 * row + label]) / sum, 1e-5);
    }
  }
}

}  // namespace
}  // namespace holdfast::model
