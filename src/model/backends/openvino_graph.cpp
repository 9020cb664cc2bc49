#include "model/backends/openvino_graph.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <optional>

namespace holdfast::model::openvino {
namespace {

using tensor::Dtype;

constexpr size_t ports_max = 4096;
constexpr size_t rank_max = 16;

// Numbers of element types in its C interface, of version 2024.2 and later.
struct TypeRow {
  int number;
  Dtype dtype;
};
constexpr TypeRow types[] = {{1, Dtype::boolean}, {2, Dtype::bf16}, {3, Dtype::f16},  {4, Dtype::f32},
                             {5, Dtype::f64},     {7, Dtype::i8},   {8, Dtype::i16},  {9, Dtype::i32},
                             {10, Dtype::i64},    {16, Dtype::u8},  {17, Dtype::u16}, {18, Dtype::u32},
                             {19, Dtype::u64}};

std::optional<Dtype> dtype_of(int number) {
  for (const TypeRow& row : types)
    if (row.number == number) return row.dtype;
  return std::nullopt;
}

int number_of(Dtype dtype) {
  for (const TypeRow& row : types)
    if (row.dtype == dtype) return row.number;
  return 0;
}

struct Place {
  std::string name;
  Dtype dtype = Dtype::f32;
};

using CountPorts = Status (*)(const Compiled*, size_t*);
using TakePort = Status (*)(const Compiled*, size_t, Port**);

Result<std::vector<Place>> read_ports(const Library& library, const Compiled* compiled,
                                      CountPorts count_ports, TakePort take) {
  const Error broken = fail(Reason::model_unsupported, "OpenVINO does not say what the model takes");
  size_t count = 0;
  if (count_ports(compiled, &count) != 0 || count > ports_max) return broken;
  std::vector<Place> out;
  for (size_t i = 0; i < count; ++i) {
    Port* raw = nullptr;
    if (take(compiled, i, &raw) != 0) return broken;
    const Owned<Port> port(raw, library.call.ov_output_const_port_free);
    Place one;
    char* name = nullptr;
    if (library.call.ov_port_get_any_name(raw, &name) == 0 && name != nullptr) {
      one.name = name;
      library.call.ov_free(name);
    }
    if (one.name.empty()) one.name = std::to_string(i);
    int type = 0;
    if (library.call.ov_port_get_element_type(raw, &type) != 0) return broken;
    const auto dtype = dtype_of(type);
    if (!dtype)
      return fail(Reason::model_unsupported, fmt::format("'{}' has a type that is no number", one.name));
    one.dtype = *dtype;
    out.push_back(std::move(one));
  }
  return out;
}

template <typename To, typename From>
Bytes converted(const std::vector<From>& values) {
  Bytes out(values.size() * sizeof(To));
  for (size_t i = 0; i < values.size(); ++i) {
    const To one = static_cast<To>(values[i]);
    std::memcpy(out.data() + i * sizeof(To), &one, sizeof(To));
  }
  return out;
}

// The view's numbers as the graph wants them: the same type as it is, floats as f32, whole numbers as i64 or
// i32.
Result<Bytes> bytes_as(const tensor::TensorView& view, const Place& port) {
  if (view.dtype == port.dtype) return Bytes(view.bytes.begin(), view.bytes.end());
  const Error other =
      fail(Reason::bad_request, fmt::format("'{}' is {}, the model takes {}", port.name,
                                            codec::dtype_name(view.dtype), codec::dtype_name(port.dtype)));
  if (port.dtype == Dtype::f32) {
    const auto numbers = tensor::to_floats(view);
    return numbers.ok() ? Result<Bytes>(converted<float>(numbers.value())) : other;
  }
  if (port.dtype != Dtype::i64 && port.dtype != Dtype::i32) return other;
  const auto numbers = tensor::to_integers(view);
  if (!numbers.ok()) return other;
  if (port.dtype == Dtype::i64) return converted<int64_t>(numbers.value());
  for (const int64_t number : numbers.value())
    if (number < INT32_MIN || number > INT32_MAX)
      return fail(Reason::bad_request, fmt::format("'{}' holds a number beyond 32 bits", port.name));
  return converted<int32_t>(numbers.value());
}

// One input as the library takes it; its bytes stay here while it runs.
struct Input {
  Bytes bytes;
  std::vector<int64_t> sizes;
  Owned<Tensor> tensor;
};

class OpenvinoGraph final : public Graph {
 public:
  OpenvinoGraph(std::shared_ptr<const Library> library, Owned<Compiled> compiled, Owned<Request> request,
                std::vector<Place> inputs, std::vector<Place> outputs)
      : library_(std::move(library)),
        compiled_(std::move(compiled)),
        request_(std::move(request)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}

