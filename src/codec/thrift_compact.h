#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace holdfast::codec {

// Thrift's compact protocol (THRIFT-3122, compact-protocol.md), as far as the headers of Parquet need it:
// structs of numbers, texts, lists and structs. Borrows the bytes.
class ThriftReader {
 public:
  explicit ThriftReader(ByteView bytes) : bytes_(bytes) {}

  enum class Type : uint8_t {
    stop,
    yes,
    no,
    i8,
    i16,
    i32,
    i64,
    real,
    text,
    list,
    set,
    map,
    structure,
  };
  struct Field {
    int32_t id = 0;
    Type type = Type::stop;
  };
  // The next field of a struct whose field before was `before`; Type::stop at its end.
  Result<Field> field(int32_t before);
  // The value of a field of this type; anything but the wanted type is an error.
  Result<int64_t> integer(Type type);
  Result<bool> flag(Type type) const;
  Result<std::string> text(Type type);
  // Elements follow one after the other. Their number is at most the bytes that are left.
  struct List {
    Type type = Type::stop;
    size_t size = 0;
  };
  Result<List> list(Type type);
  Status skip(Type type, int depth = 0);

  size_t position() const { return bytes_.position(); }

 private:
  Result<uint64_t> varint();

  ByteReader bytes_;
};

}  // namespace holdfast::codec
