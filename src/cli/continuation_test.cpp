#include "cli/continuation.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>

#include "cli/recording_world.h"
#include "cli/run.h"
#include "codec/json.h"
#include "io/reference_data.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

// A word for each token of the model's table: "w7" is 7.
std::string tokenizer_of(size_t words) {
  json::object vocabulary;
  for (size_t i = 0; i < words; ++i) vocabulary["w" + std::to_string(i)] = i;
  return codec::to_text(json::object{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", json::array{}},
      {"normalizer", nullptr},
      {"pre_tokenizer", json::object{{"type", "Whitespace"}}},
      {"post_processor", nullptr},
      {"decoder", nullptr},
      {"model", json::object{{"type", "WordLevel"}, {"vocab", vocabulary}, {"unk_token", "w0"}}}});
}

int run(RecordingWorld& world, std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), "run");
  world.output.clear();
  world.complaints.clear();
  return dispatch(run_commands(), world, arguments);
}

// The committed llama with a tokenizer of numbered words.
class RunTextGeneration : public testing::Test {
 protected:
  void SetUp() override {
    const auto from = io::open_posix_disk("tests/golden/models/llama/gqa").value();
    const auto to = io::open_posix_disk(folder_.path()).value();
    for (const char* name : {"config.json", "generation_config.json", "model.safetensors"})
      ASSERT_TRUE(io::publish_text(*to, name, io::read_text(*from, name, 1 << 20).value()).ok());
    const auto config =
        codec::parse_json_object(io::read_text(*from, "config.json", 1 << 20).value()).value();
    const auto words = config.at("vocab_size").to_number<size_t>();
    ASSERT_TRUE(io::publish_text(*to, "tokenizer.json", tokenizer_of(words)).ok());
    place_ = folder_.path();
  }
  std::string text(std::string_view input, std::string_view parameters) {
    EXPECT_EQ(run(world_, {"text-generation", place_, input, "--parameters", parameters}), exit_done)
        << world_.complaints;
    const auto said = codec::parse_json(world_.output);
    if (!said.ok() || !said.value().is_array() || said.value().get_array().empty()) return {};
    return std::string(said.value().get_array()[0].at("generated_text").as_string());
  }

  io::TemporaryFolder folder_;
  std::string place_;
  RecordingWorld world_;
};

TEST_F(RunTextGeneration, TheTextComesBackWithItsContinuationOrTheContinuationAlone) {
  const std::string whole = text("w11 w12 w13", R"({"max_new_tokens":6})");
  const std::string more = text("w11 w12 w13", R"({"max_new_tokens":6,"return_full_text":false})");
  EXPECT_FALSE(more.empty());
  EXPECT_EQ(whole, "w11 w12 w13" + more);
}

TEST_F(RunTextGeneration, AStopEndsTheTextWithIt) {
  const std::string more = text("w11 w12 w13", R"({"max_new_tokens":6,"return_full_text":false})");
  const std::string stop = more.substr(1, more.find(' ', 1) - 1);
  const std::string stopped =
      text("w11 w12 w13", R"({"max_new_tokens":6,"return_full_text":false,"stop":[")" + stop + "\"]}");
  EXPECT_TRUE(stopped.ends_with(stop)) << stopped;
  EXPECT_LT(stopped.size(), more.size());
  EXPECT_TRUE(more.starts_with(stopped));
}

TEST_F(RunTextGeneration, DrawsAreTheSeedsAndAreAsManyAsAskedFor) {
  const std::string drawn = R"({"max_new_tokens":8,"do_sample":true,"num_return_sequences":3,"seed":5})";
  text("w11", drawn);
  const std::string first = world_.output;
  EXPECT_EQ(codec::parse_json(first).value().as_array().size(), 3U);
  text("w11", drawn);
  EXPECT_EQ(world_.output, first);
}

TEST_F(RunTextGeneration, WhatIsNotOfferedOrTooLongIsSaid) {
  const struct {
    std::string_view input, parameters, said;
  } cases[] = {
      {"w11", R"({"stream":true})", "'stream' is not offered here"},
      {"w11", R"({"stop":[""]})", "'stop' is a text or a list"},
      {"w11", R"({"stop":["a"],"num_beams":2})", "'stop' is not for beam search"},
      {"w11", R"({"max_new_tokens":"many"})", "max_new_tokens"},
      {"", "{}", "the text has no tokens"},
      {"[1]", "{}", "inputs are a text, a conversation, or a list of either"},
      {R"([{"role":"user","content":"w11"}])", "{}", "no chat template"},
  };
  for (const auto& one : cases) {
    EXPECT_NE(run(world_, {"text-generation", place_, one.input, "--parameters", one.parameters}), exit_done)
        << one.said;
    EXPECT_NE(world_.complaints.find(one.said), std::string::npos) << world_.complaints;
  }
  std::string many = "w11";
  for (int i = 0; i < 5000; ++i) many += " w12";
  EXPECT_EQ(run(world_, {"text-generation", place_, many}), exit_failed);
  EXPECT_NE(world_.complaints.find("the input has 5001 tokens"), std::string::npos) << world_.complaints;
}

TEST_F(RunTextGeneration, APlaceThatIsNothingIsNamedWhole) {
  EXPECT_EQ(run(world_, {"text-generation", "/no/such", "w11"}), exit_failed);
  EXPECT_EQ(world_.complaints,
            "holdfast: '/no/such' is neither a file or folder here nor a repository NAMESPACE/NAME\n");
  EXPECT_EQ(run(world_, {"text-generation", "no/such", "w11"}), exit_misused);
  EXPECT_NE(world_.complaints.find("'no/such' is no file or folder here; as a repository's name: which hub?"),
            std::string::npos)
      << world_.complaints;
}

TEST(RunTextGenerationGolden, EveryCallIsThePipelinesOfTransformers) {
  const auto folder = io::reference_data("models/pipelines/text-generation");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*folder).value();
  const auto golden = codec::parse_json_object(io::read_text(*disk, "golden.json", 16 << 20).value()).value();
  const std::string place = folder->string();
  RecordingWorld world;
  for (const json::value& one : golden.at("cases").as_array()) {
    world.input =
        codec::to_text(json::object{{"inputs", one.at("args").at(0)}, {"parameters", one.at("kwargs")}});
    ASSERT_EQ(run(world, {"text-generation", place}), exit_done) << world.complaints;
    EXPECT_EQ(codec::parse_json(world.output).value(), one.at("output")) << codec::to_text(one);
  }
}

}  // namespace
}  // namespace holdfast::cli
