#include "api/kserve_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <charconv>

#include "base/bytes.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

struct Datatype {
  std::string_view name;
  size_t bytes;  // Of an element; 0: each says its own length.
};
constexpr std::array<Datatype, 14> datatypes = {{{"BOOL", 1},
                                                 {"UINT8", 1},
                                                 {"UINT16", 2},
                                                 {"UINT32", 4},
                                                 {"UINT64", 8},
                                                 {"INT8", 1},
                                                 {"INT16", 2},
                                                 {"INT32", 4},
                                                 {"INT64", 8},
                                                 {"FP16", 2},
                                                 {"BF16", 2},
                                                 {"FP32", 4},
                                                 {"FP64", 8},
                                                 {"BYTES", 0}}};
constexpr size_t dimensions_max = 8, nesting_max = 8;

Error wrong(std::string_view tensor, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("input '{}' {}", tensor.substr(0, 100), what));
}

// How many elements a shape has.
Result<size_t> read_shape(const json::object& tensor, KserveInput& input) {
  TRY(const json::array* shape, codec::json_array(tensor, "shape"));
  if (shape->size() > dimensions_max) return wrong(input.name, "has too many dimensions");
  size_t elements = 1;
  for (const json::value& one : *shape) {
    if (!one.is_int64() || one.get_int64() < 0) return wrong(input.name, "has a shape that is no shape");
    const auto length = static_cast<uint64_t>(one.get_int64());
    if (length > kserve_elements_max || elements * length > kserve_elements_max)
      return wrong(input.name, fmt::format("has more than {} elements", kserve_elements_max));
    elements *= length;
    input.shape.push_back(length);
  }
  return elements;
}

// Texts of a flat or nested list, row by row.
Status flatten(const json::value& data, size_t depth, KserveInput& input) {
  if (input.texts.size() > kserve_elements_max || depth > nesting_max)
    return wrong(input.name, "has data that is no tensor");
  if (data.is_string()) {
    input.texts.emplace_back(data.get_string());
    return Done{};
  }
  if (!data.is_array()) return wrong(input.name, "has data that is not of its datatype");
  for (const json::value& one : data.get_array()) TRY_DONE(flatten(one, depth + 1, input));
  return Done{};
}

Status read_binary(ByteView bytes, size_t elements, KserveInput& input) {
  ByteReader in(bytes);
  for (size_t i = 0; i < elements; ++i) {
    const auto length = in.u32();
    const auto text = length.ok() ? in.take(length.value()) : Result<ByteView>(length.error());
    if (!text.ok()) return wrong(input.name, "has fewer bytes than its shape");
    input.texts.emplace_back(as_text(text.value()));
  }
  if (in.left() > 0) return wrong(input.name, "has more bytes than its shape");
  return Done{};
}

Result<KserveInput> read_input(const json::object& tensor, ByteReader& binary) {
  KserveInput input;
  TRY(const std::string_view name, codec::json_text(tensor, "name"));
  input.name = name;
  TRY(const std::string_view datatype, codec::json_text(tensor, "datatype"));
  input.datatype = datatype;
  const auto known = std::find_if(datatypes.begin(), datatypes.end(),
                                  [&](const Datatype& one) { return one.name == datatype; });
  if (known == datatypes.end()) return wrong(name, "has a datatype that is not known");
  TRY(const size_t elements, read_shape(tensor, input));
  TRY(const json::object* parameters, codec::json_object_if(tensor, "parameters"));
  std::optional<int64_t> size;
  if (parameters != nullptr) {
    if (parameters->contains("shared_memory_region"))
      return fail(Reason::not_offered, "shared memory is not offered here");
    TRY(size, codec::json_integer_if(*parameters, "binary_data_size"));
  }
  const json::value* data = tensor.if_contains("data");
  if (size) {
    if (data != nullptr) return wrong(name, "has data as JSON and as bytes");
    if (*size < 0 || static_cast<size_t>(*size) > binary.left())
      return wrong(name, "has more bytes than there are behind the JSON");
    TRY(const ByteView bytes, binary.take(static_cast<size_t>(*size)));
    if (known->bytes == 0) {
      TRY_DONE(read_binary(bytes, elements, input));
    } else if (bytes.size() != elements * known->bytes) {
      return wrong(name, "has not as many bytes as its shape");
    }
    return input;
  }
  if (data == nullptr) return wrong(name, "has no data");
  if (known->bytes > 0) return input;
  TRY_DONE(flatten(*data, 0, input));
  if (input.texts.size() != elements) return wrong(name, "has not as many elements as its shape");
  return input;
}