  std::vector<std::string> inputs() const override { return names(inputs_); }
  std::vector<std::string> outputs() const override { return names(outputs_); }

  Result<std::vector<GraphTensor>> run(const tensor::Weights& given, tensor::Threads&) const override {
    TRY_DONE(check_names(given));
    std::vector<Input> held;
    for (const Place& port : inputs_) {
      TRY(Input input, make_input(given, port));
      held.push_back(std::move(input));
    }
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < held.size(); ++i)
      if (library_->call.ov_infer_request_set_input_tensor_by_index(request_.get(), i,
                                                                    held[i].tensor.get()) != 0)
        return fail(Reason::bad_request, fmt::format("'{}' does not fit the model: {}", inputs_[i].name,
                                                     library_->last_message()));
    if (library_->call.ov_infer_request_infer(request_.get()) != 0)
      return fail(Reason::bad_request, "the model does not run on this: " + library_->last_message());
    std::vector<GraphTensor> out;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      TRY(GraphTensor one, take_output(i));
      out.push_back(std::move(one));
    }
    return out;
  }

 private:
  static std::vector<std::string> names(const std::vector<Place>& ports) {
    std::vector<std::string> out;
    for (const Place& port : ports) out.push_back(port.name);
    return out;
  }

  // A tensor that the graph has no place for would be left out silently; only kinds of segments may be, as
  // exporters drop them.
  holdfast::Status check_names(const tensor::Weights& given) const {
    for (const std::string& name : given.names()) {
      const bool known =
          std::any_of(inputs_.begin(), inputs_.end(), [&](const Place& port) { return port.name == name; });
      if (!known && name != "token_type_ids")
        return fail(Reason::bad_request, fmt::format("the model takes no '{}'; it takes {}", name,
                                                     fmt::join(names(inputs_), ", ")));
    }
    return Done{};
  }

  // As transformers has it: a mask that is not given shows everything, kinds of segments are 0.
  Result<Input> stand_in(const tensor::Weights& given, const Place& port) const {
    const tensor::TensorView* ids = given.find("input_ids");
    const bool mask = port.name == "attention_mask";
    if (ids == nullptr || (!mask && port.name != "token_type_ids") ||
        (port.dtype != Dtype::i64 && port.dtype != Dtype::i32))
      return fail(Reason::bad_request, fmt::format("'{}' is missing; the model takes {}", port.name,
                                                   fmt::join(names(inputs_), ", ")));
    const std::vector<int64_t> numbers(ids->elements(), mask ? 1 : 0);
    return to_input(port.dtype == Dtype::i64 ? converted<int64_t>(numbers) : converted<int32_t>(numbers),
                    ids->shape, port);
  }

  Result<Input> make_input(const tensor::Weights& given, const Place& port) const {
    const tensor::TensorView* view = given.find(port.name);
    if (view == nullptr) return stand_in(given, port);
    TRY(Bytes bytes, bytes_as(*view, port));
    return to_input(std::move(bytes), view->shape, port);
  }

