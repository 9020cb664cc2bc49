#include "scan/pickle.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "codec/base64.h"
#include "scan/pickle_common.h"
#include "scan/pickle_rules.h"
#include "scan/pickle_values.h"

namespace holdfast::scan {
namespace {

constexpr size_t kept_text_max = Value::text_bytes_max;
static_assert(kept_text_max <= Cursor::keep_bytes_max);
constexpr size_t nested_bytes_max = 16 << 20;

Error over(std::string what) { return fail(Code::too_large, std::move(what)); }
Error broken(std::string what) { return fail(Code::corrupt, std::move(what)); }

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 100)) out.push_back(c > 31 && c < 127 ? c : '?');
  return out;
}

class Machine {
 public:
  Machine(Source& source, uint64_t at, const Place& place, const PickleLimits& limits, int depth,
          FileReport& report)
      : source_(source),
        cursor_(source, at),
        place_(place),
        limits_(limits),
        depth_(depth),
        report_(report) {}

  PickleOutcome run() {
    PickleOutcome outcome;
    while (true) {
      run_common(outcome.opcodes);
      const uint64_t at = cursor_.position();
      offset_ = at;
      if (++outcome.opcodes > limits_.opcodes_max) {
        outcome.how = PickleEnd::limit;
        outcome.detail = "it has too many opcodes";
        break;
      }
      auto code = cursor_.byte();
      Result<bool> more = code.ok() ? step(code.value()) : Result<bool>(std::move(code).error());
      if (!more.ok()) {
        outcome.how = more.error().code == Code::too_large ? PickleEnd::limit : PickleEnd::broken;
        outcome.detail = fmt::format("{} (offset {})", more.error().message, at);
        break;
      }
      if (!more.value()) {
        outcome.how = PickleEnd::stop;
        break;
      }
    }
    outcome.end = cursor_.position();
    outcome.globals = globals_.size();
    return outcome;
  }

 private:
  using Kind = Value::Kind;

  Status push(Value value) {
    if (stack_.size() >= limits_.stack_max) return over("its stack grows too deep");
    stack_.push(value);
    return Done{};
  }
  Status push_plain() { return push({}); }
  Status push_text(std::string_view text) {
    text_bytes_ += text.size();
    if (text_bytes_ > limits_.text_bytes_max) return over("it has too many texts");
    look_within(text);
    texts_.emplace_back(text);
    return push({Kind::written, texts_.size() - 1});
  }
  // A text of the source, whose place is kept in its stead.
  Status push_text_at(uint64_t position, std::string_view text) {
    look_within(text);
    return push(Value::text_at(position, text.size()));
  }
  Result<std::string> text_of(Value value) {
    if (value.kind() == Kind::written) return texts_[value.number()];
    TRY(const Bytes bytes, read_some(source_, value.position(), value.length()));
    return std::string(as_text(bytes));
  }
  static bool is_text(Value value) { return value.kind() == Kind::text || value.kind() == Kind::written; }
  // Nothing lies below a mark that an opcode may take without taking the mark.
  Result<Value> pop() {
    TRY(const Value value, top());
    stack_.pop();
    return value;
  }
  Result<Value> top() {
    if (stack_.above_mark() == 0) return broken("an opcode finds nothing on the stack");
    return stack_.back();
  }
  Status drop_to_mark() {
    if (!stack_.has_mark()) return broken("an opcode finds no mark");
    stack_.drop_to_mark();
    return Done{};
  }

  Status remember(uint64_t key) {
    TRY(const Value value, top());
    if (memo_.size() >= limits_.memo_max) return over("its memo grows too large");
    memo_.put(key, value);
    return Done{};
  }
  Status recall(uint64_t key) {
    const Value* found = memo_.find(key);
    if (found == nullptr) return broken("it recalls what it never remembered");
    return push(*found);
  }

  void find(Severity severity, std::string rule, std::string reason) {
    Place place = place_;
    place.offset = offset_;
    report_.add({Topic::pickle, std::move(rule), severity, std::move(place), std::move(reason)});
  }

