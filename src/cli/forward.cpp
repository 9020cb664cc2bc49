#include "cli/forward.h"

#include <boost/json/object.hpp>
#include <optional>

#include "cli/adapted_model.h"
#include "cli/compute_flags.h"
#include "cli/connection.h"
#include "cli/model_backends.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "model/any_model.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

constexpr FlagRow flags[] = {
    {"--generate", "JSON", "Writes tokens instead, with the settings of generate()."},
    {"--dtype", "f32|bf16|int8", "What products are computed in [f32]."},
    {"--instructions", "SET", "Instead of the best the machine has: plain, avx2, avx512, ..."},
    {"--openvino", "FOLDER", "Where OpenVINO's libraries are."},
    adapter_flag,
    endpoint_flag,
    token_flag,
};

struct ForwardWords {
  std::vector<std::string_view> places;
  tensor::Compute compute;
  std::optional<boost::json::object> generate;
  std::optional<std::string_view> openvino;
  std::string adapter;  // A folder or file; empty: none.
};

Result<ForwardWords> parse_forward(const Arguments& arguments) {
  ForwardWords out;
  out.places = arguments.positionals();
  TRY(out.compute, read_compute(arguments, "f32"));
  if (const auto settings = arguments.value("--generate")) {
    TRY(out.generate, codec::parse_json_object(*settings));
  }
  out.openvino = arguments.value("--openvino");
  return out;
}

Result<Bytes> to_file(const std::vector<model::GraphTensor>& outputs) {
  std::vector<codec::SafetensorsTensor> tensors;
  for (const model::GraphTensor& output : outputs)
    tensors.push_back({output.name, output.dtype, output.shape, output.bytes});
  return codec::write_safetensors(tensors);
}

Result<Bytes> to_file(const model::AnyModel::Sequences& sequences) {
  std::vector<int64_t> ids;
  for (const auto& row : sequences.ids) ids.insert(ids.end(), row.begin(), row.end());
  const uint64_t rows = sequences.ids.size();
  std::vector<codec::SafetensorsTensor> tensors = {{"sequences",
                                                    codec::Dtype::i64,
                                                    {rows, rows == 0 ? 0 : ids.size() / rows},
                                                    std::as_bytes(std::span(ids))}};
  if (!sequences.scores.empty())
    tensors.push_back({"sequences_scores",
                       codec::Dtype::f32,
                       {sequences.scores.size()},
                       std::as_bytes(std::span(sequences.scores))});
  return codec::write_safetensors(tensors);
}

io::Path adapter_path(const UserFiles& files, const ForwardWords& words) {
  return words.adapter.empty() ? io::Path() : files.path(words.adapter);
}

Result<Bytes> generated(const ForwardWords& words, UserFiles& files, const tensor::Weights& inputs,
                        tensor::Threads& threads) {
  TRY(const model::AnyModel model, model::AnyModel::open(files.disk(), files.path(words.places[0]),
                                                         words.compute, adapter_path(files, words)));
  TRY(const model::AnyModel::Sequences sequences, model.generate(inputs, *words.generate, threads));
  return to_file(sequences);
}

Result<Bytes> answered(const World& world, const ForwardWords& words, UserFiles& files,
                       const tensor::Weights& inputs, tensor::Threads& threads) {
  auto backends = open_backends(world, files, threads.count(), words.openvino);
  if (!words.adapter.empty()) {  // Other runtimes have none.
    backends.clear();
    backends.push_back(model::make_own_backend(adapter_path(files, words)));
  }
  TRY(const std::unique_ptr<model::Graph> graph,
      model::open_graph(backends, files.disk(), files.path(words.places[0]), words.compute));
  TRY(const std::vector<model::GraphTensor> outputs, graph->run(inputs, threads));
  return to_file(outputs);
}

Status forward_files(const World& world, const ForwardWords& words) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const tensor::Weights inputs, tensor::Weights::open_file(files.disk(), files.path(words.places[1])));
  const auto threads = tensor::make_threads(2);
  TRY(const Bytes file, words.generate ? generated(words, files, inputs, *threads)
                                       : answered(world, words, files, inputs, *threads));
  return files.write(words.places[2], as_text(file));
}

int run_forward(World& world, std::span<const std::string_view> arguments) {
  const auto parsed = Arguments::parse({flags, 3, 3}, arguments);
  auto words = parsed.ok() ? parse_forward(parsed.value()) : Result<ForwardWords>(parsed.error());
  if (!words.ok()) {
    report(world, words.error());
    return exit_misused;
  }
  auto adapter = adapter_place(world, parsed.value());
  if (!adapter.ok()) return report(world, adapter.error());
  words.value().adapter = std::move(adapter).value();
  const Status done = forward_files(world, words.value());
  return done.ok() ? exit_done : report(world, done.error());
}

}  // namespace

std::vector<Command> forward_commands() {
  return {
      {"forward",
       "MODEL IN.safetensors OUT.safetensors [--generate JSON] [--dtype f32|bf16|int8] [--instructions SET] "
       "[--openvino FOLDER] [--adapter ADAPTER] [--endpoint URL] [--token T]",
       "Runs a model (a folder, GGUF, ONNX, TFLite or IR) on tensors from a file and writes its outputs to "
       "another.",
       "holdfast forward ./bert inputs.safetensors outputs.safetensors", run_forward}};
}

}  // namespace holdfast::cli
