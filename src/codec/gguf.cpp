#include "codec/gguf.h"

#include <fmt/format.h>

#include <bit>

namespace holdfast::codec {
namespace {

constexpr int array_depth_max = 4;
constexpr size_t name_bytes_max = 64 << 10;

Error refuse(std::string message) { return fail(Reason::bad_request, "GGUF: " + std::move(message)); }

// Names come from the file: cut so that an error message stays readable.
std::string_view shown(std::string_view name) { return name.substr(0, 120); }

// Bytes of one value; 0 for texts and arrays. Nothing where the number is no type.
std::optional<size_t> width_of(uint32_t type) {
  if (type > static_cast<uint32_t>(GgufValueType::f64)) return std::nullopt;
  switch (static_cast<GgufValueType>(type)) {
    case GgufValueType::u8:
    case GgufValueType::i8:
    case GgufValueType::boolean:
      return 1;
    case GgufValueType::u16:
    case GgufValueType::i16:
      return 2;
    case GgufValueType::u32:
    case GgufValueType::i32:
    case GgufValueType::f32:
      return 4;
    case GgufValueType::u64:
    case GgufValueType::i64:
    case GgufValueType::f64:
      return 8;
    case GgufValueType::text:
    case GgufValueType::array:
      return 0;
  }
  return std::nullopt;
}

template <class T>
T raw(ByteView bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// `bytes` has the width of `type`, which is neither text nor array.
GgufValue scalar(GgufValueType type, ByteView bytes) {
  switch (type) {
    case GgufValueType::u8:
      return uint64_t{raw<uint8_t>(bytes)};
    case GgufValueType::i8:
      return int64_t{raw<int8_t>(bytes)};
    case GgufValueType::u16:
      return uint64_t{raw<uint16_t>(bytes)};
    case GgufValueType::i16:
      return int64_t{raw<int16_t>(bytes)};
    case GgufValueType::u32:
      return uint64_t{raw<uint32_t>(bytes)};
    case GgufValueType::i32:
      return int64_t{raw<int32_t>(bytes)};
    case GgufValueType::f32:
      return double{raw<float>(bytes)};
    case GgufValueType::boolean:
      return raw<uint8_t>(bytes) != 0;
    case GgufValueType::u64:
      return raw<uint64_t>(bytes);
    case GgufValueType::i64:
      return raw<int64_t>(bytes);
    case GgufValueType::f64:
      return raw<double>(bytes);
    case GgufValueType::text:
    case GgufValueType::array:
      break;
  }
  return uint64_t{0};
}

Result<std::string_view> read_text(ByteReader& in) {
  TRY(const uint64_t bytes, in.u64());
  if (bytes > in.left()) return refuse("a text is longer than the file");
  TRY(const ByteView text, in.take(bytes));
  return as_text(text);
}

Result<GgufArray> read_array(ByteReader& in, int depth) {
  if (depth == array_depth_max) return refuse("arrays within arrays go too deep");
  GgufArray out;
  TRY(const uint32_t type, in.u32());
  TRY(out.count, in.u64());
  const std::optional<size_t> width = width_of(type);
  if (!width) return refuse(fmt::format("an array has the unknown type {}", type));
  out.type = static_cast<GgufValueType>(type);
  // The shortest text has 8 bytes, the shortest array 12.
  const size_t least = out.type == GgufValueType::text ? 8 : out.type == GgufValueType::array ? 12 : *width;
  if (out.count > in.left() / least) return refuse("an array is longer than the file");
  if (out.type == GgufValueType::text) {
    out.texts.reserve(out.count);
    for (uint64_t i = 0; i < out.count; ++i) {
      TRY(const std::string_view text, read_text(in));
      out.texts.push_back(text);
    }
  } else if (out.type == GgufValueType::array) {
    for (uint64_t i = 0; i < out.count; ++i)
      TRY_DONE([&]() -> Status {
        TRY([[maybe_unused]] const GgufArray inner, read_array(in, depth + 1));
        return Done{};
      }());
  } else {
    TRY(out.numbers, in.take(out.count * *width));
  }
  return out;
}

Status read_value(ByteReader& in, GgufValue& out) {
  TRY(const uint32_t type, in.u32());
  const std::optional<size_t> width = width_of(type);
  if (!width) return refuse(fmt::format("a value has the unknown type {}", type));
  if (type == static_cast<uint32_t>(GgufValueType::text)) {
    TRY(const std::string_view text, read_text(in));
    out = text;
  } else if (type == static_cast<uint32_t>(GgufValueType::array)) {
    TRY(out, read_array(in, 0));
  } else {
    TRY(const ByteView bytes, in.take(*width));
    out = scalar(static_cast<GgufValueType>(type), bytes);
  }
  return Done{};
}

// A row of the tensor table; `begin` counts from the first data byte.
struct TableRow {
  GgufTensor tensor;
  uint64_t begin = 0, size = 0;
};

Result<TableRow> read_table_row(ByteReader& in) {
  TableRow out;
  GgufTensor& tensor = out.tensor;
  TRY(tensor.name, read_text(in));
  if (tensor.name.size() > name_bytes_max) return refuse("a tensor's name is too long");
  TRY(const uint32_t rank, in.u32());
  if (rank > gguf_rank_max)
    return refuse(fmt::format("tensor '{}' has {} dimensions", shown(tensor.name), rank));
  for (uint32_t i = 0; i < rank; ++i) {
    TRY(const uint64_t dimension, in.u64());
    if (__builtin_mul_overflow(tensor.elements, dimension, &tensor.elements) ||
        tensor.elements > UINT64_MAX / 512)
      return refuse(fmt::format("tensor '{}' is too large", shown(tensor.name)));
    tensor.dimensions.push_back(dimension);
  }
  TRY(const uint32_t type, in.u32());
  TRY(out.begin, in.u64());
  const GgmlTypeRow* row = find_ggml_type(type);
  if (row == nullptr)
    return refuse(fmt::format("tensor '{}' has the unknown type {}", shown(tensor.name), type));
  tensor.type = row->type;
  const uint64_t row_elements = tensor.dimensions.empty() ? 1 : tensor.dimensions[0];
  if (row_elements % row->block_elements != 0)
    return refuse(fmt::format("a row of tensor '{}' is not a whole number of {} blocks", shown(tensor.name),
                              row->name));
  out.size = tensor.elements / row->block_elements * row->block_bytes;
  return out;
}

}  // namespace

Result<GgufFile> GgufFile::parse(ByteView file) {
  ByteReader in(file);
  TRY(const uint32_t magic, in.u32());
  if (magic != gguf_magic) return refuse("the file does not begin with GGUF");
  GgufFile out;
  TRY(out.version_, in.u32());
  if (out.version_ != 2 && out.version_ != 3)
    return refuse((out.version_ & 0xFFFF) == 0 ? "big endian files are not read"
                                               : fmt::format("version {} is not read", out.version_));
  TRY(const uint64_t tensor_count, in.u64());
  TRY(const uint64_t value_count, in.u64());
  // A value has at least 13 bytes, a row of the table 24.
  if (value_count > gguf_entries_max || value_count > in.left() / 13 || tensor_count > gguf_entries_max ||
      tensor_count > in.left() / 24)
    return refuse("the header counts more than the file holds");
  for (uint64_t i = 0; i < value_count; ++i) {
    TRY(const std::string_view key, read_text(in));
    if (key.size() > name_bytes_max) return refuse("a key is too long");
    const auto [place, is_new] = out.values_.try_emplace(key);
    if (!is_new) return refuse(fmt::format("'{}' appears twice", shown(key)));
    TRY_DONE(read_value(in, place->second));
    out.keys_.push_back(key);
  }
  std::vector<TableRow> table;
  for (uint64_t i = 0; i < tensor_count; ++i) {
    TRY(TableRow row, read_table_row(in));
    table.push_back(std::move(row));
  }

  TRY(const std::optional<int64_t> given, out.integer_if("general.alignment"));
  const auto alignment = static_cast<uint64_t>(given.value_or(gguf_default_alignment));
  if (given.value_or(1) <= 0 || alignment > (1 << 20) || !std::has_single_bit(alignment))
    return refuse("general.alignment is no power of two");
  out.data_offset_ = (in.position() + alignment - 1) / alignment * alignment;
  const uint64_t data_bytes = file.size() > out.data_offset_ ? file.size() - out.data_offset_ : 0;
  for (TableRow& row : table) {
    const std::string_view name = row.tensor.name;
    if (row.begin % alignment != 0) return refuse(fmt::format("tensor '{}' is not aligned", shown(name)));
    if (row.begin > data_bytes || row.size > data_bytes - row.begin)
      return refuse(fmt::format("tensor '{}' goes past the end of the file", shown(name)));
    if (row.size > 0) row.tensor.bytes = file.subspan(out.data_offset_ + row.begin, row.size);
    if (!out.tensor_rows_.emplace(name, out.tensors_.size()).second)
      return refuse(fmt::format("tensor '{}' appears twice", shown(name)));
    out.tensors_.push_back(std::move(row.tensor));
  }
  return out;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto found = tensor_rows_.find(name);
  return found == tensor_rows_.end() ? nullptr : &tensors_[found->second];
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? nullptr : &found->second;
}

namespace {

Error wrong_type(std::string_view key, std::string_view wanted) {
  return refuse(fmt::format("'{}' is not {}", key, wanted));
}

template <class T>
Result<std::optional<T>> value_if(const GgufValue* value, std::string_view key, std::string_view wanted) {
  if (value == nullptr) return std::optional<T>();
  const T* found = std::get_if<T>(value);
  if (found == nullptr) return wrong_type(key, wanted);
  return std::optional<T>(*found);
}

std::optional<int64_t> whole(const GgufValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<uint64_t>(&value); number != nullptr && *number <= INT64_MAX)
    return static_cast<int64_t>(*number);
  return std::nullopt;
}

std::optional<double> any_number(const GgufValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<uint64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<double>(*number);
  return std::nullopt;
}

template <class T, class Convert>
Result<std::optional<std::vector<T>>> array_if(const GgufValue* value, std::string_view key,
                                               std::string_view wanted, Convert convert) {
  if (value == nullptr) return std::optional<std::vector<T>>();
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr) return wrong_type(key, wanted);
  std::vector<T> out;
  const size_t width = width_of(static_cast<uint32_t>(array->type)).value_or(0);
  if (width == 0 && array->count > 0) return wrong_type(key, wanted);
  out.reserve(array->count);
  for (size_t i = 0; i < array->count; ++i) {
    const std::optional<T> number = convert(scalar(array->type, array->numbers.subspan(i * width, width)));
    if (!number) return wrong_type(key, wanted);
    out.push_back(*number);
  }
  return std::optional(std::move(out));
}

}  // namespace

