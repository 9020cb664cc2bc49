#include "codec/onnx_signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace holdfast::codec {
namespace {

constexpr size_t values_max = 1000, dimensions_max = 64, name_bytes_max = 4096;
constexpr size_t initializers_max = 1'000'000, files_max = 10'000;

// Numbers of fields in onnx.proto3.
constexpr uint64_t model_graph = 7, graph_initializer = 5, graph_input = 11, graph_output = 12;
constexpr uint64_t tensor_name = 8, tensor_external = 13, entry_key = 1, entry_value = 2;
constexpr uint64_t value_name = 1, value_type = 2, type_tensor = 1, tensor_element = 1, tensor_shape = 2;
constexpr uint64_t shape_dimension = 1, dimension_value = 1;

Error bad(std::string_view what) { return fail(Reason::bad_request, fmt::format("ONNX: {}", what)); }

// One field of a message: a number, or bytes that lie in the file.
struct Field {
  uint64_t number = 0, value = 0;
  ByteView bytes;
  bool is_bytes = false;
};

// The fields of a message, one after the other (protobuf's wire format).
class Fields {
 public:
  explicit Fields(ByteView message) : reader_(message) {}

  bool more() const { return reader_.left() > 0; }
  Result<Field> next() {
    TRY(const uint64_t tag, varint());
    Field field{.number = tag >> 3, .value = 0, .bytes = {}};
    switch (tag & 7) {
      case 0: {
        TRY(field.value, varint());
        break;
      }
      case 1:
      case 5:
        if (!reader_.skip((tag & 7) == 1 ? 8 : 4).ok()) return bad("it ends within a number");
        break;
      case 2: {
        TRY(const uint64_t length, varint());
        if (length > reader_.left()) return bad("a field goes past the end");
        TRY(field.bytes, reader_.take(length));
        field.is_bytes = true;
        break;
      }
      default:
        return bad("a field's type does not exist");
    }
    return field;
  }

 private:
  Result<uint64_t> varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = reader_.u8();
      if (!byte.ok()) return bad("it ends within a number");
      value |= uint64_t{byte.value() & 0x7fU} << shift;
      if (byte.value() < 0x80) return value;
    }
    return bad("a number is too long");
  }

  ByteReader reader_;
};

// Hands every field of a message to `take`.
template <class Take>
Status each_field(ByteView message, Take take) {
  for (Fields fields(message); fields.more();) {
    TRY(const Field field, fields.next());
    TRY_DONE(take(field));
  }
  return Done{};
}

Result<std::string> text_of(const Field& field) {
  if (!field.is_bytes || field.bytes.size() > name_bytes_max) return bad("a name is too long");
  return std::string(as_text(field.bytes));
}

Result<int64_t> dimension_of(ByteView message) {
  int64_t size = -1;  // A name, or nothing: any length.
  TRY_DONE(each_field(message, [&](const Field& field) -> Status {
    if (field.number == dimension_value && !field.is_bytes) size = static_cast<int64_t>(field.value);
    return Done{};
  }));
  return size < -1 ? Result<int64_t>(bad("a dimension is negative"))
                   : Result<int64_t>(std::max<int64_t>(size, -1));
}

Status read_type(ByteView message, OnnxValue& value, bool& is_tensor) {
  return each_field(message, [&](const Field& of_type) -> Status {
    if (of_type.number != type_tensor || !of_type.is_bytes) return Done{};
    is_tensor = true;
    return each_field(of_type.bytes, [&](const Field& of_tensor) -> Status {
      if (of_tensor.number == tensor_element) value.type = static_cast<int32_t>(of_tensor.value);
      if (of_tensor.number != tensor_shape || !of_tensor.is_bytes) return Done{};
      return each_field(of_tensor.bytes, [&](const Field& of_shape) -> Status {
        if (of_shape.number != shape_dimension || !of_shape.is_bytes) return Done{};
        if (value.shape.size() == dimensions_max) return bad("a tensor has too many dimensions");
        TRY(const int64_t size, dimension_of(of_shape.bytes));
        value.shape.push_back(size);
        return Done{};
      });
    });
  });
}

Result<OnnxValue> read_value(ByteView message) {
  OnnxValue out;
  bool is_tensor = false;
  TRY_DONE(each_field(message, [&](const Field& field) -> Status {
    if (field.number == value_name) {
      TRY(out.name, text_of(field));
    }
    if (field.number == value_type && field.is_bytes) return read_type(field.bytes, out, is_tensor);
    return Done{};
  }));
  if (out.name.empty() || !is_tensor) return bad("what goes in or comes out is no tensor with a name");
  return out;
}

// "location" among the facts of a tensor whose bytes lie in another file.
Status note_file(ByteView entry, std::set<std::string>& files) {
  std::string key, value;
  TRY_DONE(each_field(entry, [&](const Field& field) -> Status {
    if (field.number != entry_key && field.number != entry_value) return Done{};
    std::string& into = field.number == entry_key ? key : value;
    TRY(into, text_of(field));
    return Done{};
  }));
  if (key == "location" && files.size() < files_max) files.insert(value);
  return Done{};
}

Status read_graph(ByteView graph, OnnxSignature& out) {
  std::set<std::string> weights, files;
  const auto note_weight = [&](const Field& field) -> Status {
    if (weights.size() == initializers_max) return bad("it has too many tensors");
    return each_field(field.bytes, [&](const Field& of_tensor) -> Status {
      if (of_tensor.number == tensor_external && of_tensor.is_bytes) return note_file(of_tensor.bytes, files);
      if (of_tensor.number != tensor_name) return Done{};
      TRY(std::string name, text_of(of_tensor));
      weights.insert(std::move(name));
      return Done{};
    });
  };
  TRY_DONE(each_field(graph, [&](const Field& field) -> Status {
    if (!field.is_bytes) return Done{};
    if (field.number == graph_initializer) return note_weight(field);
    if (field.number != graph_input && field.number != graph_output) return Done{};
    auto& values = field.number == graph_input ? out.inputs : out.outputs;
    if (values.size() == values_max) return bad("it has too many inputs or outputs");
    TRY(OnnxValue value, read_value(field.bytes));
    values.push_back(std::move(value));
    return Done{};
  }));
  std::erase_if(out.inputs, [&](const OnnxValue& value) { return weights.contains(value.name); });
  out.files.assign(files.begin(), files.end());
  return Done{};
}

}  // namespace

Result<OnnxSignature> read_onnx_signature(ByteView file) {
  OnnxSignature out;
  bool found = false;
  TRY_DONE(each_field(file, [&](const Field& field) -> Status {
    if (field.number != model_graph || !field.is_bytes) return Done{};
    if (found) return bad("it has two graphs");
    found = true;
    return read_graph(field.bytes, out);
  }));
  if (!found) return bad("there is no graph in it");
  if (out.outputs.empty()) return bad("nothing comes out of its graph");
  return out;
}

}  // namespace holdfast::codec
