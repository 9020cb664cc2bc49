#include "codec/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <map>
#include <unordered_set>

#include "base/check.h"

namespace holdfast::codec {
namespace {

Error refuse(std::string message) { return fail(Reason::bad_request, "safetensors: " + std::move(message)); }

// Names come from the file: cut so that an error message stays readable.
std::string shown(std::string_view name) { return std::string(name.substr(0, 120)); }

// Receives the header's JSON piece by piece, because a parsed document would hide duplicate keys.
class HeaderHandler {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  using Code = boost::json::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }

  bool on_object_begin(Code& code) {
    switch (place_) {
      case Place::start:
        place_ = Place::top;
        return true;
      case Place::top_value:
        if (key_ == "__metadata__") {
          place_ = Place::metadata;
          return true;
        }
        entry_ = {};
        entry_.name = key_;
        seen_fields_ = 0;
        place_ = Place::tensor;
        return true;
      case Place::top:
      case Place::metadata:
      case Place::metadata_value:
      case Place::tensor:
      case Place::tensor_value:
      case Place::shape:
      case Place::offsets:
        return stop(code, "an object where none belongs");
    }
    std::abort();
  }

  bool on_object_end(std::size_t, Code& code) {
    if (place_ == Place::tensor) {
      if (seen_fields_ != all_fields)
        return stop(code, fmt::format("tensor '{}' lacks dtype, shape or data_offsets", shown(entry_.name)));
      header_.entries.push_back(std::move(entry_));
    }
    place_ = Place::top;
    return true;
  }

  bool on_array_begin(Code& code) {
    if (place_ != Place::tensor_value) return stop(code, "an array where none belongs");
    if (key_ == "shape") {
      place_ = Place::shape;
    } else if (key_ == "data_offsets") {
      place_ = Place::offsets;
      offsets_count_ = 0;
    } else {
      return stop(code, fmt::format("'{}' must be text", shown(key_)));
    }
    return true;
  }

  bool on_array_end(std::size_t, Code& code) {
    if (place_ == Place::offsets && offsets_count_ != 2)
      return stop(code, fmt::format("data_offsets of '{}' must be two numbers", shown(entry_.name)));
    place_ = Place::tensor;
    return true;
  }

  bool on_key_part(std::string_view part, std::size_t, Code&) {
    text_.append(part);
    return true;
  }
  bool on_key(std::string_view part, std::size_t, Code& code) {
    text_.append(part);
    key_ = std::exchange(text_, {});
    switch (place_) {
      case Place::top:
        if (!names_.insert(key_).second) return stop(code, fmt::format("'{}' appears twice", shown(key_)));
        place_ = Place::top_value;
        return true;
      case Place::metadata:
        if (!metadata_names_.insert(key_).second)
          return stop(code, fmt::format("metadata '{}' appears twice", shown(key_)));
        place_ = Place::metadata_value;
        return true;
      case Place::tensor: {
        const unsigned field = key_ == "dtype" ? 1 : key_ == "shape" ? 2 : key_ == "data_offsets" ? 4 : 0;
        if (field == 0)
          return stop(code, fmt::format("tensor '{}' has an unknown field", shown(entry_.name)));
        if (seen_fields_ & field)
          return stop(code, fmt::format("tensor '{}' has a field twice", shown(entry_.name)));
        seen_fields_ |= field;
        place_ = Place::tensor_value;
        return true;
      }
      case Place::start:
      case Place::top_value:
      case Place::metadata_value:
      case Place::tensor_value:
      case Place::shape:
      case Place::offsets:
        return stop(code, "a key where none belongs");
    }
    std::abort();
  }

