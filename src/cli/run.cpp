#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/compute_flags.h"
#include "cli/model_backends.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "model/pipeline.h"
#include "model/text_rewriter.h"

namespace holdfast::cli {
namespace {

constexpr size_t input_bytes_max = 64 << 20;

constexpr FlagRow flags[] = {
    {"--parameters", "JSON", "Parameters of the task, as the Inference API has them."},
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32]."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--openvino", "FOLDER", "Where OpenVINO's libraries are."},
};

struct RunWords {
  std::string_view task, folder;
  std::optional<std::string> input;
  boost::json::object parameters;
  tensor::Compute compute;
  std::optional<std::string_view> openvino;
};

Result<RunWords> parse_run(std::span<const std::string_view> words) {
  TRY(const Arguments arguments, Arguments::parse({flags, 2, 3}, words));
  RunWords out;
  const std::vector<std::string_view>& places = arguments.positionals();
  out.task = places[0];
  out.folder = places[1];
  if (places.size() == 3) out.input = std::string(places[2]);
  if (const auto parameters = arguments.value("--parameters")) {
    TRY(out.parameters, codec::parse_json_object(*parameters));
  }
  TRY(out.compute, read_compute(arguments, "f32"));
  out.openvino = arguments.value("--openvino");
  return out;
}

// The Inference API's body {"inputs", "parameters"}, an object or list of inputs, or else a text.
Result<boost::json::value> read_inputs(const std::string& input, boost::json::object& parameters) {
  if (!input.starts_with('{') && !input.starts_with('[')) return boost::json::value(input);
  auto json = codec::parse_json(input, {.bytes_max = input_bytes_max});
  if (!json.ok()) return boost::json::value(input);
  if (!json.value().is_object() || !json.value().get_object().contains("inputs"))
    return std::move(json).value();
  boost::json::object& body = json.value().get_object();
  TRY(const boost::json::object* given, codec::json_object_if(body, "parameters"));
  if (given != nullptr)
    for (const auto& [key, value] : *given) parameters.insert_or_assign(key, value);
  return body.at("inputs");
}

Result<std::string> answer(const World& world, RunWords words, const std::string& input) {
  TRY(const boost::json::value inputs, read_inputs(input, words.parameters));
  TRY(UserFiles files, UserFiles::open());
  const auto threads = tensor::make_threads(2);
  TRY(const bool rewrites, model::rewrites_text(files.disk(), files.path(words.folder)));
  if (rewrites) {
    TRY(const model::TextRewriter rewriter,
        model::TextRewriter::open(files.disk(), files.path(words.folder), words.compute));
    TRY(const boost::json::value answer, rewriter.run(words.task, inputs, words.parameters, *threads));
    return codec::to_text(answer) + "\n";
  }
  const auto graphs = open_openvino(world, files, threads->count(), words.openvino);
  TRY(const model::Pipeline pipeline,
      model::Pipeline::open(files.disk(), files.path(words.folder), words.compute, graphs.get()));
  TRY(const boost::json::value answer, pipeline.run(words.task, inputs, words.parameters, *threads));
  return codec::to_text(answer) + "\n";
}

int run_task(World& world, std::span<const std::string_view> arguments) {
  auto words = parse_run(arguments);
  if (!words.ok()) {
    report(world, words.error());
    return exit_misused;
  }
  std::vector<std::string_view> tasks(model::pipeline_tasks().begin(), model::pipeline_tasks().end());
  for (const std::string_view task : model::rewriting_tasks()) tasks.push_back(task);
  if (std::find(tasks.begin(), tasks.end(), words.value().task) == tasks.end()) {
    world.complain(fmt::format("holdfast: the tasks are {}\n", fmt::join(tasks, ", ")));
    return exit_misused;
  }
  std::string input;
  if (words.value().input) {
    input = *words.value().input;
  } else {
    auto read = world.read_all(input_bytes_max);
    if (!read.ok()) return report(world, read.error());
    input = std::move(read).value();
    if (input.ends_with('\n')) input.pop_back();
  }
  const auto text = answer(world, std::move(words).value(), input);
  if (!text.ok()) return report(world, text.error());
  world.print(text.value());
  return exit_done;
}

}  // namespace

std::vector<Command> run_commands() {
  return {{"run",
           "TASK MODEL_DIR [INPUT] [--parameters JSON] [--dtype f32|bf16|int8] [--instructions SET] "
           "[--openvino FOLDER]",
           "Runs a task of a model on one input, without a server.",
           "holdfast run feature-extraction ./all-MiniLM-L6-v2 \"A sentence.\"", run_task}};
}

}  // namespace holdfast::cli
