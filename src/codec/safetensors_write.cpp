#include <fmt/format.h>

#include <algorithm>

#include "codec/safetensors.h"

namespace holdfast::codec {
namespace {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_tensor(std::string& out, const SafetensorsTensor& tensor, uint64_t begin) {
  append_quoted(out, tensor.name);
  out += ":{\"dtype\":\"";
  out += dtype_name(tensor.dtype);
  out += "\",\"shape\":[";
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(tensor.shape[i]);
  }
  out += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(begin + tensor.bytes.size()) +
         "]}";
}

}  // namespace

Result<Bytes> write_safetensors(std::span<const SafetensorsTensor> tensors,
                                std::span<const std::pair<std::string, std::string>> metadata) {
  std::vector<const SafetensorsTensor*> order;
  for (const SafetensorsTensor& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](const auto* left, const auto* right) {
    if (left->dtype != right->dtype) return left->dtype > right->dtype;
    return left->name < right->name;
  });

  std::string text = "{";
  if (!metadata.empty()) {
    text += "\"__metadata__\":{";
    for (size_t i = 0; i < metadata.size(); ++i) {
      if (i > 0) text += ',';
      append_quoted(text, metadata[i].first);
      text += ':';
      append_quoted(text, metadata[i].second);
    }
    text += '}';
  }
  uint64_t at = 0;
  for (const SafetensorsTensor* tensor : order) {
    if (text.size() > 1) text += ',';
    append_tensor(text, *tensor, at);
    at += tensor->bytes.size();
  }
  text += '}';
  while (text.size() % 8 != 0) text += ' ';

  ByteWriter head;
  head.u64(text.size());
  head.text(text);
  // What we write we must be able to read: the parser checks sizes, names and limits.
  TRY([[maybe_unused]] const SafetensorsHeader checked,
      parse_safetensors_header(head.view(), head.size() + at));

  Bytes out = std::move(head).take();
  out.reserve(out.size() + at);
  for (const SafetensorsTensor* tensor : order)
    out.insert(out.end(), tensor->bytes.begin(), tensor->bytes.end());
  return out;
}

}  // namespace holdfast::codec
