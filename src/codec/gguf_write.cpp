#include "codec/gguf_write.h"

#include <fmt/format.h>

#include <bit>
#include <set>

namespace holdfast::codec {
namespace {

constexpr size_t name_bytes_max = 64, key_bytes_max = 65'535;

void put_text(ByteWriter& out, std::string_view text) {
  out.u64(text.size());
  out.text(text);
}

void put_type(ByteWriter& out, GgufValueType type) { out.u32(static_cast<uint32_t>(type)); }

struct PutValue {
  ByteWriter& out;
  bool narrow;

  void operator()(uint64_t value) const {
    const bool small = narrow && value <= UINT32_MAX;
    put_type(out, small ? GgufValueType::u32 : GgufValueType::u64);
    small ? out.u32(static_cast<uint32_t>(value)) : out.u64(value);
  }
  void operator()(int64_t value) const {
    const bool small = narrow && value >= INT32_MIN && value <= INT32_MAX;
    put_type(out, small ? GgufValueType::i32 : GgufValueType::i64);
    small ? out.u32(static_cast<uint32_t>(value)) : out.u64(static_cast<uint64_t>(value));
  }
  void operator()(double value) const {
    put_type(out, narrow ? GgufValueType::f32 : GgufValueType::f64);
    narrow ? out.u32(std::bit_cast<uint32_t>(static_cast<float>(value)))
           : out.u64(std::bit_cast<uint64_t>(value));
  }
  void operator()(bool value) const {
    put_type(out, GgufValueType::boolean);
    out.u8(value ? 1 : 0);
  }
  void operator()(std::string_view value) const {
    put_type(out, GgufValueType::text);
    put_text(out, value);
  }
  void operator()(const GgufArray& value) const {
    put_type(out, GgufValueType::array);
    put_type(out, value.type);
    out.u64(value.count);
    out.bytes(value.numbers);
    for (const std::string_view text : value.texts) put_text(out, text);
  }
};

uint64_t round_up(uint64_t bytes) {
  return (bytes + gguf_default_alignment - 1) / gguf_default_alignment * gguf_default_alignment;
}

Result<uint64_t> bytes_of(const GgufTensorOut& tensor) {
  const GgmlTypeRow& row = ggml_type_row(tensor.type);
  uint64_t elements = 1;
  for (const uint64_t size : tensor.dimensions) {
    if (size == 0 || elements > (uint64_t{1} << 48) / size)
      return fail(Reason::bad_request, fmt::format("the tensor '{}' has no shape that can be", tensor.name));
    elements *= size;
  }
  if (tensor.dimensions.size() > gguf_rank_max ||
      (tensor.dimensions.empty() ? 1 : tensor.dimensions[0]) % row.block_elements != 0)
    return fail(Reason::bad_request,
                fmt::format("the rows of '{}' are no whole blocks of {}", tensor.name, row.name));
  return elements / row.block_elements * row.block_bytes;
}

}  // namespace

Result<GgufHead> write_gguf_head(std::span<const GgufEntry> entries, std::span<const GgufTensorOut> tensors) {
  if (entries.size() > gguf_entries_max || tensors.size() > gguf_entries_max)
    return fail(Reason::bad_request, "too many entries");
  GgufHead out;
  ByteWriter head;
  head.u32(gguf_magic);
  head.u32(3);
  head.u64(tensors.size());
  head.u64(entries.size());
  std::set<std::string_view> seen;
  for (const GgufEntry& entry : entries) {
    if (entry.key.empty() || entry.key.size() > key_bytes_max || entry.key == "general.alignment" ||
        !seen.insert(entry.key).second)
      return fail(Reason::bad_request,
                  fmt::format("the key '{}' cannot be written", entry.key.substr(0, 80)));
    put_text(head, entry.key);
    std::visit(PutValue{head, entry.width == GgufEntry::Width::narrow}, entry.value);
  }
  seen.clear();
  uint64_t offset = 0;
  for (const GgufTensorOut& tensor : tensors) {
    if (tensor.name.empty() || tensor.name.size() > name_bytes_max || !seen.insert(tensor.name).second)
      return fail(Reason::bad_request,
                  fmt::format("the name '{}' cannot be written", tensor.name.substr(0, 80)));
    TRY(const uint64_t bytes, bytes_of(tensor));
    put_text(head, tensor.name);
    head.u32(static_cast<uint32_t>(tensor.dimensions.size()));
    for (const uint64_t size : tensor.dimensions) head.u64(size);
    head.u32(static_cast<uint32_t>(tensor.type));
    head.u64(offset);
    out.data_bytes.push_back(bytes);
    out.padded_bytes.push_back(round_up(bytes));
    offset += round_up(bytes);
  }
  out.bytes = std::move(head).take();
  out.bytes.resize(round_up(out.bytes.size()));
  return out;
}

}  // namespace holdfast::codec
