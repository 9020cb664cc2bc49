#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::scan {

// What is known of something on a pickle's stack.
struct Value {
  enum class Kind : uint8_t {
    plain,     // None, numbers, bytes, lists, dicts: nothing a name can be made of.
    text,      // `index` of the machine's texts.
    global,    // `index` of its globals.
    computed,  // The result of a call; could be anything.
    mark,
  };
  Kind kind = Kind::plain;
  uint32_t index = 0;
};

// What a pickle looked up; a name that was not a text that we know is `unknown`.
struct GlobalName {
  std::string module, name;
  bool unknown = false;
};

// Undoes the escapes of protocol 0: those of a string's repr, with its quotes, and of raw-unicode-escape.
// Empty when Python would refuse them.
std::optional<std::string> unquote_repr(std::string_view line);
std::string undo_raw_unicode(std::string_view line);

}  // namespace holdfast::scan
