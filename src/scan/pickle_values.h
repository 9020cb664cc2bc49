#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace holdfast::scan {

// What is known of something on a pickle's stack, in one word.
class Value {
 public:
  enum class Kind : uint8_t {
    plain,     // None, numbers, bytes, lists, dicts: nothing a name can be made of.
    mark,      // `number` is the place of the mark below it on the stack.
    text,      // Bytes of the source: `position` and `length`.
    written,   // A text that the source spells with escapes: `number` of the machine's texts.
    global,    // `number` of its globals.
    computed,  // The result of a call; could be anything.
  };
  // Of a text that a name may be made of, and of the place of one.
  static constexpr uint64_t text_bytes_max = 1 << 16, position_max = (uint64_t{1} << 44) - 1;

  constexpr Value() = default;
  constexpr Value(Kind kind, uint64_t number) : word_(number << 3 | static_cast<uint64_t>(kind)) {}
  // A text longer or farther than fits is one that nothing is known of.
  static constexpr Value text_at(uint64_t position, uint64_t length) {
    if (length > text_bytes_max || position > position_max) return {Kind::computed, 0};
    return {Kind::text, position << 17 | length};
  }

  constexpr Kind kind() const { return static_cast<Kind>(word_ & 7); }
  constexpr bool is_mark() const { return kind() == Kind::mark; }
  constexpr uint64_t number() const { return word_ >> 3; }
  constexpr uint64_t position() const { return number() >> 17; }
  constexpr size_t length() const { return number() & ((1 << 17) - 1); }

 private:
  uint64_t word_ = 0;
};

// The stack. At its bottom lies a mark that nothing takes, and each mark knows the one below it, so what lies
// above the last mark is found at once and a value above none is one whose neighbour below is a mark.
class ValueStack {
 public:
  ValueStack() : values_(1, Value(Value::Kind::mark, 0)) {}

  size_t size() const { return size_ - 1; }
  bool empty() const { return size() == 0; }
  // How many values lie above the last mark, or in all.
  size_t above_mark() const { return size_ - 1 - mark_; }
  bool has_mark() const { return mark_ != 0; }
  const Value& back() const { return values_[size_ - 1]; }
  void push(Value value) {
    if (size_ == values_.size()) values_.resize(2 * size_);
    values_[size_++] = value;
  }
  void push_mark() {
    push({Value::Kind::mark, mark_});
    mark_ = size_ - 1;
  }
  // There must be one; a mark goes as well.
  void pop() {
    if (back().is_mark()) mark_ = back().number();
    --size_;
  }
  // There must be a mark and a value above it.
  Value first_above_mark() const { return values_[mark_ + 1]; }
  // With the mark; there must be one.
  void drop_to_mark() {
    size_ = mark_;
    mark_ = values_[mark_].number();
  }

  // For one who works on the values themselves: room for `count` more, where they begin, and how it is left.
  struct Hand {
    Value* values;
    size_t size, mark;
  };
  Hand lend(size_t count) {
    if (size_ + count > values_.size()) values_.resize(size_ + count + size_ / 2);
    return {values_.data(), size_, mark_};
  }
  void take_back(size_t size, size_t mark) {
    size_ = size;
    mark_ = mark;
  }

 private:
  std::vector<Value> values_;  // More than there are: size_ of them count.
  size_t size_ = 1, mark_ = 0;
};

// The memo: keys come one after the other in all but strange pickles. In pages, so that growing copies
// nothing.
class ValueMemo {
 public:
  size_t size() const { return dense_ + sparse_.size(); }
  void put(uint64_t key, Value value) {
    if (key < dense_) {
      pages_[key / page_values][key % page_values] = value;
    } else if (key == dense_) {
      if (key % page_values == 0) pages_.push_back(std::make_unique_for_overwrite<Value[]>(page_values));
      pages_.back()[key % page_values] = value;
      ++dense_;
      // It may have been there before its turn.
      if (!sparse_.empty()) sparse_.erase(key);
    } else {
      sparse_[key] = value;
    }
  }
  // Null for what was never remembered.
  const Value* find(uint64_t key) const {
    if (key < dense_) return &pages_[key / page_values][key % page_values];
    const auto found = sparse_.find(key);
    return found == sparse_.end() ? nullptr : &found->second;
  }

 private:
  static constexpr size_t page_values = 8192;
  std::vector<std::unique_ptr<Value[]>> pages_;
  size_t dense_ = 0;
  std::unordered_map<uint64_t, Value> sparse_;
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
