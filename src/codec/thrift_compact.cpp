#include "codec/thrift_compact.h"

namespace holdfast::codec {
namespace {

constexpr int depth_max = 16;

Error broken(const char* what) { return fail(Code::corrupt, what); }

int64_t zigzag(uint64_t value) {
  return static_cast<int64_t>(value >> 1U) ^ -static_cast<int64_t>(value & 1U);
}

}  // namespace

Result<uint64_t> ThriftReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    TRY(const uint8_t byte, bytes_.u8());
    value |= static_cast<uint64_t>(byte & 0x7FU) << shift;
    if (byte < 0x80) return value;
  }
  return broken("a number of the header is too long");
}

Result<ThriftReader::Field> ThriftReader::field(int32_t before) {
  TRY(const uint8_t head, bytes_.u8());
  const auto type = static_cast<Type>(head & 0x0FU);
  if (type == Type::stop) return Field{};
  if (type > Type::structure) return broken("a field of the header has an unknown type");
  const int32_t step = head >> 4U;
  if (step != 0) return Field{before + step, type};
  TRY(const uint64_t id, varint());
  return Field{static_cast<int32_t>(zigzag(id)), type};
}

Result<int64_t> ThriftReader::integer(Type type) {
  if (type != Type::i16 && type != Type::i32 && type != Type::i64)
    return broken("a field of the header is no number");
  TRY(const uint64_t value, varint());
  return zigzag(value);
}

Result<bool> ThriftReader::flag(Type type) const {
  if (type != Type::yes && type != Type::no) return broken("a field of the header is no flag");
  return type == Type::yes;
}

Result<std::string> ThriftReader::text(Type type) {
  if (type != Type::text) return broken("a field of the header is no text");
  TRY(const uint64_t size, varint());
  if (size > bytes_.left()) return broken("a text of the header ends too early");
  TRY(const ByteView bytes, bytes_.take(size));
  return std::string(as_text(bytes));
}

Result<ThriftReader::List> ThriftReader::list(Type type) {
  if (type != Type::list && type != Type::set) return broken("a field of the header is no list");
  TRY(const uint8_t head, bytes_.u8());
  List out{.type = static_cast<Type>(head & 0x0FU), .size = static_cast<size_t>(head >> 4U)};
  if (out.size == 15) {
    TRY(out.size, varint());
  }
  if (out.type == Type::stop || out.type > Type::structure) return broken("a list of the header is broken");
  if (out.size > bytes_.left()) return broken("a list of the header ends too early");
  return out;
}

Status ThriftReader::skip(Type type, int depth) {
  if (depth > depth_max) return broken("the header is nested too deep");
  switch (type) {
    case Type::stop:
      return broken("the header is broken");
    case Type::yes:
    case Type::no:
      return Done{};
    case Type::i8:
      return bytes_.skip(1);
    case Type::i16:
    case Type::i32:
    case Type::i64: {
      TRY_DONE(varint());
      return Done{};
    }
    case Type::real:
      return bytes_.skip(8);
    case Type::text: {
      TRY_DONE(text(type));
      return Done{};
    }
    case Type::list:
    case Type::set: {
      TRY(const List list, this->list(type));
      for (size_t i = 0; i < list.size; ++i) {
        // A flag in a list is a byte of its own.
        if (list.type == Type::yes || list.type == Type::no)
          TRY_DONE(bytes_.skip(1));
        else
          TRY_DONE(skip(list.type, depth + 1));
      }
      return Done{};
    }
    case Type::map:
      return broken("the header holds a map");
    case Type::structure: {
      for (int32_t before = 0;;) {
        TRY(const Field field, this->field(before));
        if (field.type == Type::stop) return Done{};
        TRY_DONE(skip(field.type, depth + 1));
        before = field.id;
      }
    }
  }
  return broken("the header is broken");
}

}  // namespace holdfast::codec
