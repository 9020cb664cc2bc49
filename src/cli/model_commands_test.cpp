#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <fstream>

#include "cli/recording_world.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

int call(RecordingWorld& world, std::vector<std::string_view> arguments) {
  return dispatch(commands(), world, arguments);
}

TEST(ModelCommands, ForwardWritesTheGoldensOutputs) {
  const io::TemporaryFolder folder;
  const std::string bert = "tests/golden/models/bert/base";
  const auto disk = io::open_posix_disk(".").value();
  const auto golden = tensor::Weights::open_file(*disk, bert + "/golden.safetensors").value();
  const auto inputs = tensor::Weights::renamed(golden, "padded.in.");
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& name : inputs.names())
    tensors.push_back({name, inputs.find(name)->dtype, inputs.find(name)->shape, inputs.find(name)->bytes});
  const auto here = io::open_posix_disk(folder.path()).value();
  ASSERT_TRUE(io::publish_text(*here, "in", as_text(codec::write_safetensors(tensors).value())).ok());

  RecordingWorld world;
  const std::string in = folder.path() / "in", out = folder.path() / "out";
  ASSERT_EQ(call(world, {"forward", bert, in, out}), exit_done) << world.complaints;
  const auto got = tensor::Weights::open_file(*here, "out").value();
  for (const char* name : {"last_hidden_state", "pooler_output"}) {
    const auto* view = got.find(name);
    const auto* wanted = golden.find(std::string("padded.out.") + name);
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(view->shape, wanted->shape);
    const auto left = tensor::to_floats(*view).value(), right = tensor::to_floats(*wanted).value();
    for (size_t i = 0; i < left.size(); ++i) EXPECT_NEAR(left[i], right[i], 1e-4);
  }
}

TEST(ModelCommands, ForwardWithAnAdapterGivesWhatPeftGives) {
  const io::TemporaryFolder folder;
  const std::string models = "tests/golden/models/", adapter = models + "lora/llama-all";
  const auto disk = io::open_posix_disk(".").value(), here = io::open_posix_disk(folder.path()).value();
  const auto golden = tensor::Weights::open_file(*disk, models + "lora/golden.safetensors").value();
  const tensor::TensorView& ids = *golden.find("llama-all.ids");
  const Bytes inputs = codec::write_safetensors(std::vector<codec::SafetensorsTensor>{
                                                    {"input_ids", ids.dtype, {1, ids.elements()}, ids.bytes}})
                           .value();
  ASSERT_TRUE(io::publish_text(*here, "in", as_text(inputs)).ok());
  RecordingWorld world;
  const std::string in = folder.path() / "in", out = folder.path() / "out", base = models + "llama/gqa";
  ASSERT_EQ(call(world, {"forward", base, in, out, "--adapter", adapter}), exit_done) << world.complaints;
  const auto answers = tensor::Weights::open_file(*here, "out").value();
  const auto got = tensor::to_floats(*answers.find("logits")).value(),
             wanted = tensor::to_floats(*golden.find("llama-all.logits")).value();
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], wanted[i], 1e-4);
  EXPECT_EQ(call(world, {"forward", models + "bert/base", in, out, "--adapter", adapter}), exit_failed);
  EXPECT_NE(world.complaints.find("no decoders"), std::string::npos) << world.complaints;
}

TEST(ModelCommands, RunGivesTokenVectorsOfAPlainModel) {
  RecordingWorld world;
  world.input = "I love this film, it is wonderful!\n";
  ASSERT_EQ(call(world, {"run", "feature-extraction", "tests/golden/models/feature-extraction"}), exit_done)
      << world.complaints;
  const auto got = codec::parse_json(world.output).value();
  const auto disk = io::open_posix_disk("tests/golden/models/feature-extraction").value();
  const auto golden = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  const auto& wanted =
      golden.at("cases").as_array().at(0).as_object().at("output").as_array().at(0).as_array();
  const auto& rows = got.as_array().at(0).as_array();
  ASSERT_EQ(rows.size(), wanted.size());
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t k = 0; k < rows[i].as_array().size(); ++k)
      EXPECT_NEAR(rows[i].as_array()[k].to_number<double>(), wanted[i].as_array()[k].to_number<double>(),
                  1e-4);
}

TEST(ModelCommands, MisuseAndMissingFilesAreTold) {
  RecordingWorld world;
  EXPECT_EQ(call(world, {"forward", "a"}), exit_misused);
  EXPECT_EQ(call(world, {"forward", "a", "b", "c", "--generate", "no json"}), exit_misused);
  EXPECT_EQ(call(world, {"run", "dancing", "a"}), exit_misused);
  EXPECT_EQ(call(world, {"chat"}), exit_misused);
  EXPECT_NE(call(world, {"chat", "tests/no-such-folder"}), exit_done);
  EXPECT_EQ(call(world, {"tokenize"}), exit_misused);
  EXPECT_NE(call(world, {"run", "feature-extraction", "tests/no-such-folder", "x"}), exit_done);
  EXPECT_NE(call(world, {"tokenize", "tests/no-such-file"}), exit_done);
}

TEST(ModelCommands, TokenizeAnswersLineByLine) {
  RecordingWorld world;
  world.input = "{\"op\":\"encode\",\"text\":\"I love\"}\nnonsense\n{\"op\":\"dance\"}\n";
  ASSERT_EQ(call(world, {"tokenize", "tests/golden/models/feature-extraction/tokenizer.json"}), exit_done);
  const size_t end = world.output.find('\n');
  const auto first = codec::parse_json_object(std::string_view(world.output).substr(0, end)).value();
  EXPECT_EQ(first.at("ids").as_array().size(), 5U);
  EXPECT_EQ(std::count(world.output.begin(), world.output.end(), '\n'), 3);
  EXPECT_NE(world.output.find("error", end), std::string::npos);
}

TEST(ModelCommands, TokenizeTakesWhatRepositoriesCarryInsteadOfTokenizerJson) {
  const io::TemporaryFolder folder;
  std::ofstream(folder.path() / "vocab.txt") << "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nworld\n##s\n";
  for (const std::string& named : {folder.path().string(), (folder.path() / "vocab.txt").string()}) {
    RecordingWorld world;
    world.input = "{\"op\":\"encode\",\"text\":\"Hello worlds\"}\n";
    ASSERT_EQ(call(world, {"tokenize", named}), exit_done) << world.complaints;
    EXPECT_NE(world.output.find("\"ids\":[2,5,6,7,3]"), std::string::npos) << world.output;
  }
}

}  // namespace
}  // namespace holdfast::cli
