#include "codec/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <unordered_map>

namespace holdfast::codec {
namespace {

using Kind = PickleValue::Kind;

constexpr uint32_t mark = UINT32_MAX;  // On the stack, where a list of items begins.
constexpr size_t line_bytes_max = 512;

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out.push_back(c > 31 && c < 127 ? c : '?');
  return out;
}

class Machine {
 public:
  Machine(ByteView bytes, std::span<const PickleName> allowed, const PickleLimits& limits)
      : bytes_(bytes), reader_(bytes), allowed_(allowed), limits_(limits) {}

  Result<Pickle> run() {
    while (true) {
      offset_ = reader_.position();
      if (reader_.left() == 0) return fail(Reason::bad_request, "pickle: it ends before its STOP");
      TRY(code_, reader_.u8());
      if (code_ == '.') break;
      auto done = step();
      if (done.ok()) continue;
      if (done.error().reason != Reason::none) return std::move(done).error();
      return refuse(done.error().message);
    }
    auto root = pop();
    if (!root.ok() || !stack_.empty()) return refuse("the pickle leaves no single value");
    out_.root = root.value();
    out_.bytes_used = reader_.position();
    return std::move(out_);
  }

 private:
  Error refuse(std::string_view why) const {
    const std::string_view name = pickle_opcode_name(code_);
    return fail(Reason::bad_request,
                fmt::format("pickle: {} at byte {}: {}",
                            name.empty() ? fmt::format("0x{:02x}", code_) : std::string(name), offset_, why));
  }

  Status push(uint32_t value) {
    if (stack_.size() >= limits_.stack_max) return refuse("the stack grows too deep");
    stack_.push_back(value);
    return Done{};
  }
  Status push(PickleValue value) {
    if (out_.values.size() >= limits_.values_max) return refuse("there are too many values");
    text_bytes_ += value.text.size();
    if (text_bytes_ > limits_.text_bytes_max) return refuse("there are too many texts");
    out_.values.push_back(std::move(value));
    return push(static_cast<uint32_t>(out_.values.size() - 1));
  }
  Status push(Kind kind, std::vector<uint32_t> items) {
    return push(PickleValue{.kind = kind, .items = std::move(items)});
  }
  Status push_integer(int64_t value) { return push(PickleValue{.kind = Kind::integer, .integer = value}); }

