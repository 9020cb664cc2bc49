#include "codec/thrift_value.h"

#include <algorithm>

namespace holdfast::codec {
namespace {

using Type = ThriftValue::Type;

constexpr int depth_max = 32;
constexpr size_t values_max = 4'000'000;

Error broken() { return fail(Code::corrupt, "the footer is damaged"); }

class Parser {
 public:
  explicit Parser(ByteView bytes) : bytes_(bytes) {}

  Result<ThriftValue> structure(int depth) {
    ThriftValue out;
    out.type = Type::structure;
    int32_t before = 0;
    while (true) {
      TRY(const uint8_t head, bytes_.u8());
      const auto type = static_cast<Type>(head & 15);
      if (type == Type::stop) return out;
      int64_t id = before + (head >> 4);
      if (head >> 4 == 0) {
        TRY(id, zigzag());
      }
      if (id <= before || id > INT16_MAX) return broken();
      before = static_cast<int32_t>(id);
      TRY(ThriftValue inner, value(type, depth));
      out.fields.emplace_back(before, std::move(inner));
    }
  }

  size_t left() const { return bytes_.left(); }

 private:
  Result<uint64_t> varint() {
    uint64_t out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      TRY(const uint8_t byte, bytes_.u8());
      out |= static_cast<uint64_t>(byte & 127) << shift;
      if (byte < 128) return out;
    }
    return broken();
  }
  Result<int64_t> zigzag() {
    TRY(const uint64_t raw, varint());
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }

  // Of a field; within lists, yes and no are bytes.
  Result<ThriftValue> value(Type type, int depth) {
    if (depth == depth_max || ++values_ > values_max) return broken();
    ThriftValue out;
    out.type = type;
    switch (type) {
      case Type::yes:
      case Type::no:
        return out;
      case Type::i8: {
        TRY(const uint8_t byte, bytes_.u8());
        out.number = static_cast<int8_t>(byte);
        return out;
      }
      case Type::i16:
      case Type::i32:
      case Type::i64: {
        TRY(out.number, zigzag());
        return out;
      }
      case Type::real: {
        TRY(const ByteView raw, bytes_.take(8));
        out.text = as_text(raw);
        return out;
      }
      case Type::text: {
        TRY(const uint64_t size, varint());
        if (size > bytes_.left()) return broken();
        TRY(const ByteView raw, bytes_.take(size));
        out.text = as_text(raw);
        return out;
      }
      case Type::list:
      case Type::set:
        return list(std::move(out), depth);
      case Type::structure: {
        TRY(out, structure(depth + 1));
        return out;
      }
      case Type::stop:
      case Type::map:
        return broken();
    }
    return broken();
  }

  Result<ThriftValue> list(ThriftValue out, int depth) {
    TRY(const uint8_t head, bytes_.u8());
    out.element = static_cast<Type>(head & 15);
    uint64_t size = head >> 4;
    if (size == 15) {
      TRY(size, varint());
    }
    if (size > bytes_.left()) return broken();
    for (uint64_t i = 0; i < size; ++i) {
      if (out.element == Type::yes || out.element == Type::no) {
        TRY(const uint8_t byte, bytes_.u8());
        ThriftValue each;
        each.type = byte == 1 ? Type::yes : Type::no;
        out.items.push_back(std::move(each));
        continue;
      }
      TRY(ThriftValue each, value(out.element, depth + 1));
      out.items.push_back(std::move(each));
    }
    return out;
  }

  ByteReader bytes_;
  size_t values_ = 0;
};

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
}
void put_zigzag(std::string& out, int64_t value) {
  put_varint(out, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}

void put_structure(std::string& out, const ThriftValue& value);

void put(std::string& out, const ThriftValue& value) {
  switch (value.type) {
    case Type::stop:
    case Type::map:
    case Type::yes:
    case Type::no:
      return;  // A field's head says it; nothing makes the others.
    case Type::i8:
      out.push_back(static_cast<char>(value.number));
      return;
    case Type::i16:
    case Type::i32:
    case Type::i64:
      put_zigzag(out, value.number);
      return;
    case Type::real:
      out += value.text;
      return;
    case Type::text:
      put_varint(out, value.text.size());
      out += value.text;
      return;
    case Type::list:
    case Type::set: {
      const size_t size = value.items.size();
      out.push_back(static_cast<char>((size < 15 ? size : 15) << 4 | static_cast<size_t>(value.element)));
      if (size >= 15) put_varint(out, size);
      for (const ThriftValue& each : value.items) {
        if (each.type == Type::yes || each.type == Type::no)
          out.push_back(each.type == Type::yes ? '\1' : '\2');
        put(out, each);
      }
      return;
    }
    case Type::structure:
      put_structure(out, value);
      return;
  }
}

void put_structure(std::string& out, const ThriftValue& value) {
  int32_t before = 0;
  for (const auto& [id, inner] : value.fields) {
    const int32_t step = id - before;
    const auto type = static_cast<int32_t>(inner.type);
    out.push_back(static_cast<char>((step < 16 ? step << 4 : 0) | type));
    if (step >= 16) put_zigzag(out, id);
    put(out, inner);
    before = id;
  }
  out.push_back('\0');
}

}  // namespace

ThriftValue ThriftValue::of_number(int64_t value, Type type) {
  ThriftValue out;
  out.type = type;
  out.number = value;
  return out;
}

ThriftValue* ThriftValue::field(int32_t id) {
  const auto found = std::ranges::find(fields, id, &std::pair<int32_t, ThriftValue>::first);
  return found == fields.end() ? nullptr : &found->second;
}

void ThriftValue::set(int32_t id, ThriftValue value) {
  const auto at = std::ranges::lower_bound(fields, id, {}, &std::pair<int32_t, ThriftValue>::first);
  if (at != fields.end() && at->first == id)
    at->second = std::move(value);
  else
    fields.insert(at, {id, std::move(value)});
}

void ThriftValue::remove(int32_t id) {
  std::erase_if(fields, [&](const auto& each) { return each.first == id; });
}

Result<ThriftValue> read_thrift(ByteView bytes) {
  Parser parser(bytes);
  TRY(ThriftValue out, parser.structure(0));
  if (parser.left() != 0) return broken();
  return out;
}

std::string write_thrift(const ThriftValue& structure) {
  std::string out;
  put_structure(out, structure);
  return out;
}

}  // namespace holdfast::codec
