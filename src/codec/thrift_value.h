#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "codec/thrift_compact.h"

namespace holdfast::codec {

// A value of Thrift's compact protocol, whole, so that it can be changed in
// places and written again with all that nobody looked at. Maps are not read:
// Parquet's footer has none.
struct ThriftValue {
  using Type = ThriftReader::Type;
  Type type = Type::stop;
  int64_t number = 0;                                     // Of integers and bytes.
  std::string text{};                                     // Also the eight bytes of a real.
  std::vector<std::pair<int32_t, ThriftValue>> fields{};  // Of a struct, ids rising.
  Type element = Type::stop;                              // Of a list or set.
  std::vector<ThriftValue> items{};

  static ThriftValue of_number(int64_t value, Type type = Type::i64);
  ThriftValue* field(int32_t id);
  void set(int32_t id, ThriftValue value);
  void remove(int32_t id);
};

// A struct, with nothing behind it. corrupt for what is none; nested at most 32
// deep.
Result<ThriftValue> read_thrift(ByteView bytes);
std::string write_thrift(const ThriftValue& structure);

}  // namespace holdfast::codec
