#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/disk.h"
#include "tensor/precision.h"
#include "tensor/threads.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A whole tensor of any type under its name; bytes are exactly what dtype and shape need.
struct GraphTensor {
  std::string name;
  tensor::Dtype dtype = tensor::Dtype::f32;
  std::vector<uint64_t> shape{};
  Bytes bytes{};
};

// A loaded model as a function from named tensors to named tensors. Safe from any thread.
class Graph {
 public:
  virtual ~Graph() = default;
  // Names of what may be given and of what comes back; empty where the model does not say beforehand.
  virtual std::vector<std::string> inputs() const = 0;
  virtual std::vector<std::string> outputs() const = 0;
  // bad_request where a tensor is missing, or shapes and types do not fit.
  virtual Result<std::vector<GraphTensor>> run(const tensor::Weights& inputs,
                                               tensor::Threads& threads) const = 0;
};

// What a runtime offers here.
struct Offer {
  std::string device;   // "cpu"
  std::string version;  // Of its library; empty: this program's own.
  std::vector<std::string> formats, dtypes;
  std::map<std::string, std::vector<std::string>> families;  // model_type by kind; empty: any graph.
  std::string missing;  // Why it does not run here, with the remedy; empty: it does.
};

// A runtime that models run on. Each knows by a file's or folder's look which ones are its own. What runs
// elsewhere, on a GPU say, is one more of these: it reads the same EncoderPlan or DecoderPlan that
// families/ make and the same Weights, so no family knows of it. Safe from any thread.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  virtual Offer offer() const = 0;
  virtual bool takes(io::Disk& disk, const io::Path& model) const = 0;
  virtual Result<std::unique_ptr<Graph>> open(io::Disk& disk, const io::Path& model,
                                              tensor::Compute compute) const = 0;
};

// Ours: every family of safetensors folders and GGUF files, on this machine's processor. `adapter`: as
// AnyModel::open takes it.
std::unique_ptr<Backend> make_own_backend(io::Path adapter = {});

// OpenVINO, where there is one: ONNX, TensorFlow Lite and OpenVINO's own IR, as a file, as model.onnx,
// openvino_model.xml or model.tflite of a folder, or in its onnx/ or openvino/. The library is loaded with
// the first model, with `threads` threads of its own each. `place` is an absolute path: the library, the
// folder of the Python package `openvino`, or the virtual environment that it is installed in; empty: where
// the dynamic loader finds it. Answers are those of its kernels: not batch-invariant, and the same on this
// version of it only.
std::unique_ptr<Backend> make_openvino_backend(io::Path place, size_t threads);

// The first backend that takes it. model_unsupported where none does.
Result<std::unique_ptr<Graph>> open_graph(std::span<const std::unique_ptr<Backend>> backends, io::Disk& disk,
                                          const io::Path& model, tensor::Compute compute);

}  // namespace holdfast::model
