#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// A name that a pickle may look up and call. Nothing is: a call stays a value that says what was called.
struct PickleName {
  std::string_view module, name;
};

// A value of a pickle. Values may be shared and lists may hold themselves: whoever walks them keeps to a
// depth.
struct PickleValue {
  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    large_integer,  // `text` has its bytes, little-endian, two's complement.
    real,
    text,
    bytes,
    tuple,
    list,
    dictionary,  // `items`: key, value, key, value ...
    name,        // `integer` is its place in the allow-list.
    call,        // `items`: the callable, its arguments, then dictionaries that were put into it.
    persistent   // `items`: the one value that names what lies outside.
  };

  Kind kind = Kind::none;
  int64_t integer = 0;
  double real = 0;
  std::string text{};
  std::vector<uint32_t> items{};
};

struct PickleLimits {
  size_t values_max = 2'000'000;
  size_t stack_max = 2'000'000;
  size_t text_bytes_max = 64 << 20;  // Of all texts together.
};

struct Pickle {
  std::vector<PickleValue> values;
  uint32_t root = 0;
  size_t bytes_used = 0;  // Up to its STOP and with it.

  const PickleValue& at(uint32_t index) const { return values[index]; }
};

// Reads one pickle of protocols 2 to 5 by a machine that knows only the opcodes that make data and only the
// names of `allowed`: docs/formats/pickle.md. Whatever else is met is bad_request with the opcode's name and
// place, before anything was done with it.
Result<Pickle> read_pickle(ByteView bytes, std::span<const PickleName> allowed, PickleLimits limits = {});

// Its name in Python's pickletools, "REDUCE"; empty where there is no such opcode.
std::string_view pickle_opcode_name(uint8_t code);

}  // namespace holdfast::codec
