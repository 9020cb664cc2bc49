#include "token/formats/protobuf.h"

#include <bit>

namespace holdfast::token {
namespace {

Error broken() { return fail(Reason::bad_request, "the protocol buffers message is cut short or malformed"); }

}  // namespace

float ProtobufField::as_float() const { return std::bit_cast<float>(static_cast<uint32_t>(value)); }

Result<uint64_t> ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    const auto byte = in_.u8();
    if (!byte.ok()) return broken();
    if (shift < 64) value |= uint64_t{byte.value() & 0x7FU} << shift;
    if ((byte.value() & 0x80U) == 0) return value;
  }
  return broken();
}

Result<std::optional<ProtobufField>> ProtobufReader::next() {
  if (in_.left() == 0) return std::optional<ProtobufField>();
  TRY(const uint64_t tag, varint());
  ProtobufField field;
  field.number = static_cast<uint32_t>(tag >> 3U);
  if (field.number == 0 || tag >> 32U != 0) return broken();
  switch (tag & 7U) {
    case 0: {
      TRY(field.value, varint());
      break;
    }
    case 1: {
      field.kind = ProtobufField::Kind::fixed64;
      const auto value = in_.u64();
      if (!value.ok()) return broken();
      field.value = value.value();
      break;
    }
    case 2: {
      field.kind = ProtobufField::Kind::bytes;
      TRY(const uint64_t size, varint());
      if (size > in_.left()) return broken();
      TRY(field.bytes, in_.take(size));
      break;
    }
    case 5: {
      field.kind = ProtobufField::Kind::fixed32;
      const auto value = in_.u32();
      if (!value.ok()) return broken();
      field.value = value.value();
      break;
    }
    default:
      return broken();
  }
  return std::optional(field);
}

}  // namespace holdfast::token
