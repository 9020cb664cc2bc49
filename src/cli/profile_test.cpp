#include "cli/profile.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "cli/recording_world.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view plain = "tests/golden/models/feature-extraction",
                           writer = "tests/golden/models/gguf/llama-tiny-q8_0.gguf",
                           reader_and_writer = "tests/golden/models/t5/flan-gated-gelu",
                           pictures = "tests/golden/models/deit/teacher";

int profile(RecordingWorld& world, std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), "profile");
  return dispatch(profile_commands(), world, arguments);
}

json::object measured(std::vector<std::string_view> arguments) {
  arguments.push_back("--json");
  RecordingWorld world;
  EXPECT_EQ(profile(world, arguments), exit_done) << world.complaints;
  return codec::parse_json_object(world.output).value();
}

// The sum of one number over the steps of that name.
double sum_of(const json::object& call, std::string_view operation, std::string_view key) {
  double out = 0;
  for (const json::value& step : call.at("steps").as_array())
    if (std::string_view(step.at("operation").as_string()) == operation)
      out += step.at(key).to_number<double>();
  return out;
}

json::object config_in(std::string_view folder) {
  const auto disk = io::open_posix_disk(std::string(folder)).value();
  return codec::parse_json_object(io::read_text(*disk, "config.json", 1 << 20).value()).value();
}

TEST(Profile, AddsUpTheLayersAndDrawsThem) {
  const io::TemporaryFolder folder;
  const std::string chart = folder.path() / "chart.svg";
  const json::object said = measured({plain, "--length", "16", "--calls", "3", "--svg", chart});
  const json::object config = config_in(plain);
  const auto number = [&](std::string_view key) { return config.at(key).to_number<double>(); };
  const double layers = number("num_hidden_layers"),
               weights = number("hidden_size") * number("intermediate_size");
  EXPECT_EQ(sum_of(said, "inner, activation", "operations"), layers * 2 * 8 * 16 * weights);
  EXPECT_EQ(sum_of(said, "attention", "operations"), layers * 4 * 8 * 16 * 16 * number("hidden_size"));
  EXPECT_GE(sum_of(said, "inner, activation", "weight_bytes"), layers * 4 * weights);
  EXPECT_GT(said.at("peak_operations_per_second").to_number<double>(), 1e9);
  EXPECT_FALSE(said.contains("writing"));
  const auto disk = io::open_posix_disk(folder.path()).value();
  const std::string svg = io::read_text(*disk, "chart.svg", 1 << 20).value();
  EXPECT_TRUE(svg.starts_with("<svg"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));

  RecordingWorld people;
  ASSERT_EQ(profile(people, {plain, "--length", "16", "--calls", "2"}), exit_done);
  EXPECT_NE(people.output.find("of peak"), std::string::npos) << people.output;
}

TEST(Profile, AModelThatWritesReadsAPromptAndThenWrites) {
  const json::object reads = measured({writer, "--length", "12", "--calls", "4"});
  const json::object& writes = reads.at("writing").as_object();
  for (const std::string_view step : {"query, key, value", "inner, activation", "output, norm"}) {
    EXPECT_GT(sum_of(writes, step, "operations"), 0) << step;
    EXPECT_EQ(sum_of(reads, step, "operations"), 12 * sum_of(writes, step, "operations")) << step;
    EXPECT_EQ(sum_of(reads, step, "weight_bytes"), sum_of(writes, step, "weight_bytes")) << step;
  }
  EXPECT_EQ(sum_of(reads, "head", "operations"), sum_of(writes, "head", "operations")) << "one row each";
  EXPECT_GT(sum_of(writes, "head", "operations"), 0);
  EXPECT_GT(writes.at("read_bytes_per_second").to_number<double>(), 1e8);
  EXPECT_GT(writes.at("cache_bytes_per_token").to_number<double>(), 0);
}

TEST(Profile, AnEncoderAndADecoderAreToldApart) {
  const json::object reads = measured({reader_and_writer, "--length", "8", "--calls", "2"});
  std::map<std::string, size_t, std::less<>> parts, written;
  for (const json::value& step : reads.at("steps").as_array())
    ++parts[std::string(step.at("part").as_string())];
  for (const json::value& step : reads.at("writing").at("steps").as_array())
    ++written[std::string(step.at("part").as_string())];
  EXPECT_GT(parts["encoder"], 0U);
  EXPECT_GT(parts["decoder"], 0U) << "what the decoder makes of what was read";
  EXPECT_EQ(written.size(), 1U);
  EXPECT_GT(written["decoder"], 0U);
}

TEST(Profile, ImagesComeFromAFile) {
  RecordingWorld world;
  EXPECT_EQ(profile(world, {pictures}), exit_misused);
  EXPECT_NE(world.complaints.find("--input"), std::string::npos) << world.complaints;

  const auto golden = io::open_posix_disk(std::string(pictures)).value();
  const auto weights = tensor::Weights::open_file(*golden, "golden.safetensors").value();
  const io::TemporaryFolder folder;
  const std::string inputs = folder.path() / "inputs.safetensors";
  std::vector<codec::SafetensorsTensor> tensors;
  constexpr std::string_view before = "all.in.";
  for (const std::string& name : weights.names()) {
    const tensor::TensorView& view = *weights.find(name);
    if (name.starts_with(before))
      tensors.push_back({name.substr(before.size()), view.dtype, view.shape, view.bytes});
  }
  const auto disk = io::open_posix_disk(folder.path()).value();
  ASSERT_TRUE(
      io::publish_text(*disk, "inputs.safetensors", as_text(codec::write_safetensors(tensors).value())).ok());
  const json::object said = measured({pictures, "--input", inputs, "--calls", "2"});
  EXPECT_GT(sum_of(said, "inner, activation", "operations"), 0);
  EXPECT_GT(sum_of(said, "rest", "operations"), 0) << "the classifier";
}

TEST(Profile, SaysHowLongATextMayBe) {
  RecordingWorld world;
  EXPECT_EQ(profile(world, {plain, "--length", "8192"}), exit_misused);
  EXPECT_NE(world.complaints.find("tokens at most"), std::string::npos) << world.complaints;
}

}  // namespace
}  // namespace holdfast::cli