  Status push_global(GlobalName global) {
    const std::string path = printable(global.module) + "." + printable(global.name);
    const Safety safety = global.unknown ? Safety::dangerous : safety_of(global.module, global.name);
    if (seen_.insert(path).second) {
      if (global.unknown)
        find(Severity::dangerous, "pickle.unknown-name", "looks up a name that is computed while loading");
      else if (safety == Safety::dangerous)
        find(Severity::dangerous, "pickle.global",
             fmt::format("loading it looks up {}, which can run code", path));
      else if (safety == Safety::suspicious)
        find(Severity::warning, "pickle.global",
             fmt::format("loading it looks up {}, which is not known to be harmless", path));
      if (report_.imports.size() < imports_max && seen_.size() <= imports_max)
        report_.imports.push_back(
            {global.unknown ? "unknown" : global.module, global.unknown ? "unknown" : global.name, safety});
    }
    if (globals_.size() >= limits_.memo_max) return over("it looks up too many names");
    globals_.push_back(safety);
    return push({Kind::global, globals_.size() - 1});
  }
  Status stack_global() {
    TRY(const Value name, pop());
    TRY(const Value module, pop());
    // Python refuses what is no text before it looks anything up.
    if (name.kind() == Kind::plain || module.kind() == Kind::plain) return broken("a name that is no text");
    GlobalName global;
    global.unknown = !is_text(name) || !is_text(module);
    if (!global.unknown) {
      TRY(global.module, text_of(module));
      TRY(global.name, text_of(name));
    }
    return push_global(std::move(global));
  }
  Status global_lines() {
    GlobalName global;
    TRY(const std::string_view module, cursor_.line());
    global.module = module;
    TRY(const std::string_view name, cursor_.line());
    global.name = name;
    return push_global(std::move(global));
  }

  Status call(Value callable) {
    if (callable.kind() != Kind::global && !computed_call_) {
      computed_call_ = true;
      find(Severity::dangerous, "pickle.computed-call", "calls something that is computed while loading");
    }
    return push({Kind::computed, 0});
  }
  // Items or state put into `target`; a class or module is no place for them.
  void check_target(Value target) {
    if (target.kind() != Kind::global || patched_) return;
    patched_ = true;
    find(Severity::dangerous, "pickle.patch", "changes a class or a module while loading");
  }

  // Pickles within strings, plain or in base64: something will load them.
  void look_within(std::string_view text) {
    if (depth_ >= limits_.depth_max || nested_ > 1000) return;
    if (has_pickle_magic(as_bytes(text))) {
      nested(as_bytes(text));
    } else if (text.size() >= 20 && text.starts_with("gA") && text.size() < nested_bytes_max) {
      const auto decoded = codec::base64_decode(text);
      if (decoded.ok() && has_pickle_magic(decoded.value())) nested(decoded.value());
    }
  }
  void nested(ByteView bytes) {
    ++nested_;
    const auto inner = memory_source(bytes);
    Place place = place_;
    place.member += fmt::format("{}nested@{}", place.member.empty() ? "" : "!", offset_);
    FileReport within;
    const PickleOutcome outcome = Machine(*inner, 0, place, limits_, depth_ + 1, within).run();
    // Bytes that happen to begin like one.
    if (outcome.how == PickleEnd::broken && outcome.globals == 0) return;
    if (outcome.how == PickleEnd::limit)
      within.add(
          {Topic::pickle, "pickle.limit", Severity::dangerous, place, "a pickle within: " + outcome.detail});
    for (Finding& finding : within.findings) report_.add(std::move(finding));
    for (Import& import : within.imports)
      if (report_.imports.size() < imports_max) report_.imports.push_back(std::move(import));
  }