Result<std::optional<std::string_view>> GgufFile::text_if(std::string_view key) const {
  return value_if<std::string_view>(find(key), key, "text");
}

Result<std::optional<int64_t>> GgufFile::integer_if(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::optional<int64_t>();
  const std::optional<int64_t> number = whole(*value);
  if (!number) return wrong_type(key, "a whole number");
  return number;
}

Result<std::optional<double>> GgufFile::number_if(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::optional<double>();
  const std::optional<double> number = any_number(*value);
  if (!number) return wrong_type(key, "a number");
  return number;
}

Result<std::optional<bool>> GgufFile::flag_if(std::string_view key) const {
  return value_if<bool>(find(key), key, "true or false");
}

Result<std::optional<std::vector<std::string_view>>> GgufFile::texts_if(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::optional<std::vector<std::string_view>>();
  const auto* array = std::get_if<GgufArray>(value);
  if (array == nullptr || (array->type != GgufValueType::text && array->count > 0))
    return wrong_type(key, "an array of texts");
  return std::optional(array->texts);
}

Result<std::optional<std::vector<double>>> GgufFile::numbers_if(std::string_view key) const {
  return array_if<double>(find(key), key, "an array of numbers", any_number);
}

Result<std::optional<std::vector<int64_t>>> GgufFile::integers_if(std::string_view key) const {
  return array_if<int64_t>(find(key), key, "an array of whole numbers", whole);
}

}  // namespace holdfast::codec
