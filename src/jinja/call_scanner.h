#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::jinja {

// Finds where one JSON value ends, byte by byte. It checks strings and brackets, not all of JSON.
class ValueScanner {
 public:
  enum class State : uint8_t { more, done, done_before, broken };  // done_before: the byte is not part of it.
  State take(char byte);

 private:
  std::string open_;  // Brackets, at most depth_most.
  bool begun_ = false, text_ = false, escaped_ = false, scalar_ = false;
};

// Reads {"name": …, "arguments" or "parameters": …} as it is written, so that arguments can be sent on before
// their end. One call; one thread.
class CallScanner {
 public:
  enum class State : uint8_t { more, done, broken };
  State take(char byte);

  const std::string& raw() const { return raw_; }
  const std::optional<std::string>& name() const { return name_; }
  // What came of the arguments since the last time; nothing while the name is not known.
  std::string drain();

 private:
  enum class Place : uint8_t { object, key_or_end, key, colon, value, next };
  State end_value();

  Place place_ = Place::object;
  ValueScanner value_;
  std::string raw_, key_, text_;  // text_: of the current key's value.
  std::optional<std::string> name_;
  std::string arguments_;
  bool has_arguments_ = false, spelled_ = false;  // spelled_: the arguments are JSON in a JSON text.
};

}  // namespace holdfast::jinja