  bool on_string_part(std::string_view part, std::size_t, Code&) {
    text_.append(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t, Code& code) {
    text_.append(part);
    std::string text = std::exchange(text_, {});
    if (place_ == Place::metadata_value) {
      header_.metadata.emplace_back(key_, std::move(text));
      place_ = Place::metadata;
      return true;
    }
    if (place_ == Place::tensor_value && key_ == "dtype") {
      const std::optional<Dtype> dtype = dtype_from_name(text);
      if (!dtype) return stop(code, fmt::format("'{}' is not a known dtype", shown(text)));
      entry_.dtype = *dtype;
      place_ = Place::tensor;
      return true;
    }
    return stop(code, "text where none belongs");
  }

  bool on_uint64(uint64_t number, std::string_view, Code& code) {
    if (place_ == Place::shape) {
      if (entry_.shape.size() == safetensors_rank_max)
        return stop(code, fmt::format("tensor '{}' has too many dimensions", shown(entry_.name)));
      entry_.shape.push_back(number);
      return true;
    }
    if (place_ == Place::offsets) {
      if (offsets_count_ == 0) entry_.begin = number;
      if (offsets_count_ == 1) entry_.end = number;
      ++offsets_count_;
      return true;
    }
    return stop(code, "a number where none belongs");
  }
  bool on_int64(int64_t number, std::string_view text, Code& code) {
    if (number < 0) return stop(code, "a negative number");
    return on_uint64(static_cast<uint64_t>(number), text, code);
  }
  bool on_number_part(std::string_view, Code&) { return true; }
  bool on_double(double, std::string_view, Code& code) { return stop(code, "a number that is not whole"); }
  bool on_bool(bool, Code& code) { return stop(code, "true or false where none belongs"); }
  bool on_null(Code& code) { return stop(code, "null where none belongs"); }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

  bool closed() const { return place_ == Place::top; }
  const std::string& complaint() const { return complaint_; }
  SafetensorsHeader take() && { return std::move(header_); }

 private:
  enum class Place : uint8_t {
    start,
    top,
    top_value,
    metadata,
    metadata_value,
    tensor,
    tensor_value,
    shape,
    offsets
  };
  static constexpr unsigned all_fields = 7;

  bool stop(Code& code, std::string complaint) {
    complaint_ = std::move(complaint);
    code = boost::json::error::syntax;
    return false;
  }

  Place place_ = Place::start;
  std::string text_, key_, complaint_;
  SafetensorsEntry entry_;
  unsigned seen_fields_ = 0;
  int offsets_count_ = 0;
  std::unordered_set<std::string> names_, metadata_names_;
  SafetensorsHeader header_;
};

std::optional<uint64_t> product(std::span<const uint64_t> shape) {
  uint64_t count = 1;
  for (uint64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) return std::nullopt;
  return count;
}

// Bytes of a tensor; nothing when the numbers overflow or sub-byte elements do not fill whole bytes.
std::optional<uint64_t> stored_bytes(Dtype dtype, std::span<const uint64_t> shape) {
  const std::optional<uint64_t> count = product(shape);
  uint64_t bits = 0;
  if (!count || __builtin_mul_overflow(*count, uint64_t{dtype_bits(dtype)}, &bits) || bits % 8 != 0)
    return std::nullopt;
  return bits / 8;
}

// The reference library's rule: sorted by offset, each tensor begins where the one before ended.
Status check_layout(SafetensorsHeader& header) {
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& left, const auto& right) {
    return std::pair(left.begin, left.end) < std::pair(right.begin, right.end);
  });
  uint64_t at = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    if (entry.begin != at || entry.end < entry.begin)
      return refuse(
          fmt::format("the data of '{}' leaves a hole or overlaps another tensor", shown(entry.name)));
    const std::optional<uint64_t> bytes = stored_bytes(entry.dtype, entry.shape);
    if (!bytes) return refuse(fmt::format("the size of '{}' is impossible", shown(entry.name)));
    if (*bytes != entry.end - entry.begin)
      return refuse(fmt::format("'{}' has {} bytes where its shape needs {}", shown(entry.name),
                                entry.end - entry.begin, *bytes));
    at = entry.end;
  }
  header.data_bytes = at;
  return Done{};
}

}  // namespace

uint64_t SafetensorsEntry::elements() const { return product(shape).value_or(0); }

const SafetensorsEntry* SafetensorsHeader::find(std::string_view name) const {
  for (const SafetensorsEntry& entry : entries)
    if (entry.name == name) return &entry;
  return nullptr;
}

Result<uint64_t> safetensors_prefix_bytes(ByteView first_bytes) {
  ByteReader reader(first_bytes);
  auto length = reader.u64();
  if (!length.ok()) return refuse("the file is shorter than 8 bytes");
  if (length.value() > safetensors_header_bytes_max)
    return refuse(
        fmt::format("the header has {} bytes, {} are allowed", length.value(), safetensors_header_bytes_max));
  return length.value() + 8;
}

Result<SafetensorsHeader> parse_safetensors_header(ByteView prefix, std::optional<uint64_t> file_bytes) {
  TRY(const uint64_t data_offset, safetensors_prefix_bytes(prefix));
  if (prefix.size() < data_offset || (file_bytes && *file_bytes < data_offset))
    return refuse("the file ends inside its header");
  const std::string_view text = as_text(prefix.subspan(8, static_cast<size_t>(data_offset - 8)));
  if (!text.starts_with('{')) return refuse("the header does not start with '{'");

  boost::json::parse_options options;
  options.max_depth = 4;
  boost::json::basic_parser<HeaderHandler> parser(options);
  boost::json::error_code code;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), code);
  HeaderHandler& handler = parser.handler();
  if (!handler.complaint().empty()) return refuse(handler.complaint());
  if (code || used != text.size() || !handler.closed()) return refuse("the header is not valid JSON");

  SafetensorsHeader header = std::move(handler).take();
  header.data_offset = data_offset;
  TRY_DONE(check_layout(header));
  uint64_t whole = 0;
  if (__builtin_add_overflow(data_offset, header.data_bytes, &whole)) return refuse("its size is impossible");
  if (file_bytes && *file_bytes != whole)
    return refuse(fmt::format("the file has {} bytes where its header needs {}", *file_bytes, whole));
  return header;
}

std::vector<std::pair<std::string_view, uint64_t>> parameters_by_dtype(const SafetensorsHeader& header) {
  std::map<std::string_view, uint64_t> counts;
  for (const SafetensorsEntry& entry : header.entries) counts[dtype_name(entry.dtype)] += entry.elements();
  return {counts.begin(), counts.end()};
}

}  // namespace holdfast::codec
