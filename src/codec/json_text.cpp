// Text out of JSON values. Boost's own serializer writes 0.5 as 5E-1 and lets invalid UTF-8 through.
#include <fmt/core.h>

#include <boost/json/value.hpp>

#include "base/log.h"
#include "codec/float_text.h"
#include "codec/json.h"

namespace holdfast::codec {
namespace {

namespace json = boost::json;

enum class Layout : uint8_t { compact, pretty };

// Depth is that of a value already made, so the recursion is bounded by the parser's limit or by our own
// code.
class Writer {
 public:
  Writer(std::string& out, Layout layout) : out_(out), layout_(layout) {}

  void write(const json::value& value, size_t depth) {
    switch (value.kind()) {
      case json::kind::null:
        out_ += "null";
        return;
      case json::kind::bool_:
        out_ += value.get_bool() ? "true" : "false";
        return;
      case json::kind::int64:
        out_ += std::to_string(value.get_int64());
        return;
      case json::kind::uint64:
        out_ += std::to_string(value.get_uint64());
        return;
      case json::kind::double_:
        append_number(out_, value.get_double());
        return;
      case json::kind::string:
        quoted(value.get_string());
        return;
      case json::kind::array:
        return write_array(value.get_array(), depth);
      case json::kind::object:
        return write_object(value.get_object(), depth);
    }
  }

 private:
  void quoted(std::string_view text) {
    out_ += '"';
    append_json_escaped(out_, text);
    out_ += '"';
  }

  void new_line(size_t depth) {
    if (layout_ == Layout::compact) return;
    out_ += '\n';
    out_.append(2 * depth, ' ');
  }

  void write_array(const json::array& array, size_t depth) {
    out_ += '[';
    bool first = true;
    for (const json::value& item : array) {
      if (!std::exchange(first, false)) out_ += ',';
      new_line(depth + 1);
      write(item, depth + 1);
    }
    if (!array.empty()) new_line(depth);
    out_ += ']';
  }

  void write_object(const json::object& object, size_t depth) {
    out_ += '{';
    bool first = true;
    for (const auto& [key, item] : object) {
      if (!std::exchange(first, false)) out_ += ',';
      new_line(depth + 1);
      quoted(key);
      out_ += layout_ == Layout::pretty ? ": " : ":";
      write(item, depth + 1);
    }
    if (!object.empty()) new_line(depth);
    out_ += '}';
  }

  std::string& out_;
  Layout layout_;
};

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  Writer(out, Layout::compact).write(value, 0);
  return out;
}

std::string to_pretty_text(const json::value& value) {
  std::string out;
  Writer(out, Layout::pretty).write(value, 0);
  out += '\n';
  return out;
}

}  // namespace holdfast::codec
