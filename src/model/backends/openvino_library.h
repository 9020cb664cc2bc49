#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "io/shared_library.h"

namespace holdfast::model::openvino {

// The functions of OpenVINO's C interface that we call, in our own words after its reference
// (docs.openvino.ai, "OpenVINO Runtime C API"); no header of theirs is needed to build. Every status but 0
// is a failure.
struct Core;
struct Model;
struct Compiled;
struct Request;
struct Tensor;
struct Port;
struct Shape {  // Passed by value.
  int64_t rank = 0;
  int64_t* sizes = nullptr;
};
struct Version {
  const char* build = nullptr;  // "2026.4.1-22982-...".
  const char* words = nullptr;
};
using Status = int;

struct Functions {
  Status (*ov_get_openvino_version)(Version*);
  void (*ov_version_free)(Version*);
  const char* (*ov_get_last_err_msg)();
  void (*ov_free)(const char*);
  Status (*ov_core_create)(Core**);
  Status (*ov_core_read_model)(const Core*, const char* file, const char* weights_file, Model**);
  // `words` counts the strings that follow: keys and values in turn.
  Status (*ov_core_compile_model)(const Core*, const Model*, const char* device, size_t words, Compiled**,
                                  ...);
  void (*ov_model_free)(Model*);
  Status (*ov_compiled_model_inputs_size)(const Compiled*, size_t*);
  Status (*ov_compiled_model_outputs_size)(const Compiled*, size_t*);
  Status (*ov_compiled_model_input_by_index)(const Compiled*, size_t, Port**);
  Status (*ov_compiled_model_output_by_index)(const Compiled*, size_t, Port**);
  Status (*ov_compiled_model_create_infer_request)(const Compiled*, Request**);
  void (*ov_compiled_model_free)(Compiled*);
  Status (*ov_port_get_any_name)(const Port*, char**);
  Status (*ov_port_get_element_type)(const Port*, int*);
  void (*ov_output_const_port_free)(Port*);
  Status (*ov_tensor_create_from_host_ptr)(int type, Shape, void*, Tensor**);
  Status (*ov_tensor_get_shape)(const Tensor*, Shape*);
  Status (*ov_tensor_get_element_type)(const Tensor*, int*);
  Status (*ov_tensor_get_byte_size)(const Tensor*, size_t*);
  Status (*ov_tensor_data)(const Tensor*, void**);
  void (*ov_tensor_free)(Tensor*);
  void (*ov_shape_free)(Shape*);
  Status (*ov_infer_request_set_input_tensor_by_index)(Request*, size_t, const Tensor*);
  Status (*ov_infer_request_get_output_tensor_by_index)(const Request*, size_t, Tensor**);
  Status (*ov_infer_request_infer)(Request*);
  void (*ov_infer_request_free)(Request*);
};

// The loaded library with its one core. Immutable but for the core, which guards itself.
struct Library {
  io::SharedLibrary file;
  Functions call{};
  Core* core = nullptr;  // Never freed: the library stays loaded.
  std::string version{};

  // What a failed call of this thread said, in one line.
  std::string last_message() const;
};

// not_offered, with what to install, where there is none; model_unsupported where one lacks a function.
Result<std::shared_ptr<const Library>> load_library(const io::Path& place);

}  // namespace holdfast::model::openvino