Status read_outputs(const json::object& body, KserveCall& call) {
  TRY(const json::array* outputs, codec::json_array_if(body, "outputs"));
  if (outputs == nullptr) return Done{};
  if (outputs->size() > kserve_tensors_max) return fail(Reason::bad_request, "there are too many outputs");
  for (const json::value& one : *outputs) {
    if (!one.is_object()) return fail(Reason::bad_request, "an output is an object");
    KserveWish wish{.name = {}, .binary = call.binary_outputs};
    TRY(wish.name, codec::json_text(one.get_object(), "name"));
    TRY(const json::object* parameters, codec::json_object_if(one.get_object(), "parameters"));
    if (parameters != nullptr) {
      if (parameters->contains("shared_memory_region"))
        return fail(Reason::not_offered, "'shared_memory_region' of an output is not offered here");
      TRY(const auto classes, codec::json_integer_if(*parameters, "classification"));
      if (classes && (*classes < 1 || *classes > kserve_classes_max))
        return fail(Reason::bad_request, fmt::format("'classification' is from 1 to {}", kserve_classes_max));
      wish.classes = classes.value_or(0);
      TRY(const auto binary, codec::json_flag_if(*parameters, "binary_data"));
      wish.binary = binary.value_or(wish.binary);
    }
    call.outputs.push_back(std::move(wish));
  }
  return Done{};
}

Result<size_t> read_length(std::string_view text, size_t most) {
  size_t length = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
  if (error != std::errc{} || end != text.data() + text.size() || length > most)
    return fail(Reason::bad_request, fmt::format("{} is no length within the body", kserve_length_header));
  return length;
}

}  // namespace

Result<KserveCall> read_kserve_call(std::string_view body, std::optional<std::string_view> json_length) {
  size_t length = body.size();
  if (json_length) {
    TRY(length, read_length(*json_length, body.size()));
  }
  TRY(const json::object object, codec::parse_json_object(body.substr(0, length)));
  KserveCall call;
  TRY(const auto id, codec::json_text_if(object, "id"));
  call.id = id.value_or("");
  TRY(const json::object* parameters, codec::json_object_if(object, "parameters"));
  if (parameters != nullptr) {
    call.parameters = *parameters;
    TRY(const auto binary, codec::json_flag_if(*parameters, "binary_data_output"));
    call.binary_outputs = binary.value_or(false);
  }
  TRY(const json::array* inputs, codec::json_array(object, "inputs"));
  if (inputs->empty() || inputs->size() > kserve_tensors_max)
    return fail(Reason::bad_request, fmt::format("there are 1 to {} inputs", kserve_tensors_max));
  ByteReader binary(as_bytes(body.substr(length)));
  for (const json::value& one : *inputs) {
    if (!one.is_object()) return fail(Reason::bad_request, "an input is an object");
    TRY(KserveInput input, read_input(one.get_object(), binary));
    call.inputs.push_back(std::move(input));
  }
  if (binary.left() > 0) return fail(Reason::bad_request, "there are bytes that belong to no input");
  TRY_DONE(read_outputs(object, call));
  return call;
}

namespace {

// The tensor as JSON; its bytes, where they are wished for, at the end of `binary`.
json::object write_output(const KserveOutput& output, bool as_bytes_wished, ByteWriter& binary) {
  const auto* texts = std::get_if<std::vector<std::string>>(&output.data);
  json::object out{{"name", output.name}, {"datatype", texts != nullptr ? "BYTES" : "FP32"}};
  json::array shape;
  for (const uint64_t length : output.shape) shape.push_back(length);
  out["shape"] = std::move(shape);
  if (!as_bytes_wished) {
    json::array data;
    if (texts != nullptr)
      for (const std::string& text : *texts) data.emplace_back(text);
    else
      for (const float number : std::get<std::vector<float>>(output.data)) data.emplace_back(number);
    out["data"] = std::move(data);
    return out;
  }
  const size_t before = binary.size();
  if (texts != nullptr) {
    for (const std::string& text : *texts) {
      binary.u32(static_cast<uint32_t>(text.size()));
      binary.text(text);
    }
  } else {
    binary.bytes(std::as_bytes(std::span(std::get<std::vector<float>>(output.data))));
  }
  out["parameters"] = json::object{{"binary_data_size", binary.size() - before}};
  return out;
}

}  // namespace

Result<KserveAnswer> write_kserve_answer(const KserveCall& call, std::string_view model,
                                         std::string_view version, const std::vector<KserveOutput>& outputs) {
  std::vector<KserveWish> wishes = call.outputs;
  if (wishes.empty())
    for (const KserveOutput& output : outputs)
      wishes.push_back({.name = output.name, .binary = call.binary_outputs});
  json::array written;
  ByteWriter binary;
  for (const KserveWish& wish : wishes) {
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const KserveOutput& output) { return output.name == wish.name; });
    if (found == outputs.end())
      return fail(Reason::bad_request,
                  fmt::format("the model has no output '{}'", std::string_view(wish.name).substr(0, 100)));
    written.push_back(write_output(*found, wish.binary, binary));
  }
  json::object head{{"model_name", model}, {"model_version", version}};
  if (!call.id.empty()) head["id"] = call.id;
  head["outputs"] = std::move(written);
  KserveAnswer answer{.body = codec::to_text(head), .json_length = {}};
  if (binary.size() == 0) return answer;
  answer.json_length = answer.body.size();
  const Bytes bytes = std::move(binary).take();
  answer.body += as_text(bytes);
  return answer;
}

}  // namespace holdfast::api
