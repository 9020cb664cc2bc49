#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "codec/onnx_signature.h"
#include "io/disk.h"

namespace holdfast::cli {

// A model in the layout that Triton Inference Server reads (its user guide, "Model Repository" and "Model
// Configuration"):
//   REPOSITORY/NAME/config.pbtxt
//   REPOSITORY/NAME/labels.txt         where the classes have names
//   REPOSITORY/NAME/VERSION/model.onnx and the files beside it that hold its weights
struct TritonModel {
  std::string name;
  uint64_t version = 1;
  uint64_t batch_max = 32;
  std::vector<std::string> labels;  // In the order of the classes; may be empty.
};

// The text of config.pbtxt. Where the first dimension of every input and output goes by any name, it is the
// batch: Triton is told its bound and not the dimension, and puts requests together. Else batch_max is 0.
// bad_request for a type that Triton does not have.
Result<std::string> triton_config(const TritonModel& model, const codec::OnnxSignature& signature);

// Writes the version of `model` into `repository`, which may hold others and is made where it is missing.
// `graph` is the .onnx file. already_exists where the version is there, or a folder of that name which is no
// model; bad_request where the model is there with another configuration or other labels, or weights lie
// outside of the graph's folder. Returns what was written, below the repository; nothing is left of a
// failure.
Result<std::vector<std::string>> write_triton_model(io::Disk& disk, Random& random, const io::Path& graph,
                                                    const io::Path& repository, const TritonModel& model);

}  // namespace holdfast::cli
