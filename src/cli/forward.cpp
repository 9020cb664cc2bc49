#include "cli/forward.h"

#include "cli/user_files.h"
#include "codec/safetensors.h"
#include "model/forward.h"
#include "tensor/weights.h"

namespace holdfast::cli {
namespace {

Result<Bytes> to_file(const std::vector<model::NamedTensor>& outputs) {
  std::vector<codec::SafetensorsTensor> tensors;
  for (const model::NamedTensor& output : outputs)
    tensors.push_back({output.name, codec::Dtype::f32, output.shape, std::as_bytes(std::span(output.data))});
  return codec::write_safetensors(tensors);
}

Status forward_files(std::string_view folder, std::string_view in, std::string_view out) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const model::EncoderModel model, model::EncoderModel::open(files.disk(), files.path(folder)));
  TRY(const tensor::Weights inputs, tensor::Weights::open_file(files.disk(), files.path(in)));
  const auto threads = tensor::make_threads(2);
  TRY(const std::vector<model::NamedTensor> outputs, model::forward(model, inputs, *threads));
  TRY(const Bytes file, to_file(outputs));
  return files.write(out, as_text(file));
}

int run_forward(World& world, std::span<const std::string_view> arguments) {
  std::vector<std::string_view> places;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--dtype" && i + 1 < arguments.size() && arguments[i + 1] == "f32") {
      ++i;
    } else if (arguments[i].starts_with("--")) {
      world.complain("holdfast: forward computes in f32 and does not generate yet\n");
      return exit_misused;
    } else {
      places.push_back(arguments[i]);
    }
  }
  if (places.size() != 3) {
    world.complain("holdfast: forward takes MODEL_DIR IN.safetensors OUT.safetensors\n");
    return exit_misused;
  }
  const Status done = forward_files(places[0], places[1], places[2]);
  return done.ok() ? exit_done : report(world, done.error());
}

}  // namespace

std::vector<Command> forward_commands() {
  return {{"forward", "MODEL_DIR IN.safetensors OUT.safetensors [--dtype f32]",
           "Runs a model once on tensors from a file and writes its outputs to another.",
           "holdfast forward ./bert inputs.safetensors outputs.safetensors", run_forward}};
}

}  // namespace holdfast::cli
