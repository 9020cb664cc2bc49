#include <algorithm>

#include "model/any_model.h"
#include "model/backend.h"
#include "model/families/decoders.h"
#include "model/families/encoders.h"
#include "model/families/seq2seqs.h"
#include "model/families/signals.h"

namespace holdfast::model {
namespace {

GraphTensor to_graph_tensor(NamedTensor&& tensor) {
  if (tensor.whole) {
    const std::vector<int64_t> numbers(tensor.data.begin(), tensor.data.end());
    const auto bytes = std::as_bytes(std::span(numbers));
    return {std::move(tensor.name), tensor::Dtype::i64, std::move(tensor.shape),
            Bytes(bytes.begin(), bytes.end())};
  }
  const auto bytes = std::as_bytes(std::span(tensor.data));
  return {std::move(tensor.name), tensor::Dtype::f32, std::move(tensor.shape),
          Bytes(bytes.begin(), bytes.end())};
}

class OwnGraph final : public Graph {
 public:
  explicit OwnGraph(AnyModel model) : model_(std::move(model)) {}

  std::vector<std::string> inputs() const override {
    return {"input_ids", "attention_mask", "token_type_ids", "position_ids"};
  }
  std::vector<std::string> outputs() const override { return {}; }

  Result<std::vector<GraphTensor>> run(const tensor::Weights& inputs,
                                       tensor::Threads& threads) const override {
    TRY(std::vector<NamedTensor> outputs, model_.forward(inputs, threads));
    std::vector<GraphTensor> out;
    for (NamedTensor& output : outputs) out.push_back(to_graph_tensor(std::move(output)));
    return out;
  }

 private:
  AnyModel model_;
};

class OwnBackend final : public Backend {
 public:
  explicit OwnBackend(io::Path adapter) : adapter_(std::move(adapter)) {}

  std::string_view name() const override { return "holdfast"; }

  Offer offer() const override {
    Offer out{.device = "cpu",
              .version = {},
              .formats = {"safetensors", "gguf", "pytorch"},
              .dtypes = {"f32", "bf16", "int8"},
              .families = {},
              .missing = {}};
    const auto add = [&](const std::string& kind, const auto& families) {
      for (const auto& family : families) out.families[kind].emplace_back(family.model_type);
    };
    add("encoder", encoder_families());
    add("decoder", decoder_families());
    add("encoder-decoder", seq2seq_families());
    add("image or sound", signal_families());
    return out;
  }

  bool takes(io::Disk& disk, const io::Path& model) const override {
    return model.extension() == ".gguf" || tensor::Weights::are_in(disk, model);
  }

  Result<std::unique_ptr<Graph>> open(io::Disk& disk, const io::Path& model,
                                      tensor::Compute compute) const override {
    TRY(AnyModel opened, AnyModel::open(disk, model, compute, adapter_));
    return std::unique_ptr<Graph>(std::make_unique<OwnGraph>(std::move(opened)));
  }

 private:
  const io::Path adapter_;
};

}  // namespace

std::unique_ptr<Backend> make_own_backend(io::Path adapter) {
  return std::make_unique<OwnBackend>(std::move(adapter));
}

Result<std::unique_ptr<Graph>> open_graph(std::span<const std::unique_ptr<Backend>> backends, io::Disk& disk,
                                          const io::Path& model, tensor::Compute compute) {
  TRY_DONE(disk.stat(model));
  for (const auto& backend : backends)
    if (backend->takes(disk, model)) return backend->open(disk, model, compute);
  return fail(Reason::model_unsupported,
              "there is no model.safetensors or pytorch_model.bin here, no GGUF, ONNX or TensorFlow Lite "
              "file and no OpenVINO IR");
}

}  // namespace holdfast::model
