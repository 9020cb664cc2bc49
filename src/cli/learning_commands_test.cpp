#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "cli/evaluation_files.h"
#include "cli/recording_world.h"
#include "cli/support_messages.h"
#include "codec/json.h"
#include "io/disk.h"
#include "io/temporary_folder.h"

namespace holdfast::cli {
namespace {

int call(RecordingWorld& world, std::vector<std::string_view> arguments) {
  return dispatch(commands(), world, arguments);
}

std::string base_folder() { return "tests/golden/models/feature-extraction"; }

// A tiny data folder whose classes a word tells.
void write_data(io::Disk& disk, bool with_validation = true) {
  const auto rows = [](std::string_view split, int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += codec::to_text(boost::json::object{{"id", std::string(split) + std::to_string(i)},
                                                {"text", i % 2 == 0 ? "I love this wonderful film" : "it is"},
                                                {"intent", i % 2 == 0 ? "good" : "plain"},
                                                {"kind", i % 3 == 0 ? "edge" : "normal"}}) +
             "\n";
    return out;
  };
  ASSERT_TRUE(io::publish_text(disk, "train.jsonl", rows("train", 20)).ok());
  if (with_validation) ASSERT_TRUE(io::publish_text(disk, "validation.jsonl", rows("validation", 10)).ok());
  ASSERT_TRUE(io::publish_text(disk, "test.jsonl", rows("test", 30)).ok());
}

class Learning : public testing::Test {
 protected:
  void SetUp() override {
    disk = io::open_posix_disk(folder.path()).value();
    data_disk = io::open_posix_disk(folder.path() / "data").value();
    data = folder.path() / "data";
    model = folder.path() / "model";
    out = folder.path() / "evidence";
    criteria = folder.path() / "criteria.json";
  }
  int train(std::string_view to) {
    return call(world, {"train", "head", "--base", base, "--data", data, "--label", "intent", "--out", to,
                        "--seed", "3"});
  }
  int evaluate(std::string_view text) {
    EXPECT_TRUE(io::publish_text(*disk, "criteria.json", text).ok());
    return call(world, {"eval", "--model", model, "--data", data, "--label", "intent", "--criteria", criteria,
                        "--out", out});
  }

