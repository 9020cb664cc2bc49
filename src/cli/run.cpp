#include "cli/run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/adapted_model.h"
#include "cli/compute_flags.h"
#include "cli/connection.h"
#include "cli/continuation.h"
#include "cli/layer_cache.h"
#include "cli/model_backends.h"
#include "cli/model_source.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "model/pipeline.h"
#include "model/signal_pipeline.h"
#include "model/text_rewriter.h"

namespace holdfast::cli {
namespace {

constexpr size_t input_bytes_max = 64 << 20;
constexpr std::string_view writing_task = "text-generation";

constexpr FlagRow flags[] = {
    {"--parameters", "JSON", "Parameters of the task, as the Inference API has them."},
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32; int8 for a GGUF file]."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--openvino", "FOLDER", "Where OpenVINO's libraries are."},
    adapter_flag,
    {"--json", "", "As it is without: the answer is JSON."},
    endpoint_flag,
    token_flag,
};

struct RunWords {
  std::string_view task;
  std::string place;    // A folder, or a file.
  std::string adapter;  // A folder; empty: none.
  std::optional<std::string> input;
  boost::json::object parameters;
  tensor::Compute compute;
  std::optional<std::string_view> openvino;
};

std::vector<std::string_view> all_tasks() {
  std::vector<std::string_view> out(model::pipeline_tasks().begin(), model::pipeline_tasks().end());
  for (const std::string_view task : model::rewriting_tasks()) out.push_back(task);
  for (const std::string_view task : model::signal_tasks()) out.push_back(task);
  out.push_back(writing_task);
  return out;
}

Result<RunWords> parse_run(const Arguments& arguments) {
  RunWords out;
  const std::vector<std::string_view>& places = arguments.positionals();
  out.task = places[0];
  const std::vector<std::string_view> tasks = all_tasks();
  if (std::find(tasks.begin(), tasks.end(), out.task) == tasks.end())
    return fail(Reason::bad_request, fmt::format("the tasks are {}", fmt::join(tasks, ", ")));
  if (places.size() == 3) out.input = std::string(places[2]);
  if (const auto parameters = arguments.value("--parameters")) {
    TRY(out.parameters, codec::parse_json_object(*parameters));
  }
  TRY(out.compute, read_compute(arguments, places[1].ends_with(".gguf") ? "int8" : "f32"));
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

// A task on an image or a sound: the bytes themselves from standard input, the Inference API's body, or where
// the input was given as a word the name of a file.
Result<std::string> answer_signal(UserFiles& files, RunWords& words, const std::string& input,
                                  tensor::Threads& threads) {
  TRY(const model::SignalPipeline pipeline,
      model::SignalPipeline::open(files.disk(), files.path(words.place), words.compute));
  boost::json::value inputs;
  std::string file;
  if (input.starts_with('{')) {
    TRY(inputs, read_inputs(input, words.parameters));
  } else if (words.input) {
    TRY(file, io::read_text(files.disk(), files.path(*words.input), input_bytes_max));
  } else {
    file = input;
  }
  TRY(const boost::json::value answer,
      pipeline.run(words.task, inputs, words.parameters, as_bytes(file), threads));
  return codec::to_text(answer) + "\n";
}

// What is left to be printed.
Result<std::string> answer(World& world, RunWords words, const std::string& input) {
  TRY(const boost::json::value inputs, read_inputs(input, words.parameters));
  TRY(UserFiles files, UserFiles::open());
  const auto threads = tensor::make_threads(2);
  const io::Path place = files.path(words.place);
  if (words.task == writing_task) {
    const LayerCache cache(world, files, words.place, words.compute.precision,
                           words.adapter.empty() ? LayerCache::Use::alone : LayerCache::Use::with_adapters);
    TRY(const model::TextGenerator generator,
        open_adapted(files, words.place, words.compute, words.adapter, cache.store()));
    TRY(const boost::json::value answer,
        continue_text(generator, inputs, words.parameters, *threads, world.clock().wall()));
    world.print(codec::to_text(answer) + "\n");
    cache.keep(generator);
    return std::string();
  }
  if (!words.adapter.empty())
    return fail(Reason::bad_request, fmt::format("--adapter is for {} alone", writing_task));
  TRY(const bool rewrites, model::rewrites_text(files.disk(), place));
  if (rewrites) {
    TRY(const model::TextRewriter rewriter, model::TextRewriter::open(files.disk(), place, words.compute));
    TRY(const boost::json::value answer, rewriter.run(words.task, inputs, words.parameters, *threads));
    return codec::to_text(answer) + "\n";
  }
  TRY(const bool signals, model::reads_signals(files.disk(), place));
  if (signals) return answer_signal(files, words, input, *threads);
  const auto graphs = open_openvino(world, files, threads->count(), words.openvino);
  TRY(const model::Pipeline pipeline,
      model::Pipeline::open(files.disk(), place, words.compute, graphs.get()));
  TRY(const boost::json::value answer, pipeline.run(words.task, inputs, words.parameters, *threads));
  return codec::to_text(answer) + "\n";
}

int run_task(World& world, std::span<const std::string_view> arguments) {
  const auto parsed = Arguments::parse({flags, 2, 3}, arguments);
  auto words = parsed.ok() ? parse_run(parsed.value()) : Result<RunWords>(parsed.error());
  if (!words.ok()) {
    report(world, words.error());
    return exit_misused;
  }
  auto source = open_source(world, parsed.value(), parsed.value().positionals()[1], RemoteType::model);
  if (!source.ok()) return report(world, source.error());
  words.value().place = std::move(source.value().folder);
  auto adapter = adapter_place(world, parsed.value());
  if (!adapter.ok()) return report(world, adapter.error());
  words.value().adapter = std::move(adapter).value();
  std::string input;
  if (words.value().input) {
    input = *words.value().input;
  } else {
    auto read = world.read_all(input_bytes_max);
    if (!read.ok()) return report(world, read.error());
    input = std::move(read).value();
    const auto& signals = model::signal_tasks();
    const bool bytes = std::find(signals.begin(), signals.end(), words.value().task) != signals.end();
    if (!bytes && input.ends_with('\n')) input.pop_back();
  }
  const auto text = answer(world, std::move(words).value(), input);
  if (!text.ok()) return report(world, text.error());
  world.print(text.value());
  return exit_done;
}

}  // namespace

std::vector<Command> run_commands() {
  return {{"run",
           "TASK MODEL [INPUT] [--parameters JSON] [--dtype f32|bf16|int8] [--instructions SET] "
           "[--openvino FOLDER] [--adapter ADAPTER] [--json] [--endpoint URL] [--token T]",
           "Runs a task of a model on one input, without a server: a text, JSON, or the name of an image or "
           "a sound.",
           "holdfast run feature-extraction ./all-MiniLM-L6-v2 \"A sentence.\"", run_task}};
}

}  // namespace holdfast::cli
