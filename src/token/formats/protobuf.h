#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::token {

// One field of a protocol buffers message, as it lies on the wire.
struct ProtobufField {
  enum class Kind : uint8_t { varint, fixed64, bytes, fixed32 };
  uint32_t number = 0;
  Kind kind = Kind::varint;
  uint64_t value = 0;  // Of varint, fixed64 and fixed32.
  ByteView bytes;      // Of bytes.

  std::string_view text() const { return as_text(bytes); }
  float as_float() const;
};

// Reads the fields of one message in order (encoding: protobuf.dev/programming-guides/encoding). Groups are
// refused. Borrows the bytes; one thread.
class ProtobufReader {
 public:
  explicit ProtobufReader(ByteView message) : in_(message) {}
  // Nothing at the end; bad_request where a field goes past it.
  Result<std::optional<ProtobufField>> next();

 private:
  Result<uint64_t> varint();

  ByteReader in_;
};

}  // namespace holdfast::token