  io::TemporaryFolder folder;
  std::unique_ptr<io::Disk> disk, data_disk;
  std::string base = base_folder(), data, model, out, criteria;
  RecordingWorld world;
};

TEST_F(Learning, PoisonedRowsAreNotTrainedOnUnlessAPersonSaysWhy) {
  write_data(*data_disk);
  std::string rows = io::read_text(*data_disk, "train.jsonl", 1 << 20).value();
  rows += R"({"id": "torn", "text": "it is", "intent": "good", "kind": "edge"})"
          "\n";
  ASSERT_TRUE(io::publish_text(*data_disk, "train.jsonl", rows).ok());
  EXPECT_EQ(call(world, {"vet", data, "--label", "intent", "--json"}), exit_failed);
  const auto told = codec::parse_json_object(world.output).value();
  EXPECT_FALSE(told.at("passes").as_bool());
  EXPECT_EQ(told.at("findings").at(0).at("kind").as_string(), "conflict");
  EXPECT_EQ(train(model), exit_misused);
  EXPECT_NE(world.complaints.find("--despite"), std::string::npos) << world.complaints;
  EXPECT_EQ(call(world, {"train", "head", "--base", base, "--data", data, "--label", "intent", "--out", model,
                         "--seed", "3", "--despite", "a test\nof it"}),
            exit_done)
      << world.complaints;
  EXPECT_NE(io::read_text(*disk, "model/README.md", 1 << 20).value().find("a test of it"), std::string::npos);
}

TEST_F(Learning, ASearchForTriggersThatWasEndedEarlyDecidesNothing) {
  write_data(*data_disk);
  ASSERT_EQ(train(model), exit_done) << world.complaints;
  world.output.clear();
  ASSERT_EQ(
      call(world, {"vet", "model", model, "--data", data, "--label", "intent", "--time", "0s", "--json"}),
      exit_done)
      << world.complaints << world.output;
  const auto none = codec::parse_json_object(world.output).value();
  EXPECT_EQ(none.at("verdict").as_string(), "review");
  EXPECT_EQ(none.at("tried").as_int64(), 0);
  EXPECT_EQ(none.at("notSearched").as_array().size(), 2U) << "no words, and no several of them";
}

TEST_F(Learning, TheExamplesDataMayBeTrainedOn) {
  ASSERT_EQ(call(world, {"example", "support", data}), exit_done) << world.complaints;
  EXPECT_EQ(call(world, {"vet", data, "--label", "intent"}), exit_done) << world.output;
}

TEST_F(Learning, AHeadIsTrainedWrittenAndJudged) {
  write_data(*data_disk);
  ASSERT_EQ(train(model), exit_done) << world.complaints;
  EXPECT_NE(world.output.find("2 classes"), std::string::npos);
  const auto config =
      codec::parse_json_object(io::read_text(*disk, "model/config.json", 1 << 20).value()).value();
  EXPECT_EQ(config.at("architectures").as_array().at(0).as_string(), "BertForSequenceClassification");
  EXPECT_EQ(config.at("id2label").at("0").as_string(), "good");
  EXPECT_TRUE(io::read_text(*disk, "model/tokenizer.json", 1 << 26).ok());
  const std::string card = io::read_text(*disk, "model/README.md", 1 << 20).value();
  EXPECT_NE(card.find("pipeline_tag: text-classification"), std::string::npos);

  world.output.clear();
  EXPECT_EQ(
      evaluate(
          R"({"criteria":[{"metric":"accuracy","at_least":0.9},{"metric":"accuracy","slice":"kind=edge","at_least":0.5,"rows_min":5}]})"),
      exit_done)
      << world.output << world.complaints;
  EXPECT_NE(world.output.find("verdict: passed"), std::string::npos);
  EXPECT_EQ(call(world, {"eval", "verify", out}), exit_done);
  EXPECT_EQ(evaluate(R"({"criteria":[{"metric":"accuracy","at_least":0.9}]})"), exit_failed)
      << "a result is never changed";
}

TEST_F(Learning, TheSameSeedGivesTheSameBytes) {
  write_data(*data_disk);
  const std::string other = folder.path() / "other";
  ASSERT_EQ(train(model), exit_done);
  ASSERT_EQ(train(other), exit_done);
  for (const char* name : {"model.safetensors", "config.json", "training.json", "README.md"})
    EXPECT_EQ(io::read_text(*disk, std::string("model/") + name, 1 << 28).value(),
              io::read_text(*disk, std::string("other/") + name, 1 << 28).value())
        << name;
}

TEST_F(Learning, WithoutValidationTrainingIsRefused) {
  write_data(*data_disk, false);
  EXPECT_EQ(train(model), exit_misused);
  EXPECT_NE(world.complaints.find("validation"), std::string::npos);
}

TEST_F(Learning, AHeadThatIsMuchBetterInTrainingIsFlagged) {
  write_data(*data_disk);
  ASSERT_EQ(train(model), exit_done) << world.complaints;
  EXPECT_EQ(world.complaints.find("overfits"), std::string::npos);
  std::string other;  // The same texts, one in four under the other label.
  for (int i = 0; i < 20; ++i)
    other += codec::to_text(boost::json::object{{"id", "v" + std::to_string(i)},
                                                {"text", i % 2 == 0 ? "I love this wonderful film" : "it is"},
                                                {"intent", i % 4 == 1 ? "plain" : "good"}}) +
             "\n";
  ASSERT_TRUE(io::publish_text(*data_disk, "validation.jsonl", other).ok());
  const std::string second = folder.path() / "second";
  ASSERT_EQ(train(second), exit_done) << world.complaints;
  EXPECT_NE(world.complaints.find("overfits"), std::string::npos) << world.output;
}

TEST_F(Learning, TooFewRowsWait) {
  write_data(*data_disk);
  ASSERT_EQ(train(model), exit_done);
  world.output.clear();
  EXPECT_EQ(evaluate(R"({"criteria":[{"metric":"accuracy","at_least":0.8,"margin":0.02}]})"), exit_failed);
  EXPECT_NE(world.output.find("waiting: needs"), std::string::npos) << world.output;
  EXPECT_NE(world.output.find("verdict: waiting"), std::string::npos);
}

TEST_F(Learning, AChangedResultIsFound) {
  write_data(*data_disk);
  ASSERT_EQ(train(model), exit_done);
  ASSERT_EQ(evaluate(R"({"criteria":[{"metric":"accuracy","at_least":0.5}]})"), exit_done);
  std::string rows = io::read_text(*disk, "evidence/rows.jsonl", 1 << 20).value();
  rows.replace(rows.find("good"), 4, "gone");
  ASSERT_TRUE(io::publish_text(*disk, "evidence/rows.jsonl", rows).ok());
  EXPECT_EQ(call(world, {"eval", "verify", out}), exit_failed);
  std::string result = io::read_text(*disk, "evidence/result.json", 1 << 20).value();
  EXPECT_TRUE(check_digest(result).ok());
  result.replace(result.find("passed"), 6, "failed");
  EXPECT_FALSE(check_digest(result).ok());
}

TEST(Criteria, MistakesAreNamed) {
  for (const char* text : {R"({})", R"({"criteria":[]})", R"({"criteria":[{"metric":"accuracy"}]})",
                           R"({"criteria":[{"metric":"accuracy","at_least":1,"at_most":2}]})",
                           R"({"criteria":[{"metric":"accuracy","at_least":1,"margins":1}]})",
                           R"({"criteria":[{"metric":"accuracy","at_least":1,"margin":-1}]})", "[]"})
    EXPECT_FALSE(parse_criteria(text).ok()) << text;
}

TEST_F(Learning, TheExamplesDataIsWrittenWhereNoFolderIsYet) {
  const std::string target = folder.path() / "new" / "support";
  ASSERT_EQ(call(world, {"example", "support", target}), exit_done) << world.complaints;
  EXPECT_TRUE(io::read_text(*disk, "new/support/week2.jsonl", 1 << 24).ok());
}

TEST(SupportMessages, TheDataIsAsItsCardSays) {
  const SupportData data = make_support_data(7), same = make_support_data(7);
  EXPECT_EQ(data.train[17].text, same.train[17].text);
  std::map<std::string, size_t> kinds, patterns;
  std::set<std::string> texts, intents, groups;
  for (const auto* part : {&data.train, &data.validation, &data.test})
    for (const SupportMessage& one : *part) {
      ++kinds[one.kind];
      ++patterns[one.pattern];
      texts.insert(one.text);
      intents.insert(one.intent);
      groups.insert(one.length + one.tone);
    }
  EXPECT_GE(texts.size(), 3000U);
  EXPECT_EQ(texts.size(), data.train.size() + data.validation.size() + data.test.size());
  EXPECT_GE(intents.size(), 5U);
  EXPECT_EQ(groups.size(), 4U);
  ASSERT_EQ(kinds.size(), 5U);
  for (const auto& [kind, count] : kinds) EXPECT_GE(count, 150U) << kind;
  for (const auto& [pattern, count] : patterns) EXPECT_LE(count, support_pattern_uses) << pattern;
  for (const auto& one : texts) EXPECT_EQ(one.find('{'), std::string::npos) << one;
}

}  // namespace
}  // namespace holdfast::cli