  Status source_text(uint64_t length) {
    if (length <= kept_text_max) {
      const uint64_t position = cursor_.position();
      TRY(const ByteView bytes, cursor_.take(length));
      return push_text_at(position, as_text(bytes));
    }
    TRY_DONE(bytes_within(length));
    return push({Kind::computed, 0});  // Longer than any name: whoever looks it up is stopped.
  }
  Status bytes_of(uint64_t length) {
    TRY_DONE(bytes_within(length));
    return push_plain();
  }
  Status bytes_within(uint64_t length) {
    const uint64_t at = cursor_.position();
    TRY_DONE(cursor_.skip(length));
    if (length < 4 || length > nested_bytes_max || depth_ >= limits_.depth_max) return Done{};
    TRY(const Bytes first, read_some(source_, at, 3));
    const std::string_view head = as_text(first);
    if (!has_pickle_magic(first) && !head.starts_with("gA")) return Done{};
    TRY(const Bytes all, read_some(source_, at, length));
    look_within(as_text(all));
    return Done{};
  }
  // Bytes whose length is a number of `width` bytes.
  Result<uint64_t> length(size_t width) {
    TRY(const uint64_t value, cursor_.number(width));
    if (value > cursor_.left()) return broken("a length goes past the end");
    return value;
  }
  Result<uint64_t> line_number() {
    TRY(const std::string_view line, cursor_.line());
    uint64_t value = 0;
    if (line.empty() || line.size() > 18) return broken("a number is none");
    for (const char c : line) {
      if (c == '\r') continue;
      if (c < '0' || c > '9') return broken("a number is none");
      value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    return value;
  }
  Status take_off(int count) {
    for (int i = 0; i < count; ++i) TRY_DONE(pop());
    return Done{};
  }
  Status skip_plain(uint64_t count) {
    TRY_DONE(cursor_.skip(count));
    return push_plain();
  }

  void run_common(uint64_t& opcodes);

  Result<bool> step(uint8_t code);
  Status step_plain(uint8_t code);
  Status step_collection(uint8_t code);
  Status step_memo(uint8_t code);
  Status step_object(uint8_t code);
  Status proto();

  Source& source_;
  Cursor cursor_;
  const Place& place_;
  const PickleLimits& limits_;
  const int depth_;
  FileReport& report_;

  ValueStack stack_;
  ValueMemo memo_;
  std::vector<std::string> texts_;
  std::vector<Safety> globals_;
  std::unordered_set<std::string> seen_;
  uint64_t offset_ = 0, text_bytes_ = 0;
  int nested_ = 0, protos_ = 0;
  bool computed_call_ = false, patched_ = false;
};

void Machine::run_common(uint64_t& opcodes) {
  if (limits_.plainly) return;
  while (true) {
    // Each opcode puts at most one value on the stack and one into the memo, so none of these can go over its
    // limit.
    const auto left = [](uint64_t most, uint64_t now) { return most > now ? most - now : 0; };
    const uint64_t most =
        std::min({left(limits_.opcodes_max, opcodes), left(limits_.stack_max, stack_.size()),
                  left(limits_.memo_max, memo_.size())});
    const auto hand = cursor_.at_hand();
    if (!hand.ok() || most == 0) return;
    const CommonRun run =
        scan::run_common(hand.value(), cursor_.position(), most, depth_ < limits_.depth_max, stack_, memo_);
    cursor_.pass(run.bytes);
    opcodes += run.opcodes;
    // Where it stopped at an opcode that lies whole at hand, that one is for the machine. Near the end of
    // what was at hand there may be more behind it.
    if (run.opcodes == 0 || (run.opcodes < most && hand.value().size() - run.bytes > 16)) return;
  }
}

Status Machine::proto() {
  TRY(const uint8_t version, cursor_.byte());
  if (version > 5) return broken("a protocol that does not exist");
  if (++protos_ == 2) find(Severity::warning, "pickle.structure", "announces its protocol more than once");
  return Done{};
}

Result<bool> Machine::step(uint8_t code) {
  switch (code) {
    case '.': {
      TRY_DONE(pop());
      return false;
    }
    case 0x80:
      TRY_DONE(proto());
      return true;
    case 0x95:  // FRAME: a hint for buffering.
      TRY_DONE(cursor_.skip(8));
      return true;
    // Looking up and calling.
    case 'c':
    case 0x93:
    case 'i':
    case 'R':
    case 'o':
    case 0x81:
    case 0x92:
    case 'b':
    case 0x82:
    case 0x83:
    case 0x84:
    case 'P':
    case 'Q':
      TRY_DONE(step_object(code));
      return true;
    case 'p':
    case 'q':
    case 'r':
    case 0x94:
    case 'g':
    case 'h':
    case 'j':
      TRY_DONE(step_memo(code));
      return true;
    case '(':
    case '0':
    case '1':
    case '2':
    case 't':
    case ')':
    case 0x85:
    case 0x86:
    case 0x87:
    case 'l':
    case ']':
    case 'd':
    case '}':
    case 'a':
    case 'e':
    case 's':
    case 'u':
    case 0x8f:
    case 0x90:
    case 0x91:
      TRY_DONE(step_collection(code));
      return true;
    default:
      TRY_DONE(step_plain(code));
      return true;
  }
}

Status Machine::step_object(uint8_t code) {
  switch (code) {
    case 'c':
      return global_lines();
    case 0x93:
      return stack_global();
    case 'i': {  // INST: class by lines, arguments from the mark.
      TRY_DONE(global_lines());
      TRY(const Value made, pop());
      TRY_DONE(drop_to_mark());
      return call(made);
    }
    case 'o': {  // OBJ: the class is the first after the mark.
      if (!stack_.has_mark()) return broken("an opcode finds no mark");
      if (stack_.above_mark() == 0) return broken("an object without a class");
      const Value made = stack_.first_above_mark();
      stack_.drop_to_mark();
      return call(made);
    }
    case 0x92:  // NEWOBJ_EX: class, arguments, named arguments.
      TRY_DONE(pop());
      [[fallthrough]];
    case 'R':
    case 0x81: {
      TRY_DONE(pop());
      TRY(const Value callable, pop());
      return call(callable);
    }
    case 'b': {  // BUILD
      TRY_DONE(pop());
      TRY(const Value target, top());
      check_target(target);
      return Done{};
    }
    case 'P': {  // A persistent id: whoever loads the pickle resolves it.
      TRY_DONE(cursor_.line());
      return push({Kind::computed, 0});
    }
    case 'Q':
      TRY_DONE(pop());
      return push({Kind::computed, 0});
    default: {  // EXT1, 2, 4: a name from the loader's own registry.
      TRY_DONE(cursor_.skip(code == 0x82 ? 1 : code == 0x83 ? 2 : 4));
      return push_global({.module = {}, .name = {}, .unknown = true});
    }
  }
}

Status Machine::step_memo(uint8_t code) {
  uint64_t key = memo_.size();
  switch (code) {
    case 0x94:
      return remember(key);
    case 'p':
    case 'g': {
      TRY(key, line_number());
      break;
    }
    default: {
      TRY(key, cursor_.number(code == 'q' || code == 'h' ? 1 : 4));
    }
  }
  return code == 'p' || code == 'q' || code == 'r' ? remember(key) : recall(key);
}

Status Machine::step_collection(uint8_t code) {
  switch (code) {
    case '(':
      if (stack_.size() >= limits_.stack_max) return over("its stack grows too deep");
      stack_.push_mark();
      return Done{};
    case '0':  // POP takes a mark as well.
      if (stack_.empty()) return broken("an opcode finds nothing on the stack");
      stack_.pop();
      return Done{};
    case '1':
      return drop_to_mark();
    case '2': {
      TRY(const Value value, top());
      return push(value);
    }
    case 't':
    case 'l':
    case 'd':
    case 0x91:  // TUPLE, LIST, DICT, FROZENSET
      TRY_DONE(drop_to_mark());
      return push_plain();
    case 0x85:
    case 0x86:
    case 0x87:
      TRY_DONE(take_off(code - 0x84));
      return push_plain();
    case 'a':
    case 's': {
      TRY_DONE(take_off(code == 'a' ? 1 : 2));
      TRY(const Value target, top());
      check_target(target);
      return Done{};
    }
    case 'e':
    case 'u':
    case 0x90: {  // APPENDS, SETITEMS, ADDITEMS
      TRY_DONE(drop_to_mark());
      TRY(const Value target, top());
      check_target(target);
      return Done{};
    }
    default:  // Empty tuple, list, dict, set.
      return push_plain();
  }
}

Status Machine::step_plain(uint8_t code) {
  switch (code) {
    case 'N':
    case 0x88:
    case 0x89:
      return push_plain();
    case 'I':
    case 'L':
    case 'F':
      TRY_DONE(cursor_.line());
      return push_plain();
    case 'K':
      return skip_plain(1);
    case 'M':
      return skip_plain(2);
    case 'J':
      return skip_plain(4);
    case 'G':
      return skip_plain(8);
    case 0x8a:
    case 0x8b: {
      TRY(const uint64_t count, length(code == 0x8a ? 1 : 4));
      return skip_plain(count);
    }
    case 'S': {
      TRY(const std::string_view line, cursor_.line());
      auto text = unquote_repr(line);
      if (!text) return broken("a string without its quotes");
      return push_text(*text);
    }
    case 'V': {
      TRY(const std::string_view line, cursor_.line());
      return push_text(undo_raw_unicode(line));
    }
    case 'T':
    case 'X': {
      TRY(const uint64_t count, length(4));
      return source_text(count);
    }
    case 'U':
    case 0x8c: {
      TRY(const uint64_t count, length(1));
      return source_text(count);
    }
    case 0x8d: {
      TRY(const uint64_t count, length(8));
      return source_text(count);
    }
    case 'B': {
      TRY(const uint64_t count, length(4));
      return bytes_of(count);
    }
    case 'C': {
      TRY(const uint64_t count, length(1));
      return bytes_of(count);
    }
    case 0x8e:
    case 0x96: {
      TRY(const uint64_t count, length(8));
      return bytes_of(count);
    }
    case 0x97:  // NEXT_BUFFER: whatever the loader has there.
      return push({Kind::computed, 0});
    case 0x98:  // READONLY_BUFFER
      return Done{};
    default:
      return broken(fmt::format("0x{:02x} is no opcode", code));
  }
}

}  // namespace

bool has_pickle_magic(ByteView first) {
  return first.size() >= 3 && first[0] == std::byte{0x80} && first[1] <= std::byte{5};
}

PickleOutcome follow_pickle(Source& source, uint64_t at, const Place& place, const PickleLimits& limits,
                            FileReport& report) {
  return Machine(source, at, place, limits, 0, report).run();
}

}  // namespace holdfast::scan
