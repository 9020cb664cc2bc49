// ONNX, TensorFlow Lite and IR graphs on OpenVINO's processor plug-in.
#include <fmt/format.h>

#include <mutex>

#include "model/backend.h"
#include "model/backends/openvino_graph.h"
#include "model/memory_check.h"

namespace holdfast::model {
namespace {

using openvino::Library;

bool is_graph_file(const io::Path& path) {
  const io::Path kind = path.extension();
  return kind == ".onnx" || kind == ".tflite" || kind == ".xml";
}

// The graph of a model folder, or the file itself; empty where there is none.
io::Path graph_file(io::Disk& disk, const io::Path& model) {
  constexpr std::string_view names[] = {"openvino_model.xml", "openvino/openvino_model.xml",
                                        "model.xml",          "model.onnx",
                                        "onnx/model.onnx",    "model.tflite"};
  const auto entry = disk.stat(model);
  if (!entry.ok()) return {};
  if (!entry.value().is_directory) return is_graph_file(model) ? model : io::Path();
  for (const std::string_view name : names)
    if (disk.stat(model / name).ok()) return model / name;
  return {};
}

// Weights beside the graph that the runtime reads too: model.onnx_data, model.onnx.data, openvino_model.bin.
uint64_t bytes_of_model(io::Disk& disk, const io::Path& file) {
  uint64_t bytes = 0;
  io::Path weights = file;
  for (const io::Path& one : {file, io::Path(file.string() + "_data"), io::Path(file.string() + ".data"),
                              weights.replace_extension(".bin")})
    if (const auto entry = disk.stat(one); entry.ok()) bytes += entry.value().size;
  return bytes;
}

class OpenvinoBackend final : public Backend {
 public:
  OpenvinoBackend(io::Path place, size_t threads) : place_(std::move(place)), threads_(threads) {}

  std::string_view name() const override { return "openvino"; }

  Offer offer() const override {
    Offer out{.device = "cpu",
              .version = {},
              .formats = {"onnx", "tflite", "ir"},
              .dtypes = {"f32", "bf16"},
              .families = {},
              .missing = {}};
    const auto library = this->library();
    if (library.ok())
      out.version = library.value()->version;
    else
      out.missing = library.error().message;
    return out;
  }

  bool takes(io::Disk& disk, const io::Path& model) const override {
    return !graph_file(disk, model).empty();
  }

  Result<std::unique_ptr<Graph>> open(io::Disk& disk, const io::Path& model,
                                      tensor::Compute compute) const override {
    const io::Path file = graph_file(disk, model);
    if (file.empty()) return fail(Code::not_found, "there is no graph file");
    TRY(const char* const precision, precision_word(compute.precision));
    TRY_DONE(check_memory(2 * bytes_of_model(disk, file)));  // As read, and as its kernels want them.
    TRY(const std::shared_ptr<const Library> library, this->library());
    openvino::Model* raw_model = nullptr;
    if (library->call.ov_core_read_model(library->core, disk.absolute(file).c_str(), nullptr, &raw_model) !=
        0)
      return unsupported(*library, disk, file);
    const openvino::Owned<openvino::Model> read(raw_model, library->call.ov_model_free);
    openvino::Compiled* raw = nullptr;
    const std::string count = std::to_string(threads_);
    if (library->call.ov_core_compile_model(
            library->core, raw_model, "CPU", 8, &raw, "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS",
            count.c_str(), "INFERENCE_PRECISION_HINT", precision, "ENABLE_CPU_PINNING", "NO") != 0)
      return unsupported(*library, disk, file);
    return openvino::make_graph(library, {raw, library->call.ov_compiled_model_free});
  }

 private:
  static Result<const char*> precision_word(tensor::Precision precision) {
    switch (precision) {
      case tensor::Precision::f32:
        return "f32";
      case tensor::Precision::bf16:
        return "bf16";
      case tensor::Precision::int8:
        return fail(Reason::model_unsupported, "a graph is int8 only if its file is: give f32 or bf16");
    }
    return "f32";
  }

  // Its messages may name the file by its whole path.
  static Error unsupported(const Library& library, io::Disk& disk, const io::Path& file) {
    std::string why = library.last_message();
    const std::string folder = disk.absolute(file).parent_path().string() + "/";
    for (size_t at = why.find(folder); at != std::string::npos; at = why.find(folder))
      why.erase(at, folder.size());
    return fail(Reason::model_unsupported,
                fmt::format("OpenVINO does not load {}: {}", file.filename().string(), why));
  }

  Result<std::shared_ptr<const Library>> library() const {
    const std::lock_guard lock(mutex_);
    if (library_ == nullptr) {
      TRY(library_, openvino::load_library(place_));
    }
    return library_;
  }

  io::Path place_;
  size_t threads_;
  mutable std::mutex mutex_;  // Of the field below.
  mutable std::shared_ptr<const Library> library_;
};

}  // namespace

std::unique_ptr<Backend> make_openvino_backend(io::Path place, size_t threads) {
  return std::make_unique<OpenvinoBackend>(std::move(place), threads);
}

}  // namespace holdfast::model