  Result<Input> to_input(Bytes bytes, const std::vector<uint64_t>& shape, const Place& port) const {
    Input out{std::move(bytes), {shape.begin(), shape.end()}, {nullptr, library_->call.ov_tensor_free}};
    if (out.bytes.empty()) return fail(Reason::bad_request, fmt::format("'{}' is empty", port.name));
    const Shape sizes{static_cast<int64_t>(out.sizes.size()), out.sizes.data()};
    Tensor* raw = nullptr;
    if (library_->call.ov_tensor_create_from_host_ptr(number_of(port.dtype), sizes, out.bytes.data(), &raw) !=
        0)
      return fail(Reason::bad_request,
                  fmt::format("'{}' has a shape that cannot be: {}", port.name, library_->last_message()));
    out.tensor.reset(raw);
    return out;
  }

  Result<GraphTensor> take_output(size_t index) const {
    const Error broken =
        fail(Reason::dependency_failed, fmt::format("OpenVINO does not give '{}'", outputs_[index].name));
    Tensor* raw = nullptr;
    if (library_->call.ov_infer_request_get_output_tensor_by_index(request_.get(), index, &raw) != 0)
      return broken;
    const Owned<Tensor> tensor(raw, library_->call.ov_tensor_free);
    int type = 0;
    size_t bytes = 0;
    void* data = nullptr;
    Shape shape;
    if (library_->call.ov_tensor_get_element_type(raw, &type) != 0 ||
        library_->call.ov_tensor_get_byte_size(raw, &bytes) != 0 ||
        library_->call.ov_tensor_get_shape(raw, &shape) != 0)
      return broken;
    GraphTensor out{.name = outputs_[index].name};
    uint64_t elements = 1;
    bool fits = shape.rank >= 0 && static_cast<size_t>(shape.rank) <= rank_max;
    for (int64_t i = 0; fits && i < shape.rank; ++i) {
      out.shape.push_back(static_cast<uint64_t>(shape.sizes[i]));
      fits = shape.sizes[i] >= 0 && !__builtin_mul_overflow(elements, out.shape.back(), &elements);
    }
    library_->call.ov_shape_free(&shape);
    const auto dtype = dtype_of(type);
    if (!fits || !dtype || elements > bytes || elements * codec::dtype_bits(*dtype) / 8 != bytes)
      return broken;
    out.dtype = *dtype;
    if (bytes > 0) {
      if (library_->call.ov_tensor_data(raw, &data) != 0 || data == nullptr) return broken;
      const auto* first = static_cast<const std::byte*>(data);
      out.bytes.assign(first, first + bytes);
    }
    return out;
  }

  std::shared_ptr<const Library> library_;
  Owned<Compiled> compiled_;
  mutable std::mutex mutex_;  // Of the request.
  Owned<Request> request_;
  std::vector<Place> inputs_, outputs_;
};

}  // namespace

Result<std::unique_ptr<Graph>> make_graph(std::shared_ptr<const Library> library, Owned<Compiled> compiled) {
  Request* raw = nullptr;
  if (library->call.ov_compiled_model_create_infer_request(compiled.get(), &raw) != 0)
    return fail(Reason::model_unsupported, "OpenVINO does not run the model: " + library->last_message());
  Owned<Request> request(raw, library->call.ov_infer_request_free);
  TRY(std::vector<Place> inputs,
      read_ports(*library, compiled.get(), library->call.ov_compiled_model_inputs_size,
                 library->call.ov_compiled_model_input_by_index));
  TRY(std::vector<Place> outputs,
      read_ports(*library, compiled.get(), library->call.ov_compiled_model_outputs_size,
                 library->call.ov_compiled_model_output_by_index));
  return std::unique_ptr<Graph>(std::make_unique<OpenvinoGraph>(
      std::move(library), std::move(compiled), std::move(request), std::move(inputs), std::move(outputs)));
}

}  // namespace holdfast::model::openvino