  Result<uint32_t> pop() {
    if (stack_.empty() || stack_.back() == mark) return refuse("nothing lies on the stack");
    const uint32_t value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Result<uint32_t> top() {
    if (stack_.empty() || stack_.back() == mark) return refuse("nothing lies on the stack");
    return stack_.back();
  }
  Result<std::vector<uint32_t>> pop_to_mark() {
    const auto found = std::find(stack_.rbegin(), stack_.rend(), mark);
    if (found == stack_.rend()) return refuse("there is no mark");
    std::vector<uint32_t> items(found.base(), stack_.end());
    stack_.erase(found.base() - 1, stack_.end());
    return items;
  }
  Result<std::vector<uint32_t>> pop_some(size_t count) {
    std::vector<uint32_t> items(count);
    for (size_t i = count; i-- > 0;) {
      TRY(items[i], pop());
    }
    return items;
  }

  Result<std::string_view> line() {
    const std::string_view left = as_text(bytes_.subspan(reader_.position()));
    const size_t end = left.substr(0, line_bytes_max).find('\n');
    if (end == std::string_view::npos) return refuse("a line does not end");
    TRY_DONE(reader_.skip(end + 1));
    return left.substr(0, end);
  }
  Status push_bytes(Kind kind, uint64_t length) {
    if (length > reader_.left()) return refuse("its length goes past the end");
    TRY(const ByteView taken, reader_.take(length));
    return push(PickleValue{.kind = kind, .text = std::string(as_text(taken))});
  }
  Status push_long(size_t width) {
    if (width > reader_.left()) return refuse("its length goes past the end");
    TRY(const ByteView taken, reader_.take(width));
    if (width > 8) return push(PickleValue{.kind = Kind::large_integer, .text = std::string(as_text(taken))});
    uint64_t value = width > 0 && (std::to_integer<uint8_t>(taken[width - 1]) & 0x80U) != 0 ? UINT64_MAX : 0;
    for (size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(taken[i]);
    return push_integer(static_cast<int64_t>(value));
  }
  Status push_name(std::string_view module, std::string_view name) {
    for (size_t i = 0; i < allowed_.size(); ++i)
      if (allowed_[i].module == module && allowed_[i].name == name)
        return push(PickleValue{.kind = Kind::name, .integer = static_cast<int64_t>(i)});
    return refuse(
        fmt::format("looks up '{}.{}', which is not on the list", printable(module), printable(name)));
  }

  Status step();
  Status step_text();
  Status step_number();
  Status step_collection();
  Status step_memo();
  Status step_object();
  Status put_items(const std::vector<uint32_t>& items, Kind into);

  const ByteView bytes_;
  ByteReader reader_;
  const std::span<const PickleName> allowed_;
  const PickleLimits& limits_;

  Pickle out_;
  std::vector<uint32_t> stack_;
  std::unordered_map<uint32_t, uint32_t> memo_;
  size_t offset_ = 0, text_bytes_ = 0;
  uint8_t code_ = 0;
};

Status Machine::step() {
  switch (code_) {
    case 0x80: {
      TRY(const uint8_t version, reader_.u8());
      if (version < 2 || version > 5) return refuse("a protocol other than 2 to 5");
      return Done{};
    }
    case 0x95:  // A hint for buffering.
      return reader_.skip(8);
    case 'N':
      return push(PickleValue{});
    case 0x88:
    case 0x89:
      return push(PickleValue{.kind = Kind::boolean, .integer = code_ == 0x88 ? 1 : 0});
    case 'X':
    case 0x8c:
    case 0x8d:
    case 'T':
    case 'U':
    case 'B':
    case 'C':
    case 0x8e:
      return step_text();
    case 'J':
    case 'K':
    case 'M':
    case 'G':
    case 0x8a:
    case 0x8b:
      return step_number();
    case '(':
      return push(mark);
    case ')':
    case 't':
    case 0x85:
    case 0x86:
    case 0x87:
    case ']':
    case '}':
    case 'a':
    case 'e':
    case 's':
    case 'u':
      return step_collection();
    case 'q':
    case 'r':
    case 'h':
    case 'j':
    case 0x94:
      return step_memo();
    case 'c':
    case 0x93:
    case 'R':
    case 0x81:
    case 'b':
    case 'Q':
      return step_object();
    default:
      return refuse(pickle_opcode_name(code_).empty() ? "this is no opcode"
                                                      : "no opcode that makes plain data");
  }
}

Status Machine::step_text() {
  uint64_t length = 0;
  switch (code_) {
    case 0x8c:
    case 'U':
    case 'C': {
      TRY(length, reader_.u8());
      break;
    }
    case 0x8d:
    case 0x8e: {
      TRY(length, reader_.u64());
      break;
    }
    default: {
      TRY(length, reader_.u32());
    }
  }
  const bool bytes = code_ == 'B' || code_ == 'C' || code_ == 0x8e;
  return push_bytes(bytes ? Kind::bytes : Kind::text, length);
}

Status Machine::step_number() {
  switch (code_) {
    case 'K': {
      TRY(const uint8_t value, reader_.u8());
      return push_integer(value);
    }
    case 'M': {
      TRY(const uint16_t value, reader_.u16());
      return push_integer(value);
    }
    case 'J': {
      TRY(const uint32_t value, reader_.u32());
      return push_integer(static_cast<int32_t>(value));
    }
    case 'G': {  // The one number that is big-endian.
      TRY(const uint64_t value, reader_.u64());
      return push(PickleValue{.kind = Kind::real, .real = std::bit_cast<double>(__builtin_bswap64(value))});
    }
    case 0x8a: {
      TRY(const uint8_t width, reader_.u8());
      return push_long(width);
    }
    default: {
      TRY(const uint32_t width, reader_.u32());
      return push_long(width);
    }
  }
}

// Items into what lies on top, a list or a dictionary.
Status Machine::put_items(const std::vector<uint32_t>& items, Kind into) {
  TRY(const uint32_t target, top());
  PickleValue& value = out_.values[target];
  // An ordered dictionary is a call that made it.
  if (into == Kind::dictionary && value.kind == Kind::call) {
    TRY_DONE(push(Kind::dictionary, items));
    TRY(const uint32_t made, pop());
    out_.values[target].items.push_back(made);
    return Done{};
  }
  if (value.kind != into) return refuse("changes what is neither a list nor a dictionary");
  value.items.insert(value.items.end(), items.begin(), items.end());
  return Done{};
}

Status Machine::step_collection() {
  switch (code_) {
    case ')':
      return push(Kind::tuple, {});
    case ']':
      return push(Kind::list, {});
    case '}':
      return push(Kind::dictionary, {});
    case 't': {
      TRY(std::vector<uint32_t> items, pop_to_mark());
      return push(Kind::tuple, std::move(items));
    }
    case 'a': {
      TRY(const std::vector<uint32_t> items, pop_some(1));
      return put_items(items, Kind::list);
    }
    case 's': {
      TRY(const std::vector<uint32_t> items, pop_some(2));
      return put_items(items, Kind::dictionary);
    }
    case 'e': {
      TRY(const std::vector<uint32_t> items, pop_to_mark());
      return put_items(items, Kind::list);
    }
    case 'u': {
      TRY(const std::vector<uint32_t> items, pop_to_mark());
      if (items.size() % 2 != 0) return refuse("a key without a value");
      return put_items(items, Kind::dictionary);
    }
    default: {  // TUPLE1, TUPLE2, TUPLE3
      TRY(std::vector<uint32_t> items, pop_some(code_ - 0x84U));
      return push(Kind::tuple, std::move(items));
    }
  }
}

Status Machine::step_memo() {
  uint32_t key = static_cast<uint32_t>(memo_.size());
  if (code_ == 'q' || code_ == 'h') {
    TRY(key, reader_.u8());
  } else if (code_ == 'r' || code_ == 'j') {
    TRY(key, reader_.u32());
  }
  if (code_ == 'h' || code_ == 'j') {
    const auto found = memo_.find(key);
    if (found == memo_.end()) return refuse("recalls what was never remembered");
    return push(found->second);
  }
  TRY(const uint32_t value, top());
  if (memo_.size() >= limits_.values_max) return refuse("too much is remembered");
  memo_[key] = value;
  return Done{};
}

Status Machine::step_object() {
  switch (code_) {
    case 'c': {
      TRY(const std::string_view module, line());
      TRY(const std::string_view name, line());
      return push_name(module, name);
    }
    case 0x93: {
      TRY(const std::vector<uint32_t> both, pop_some(2));
      const PickleValue &module = out_.at(both[0]), &name = out_.at(both[1]);
      if (module.kind != Kind::text || name.kind != Kind::text) return refuse("a name that is no text");
      return push_name(module.text, name.text);
    }
    case 'R':
    case 0x81: {
      TRY(std::vector<uint32_t> items, pop_some(2));
      if (out_.at(items[0]).kind != Kind::name) return refuse("calls what is no name");
      if (out_.at(items[1]).kind != Kind::tuple) return refuse("calls without arguments");
      return push(Kind::call, std::move(items));
    }
    case 'b': {
      TRY_DONE(pop());  // Attributes: nobody asks for them.
      TRY(const uint32_t target, top());
      if (out_.at(target).kind != Kind::call) return refuse("changes what was not made by a call");
      return Done{};
    }
    default: {  // BINPERSID
      TRY(std::vector<uint32_t> id, pop_some(1));
      return push(Kind::persistent, std::move(id));
    }
  }
}

}  // namespace

Result<Pickle> read_pickle(ByteView bytes, std::span<const PickleName> allowed, PickleLimits limits) {
  return Machine(bytes, allowed, limits).run();
}

}  // namespace holdfast::codec
