#pragma once

#include <array>
#include <cstdint>
#include <memory>
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

// The stack: where its marks are is known, so that what lies above the last one is found at once.
class ValueStack {
 public:
  size_t size() const { return values_.size(); }
  bool empty() const { return values_.empty(); }
  // How many values lie above the last mark, or in all.
  size_t above_mark() const { return values_.size() - (marks_.empty() ? 0 : marks_.back() + 1); }
  bool has_mark() const { return !marks_.empty(); }
  const Value& back() const { return values_.back(); }
  void push(Value value) {
    if (value.kind == Value::Kind::mark) marks_.push_back(values_.size());
    values_.push_back(value);
  }
  void push_plain() { values_.emplace_back(); }
  void pop() {
    if (values_.back().kind == Value::Kind::mark) marks_.pop_back();
    values_.pop_back();
  }
  // Of values that lie above the last mark.
  void drop(size_t count) { values_.resize(values_.size() - count); }
  // Whether what lies right below the last mark is a value; there must be a mark.
  bool value_below_mark() const {
    return marks_.back() > 0 && values_[marks_.back() - 1].kind != Value::Kind::mark;
  }
  Value first_above_mark() const { return values_[marks_.back() + 1]; }
  // With the mark; there must be one.
  void drop_to_mark() {
    values_.resize(marks_.back());
    marks_.pop_back();
  }

 private:
  std::vector<Value> values_;
  std::vector<size_t> marks_;  // Places in values_, rising.
};

// The memo: keys come one after the other in all but strange pickles.
class ValueMemo {
 public:
  size_t size() const { return dense_.size() + sparse_.size(); }
  void put(uint64_t key, Value value) {
    if (key < dense_.size()) {
      dense_[key] = value;
    } else if (key == dense_.size()) {
      dense_.push_back(value);
      // It may have been there before its turn.
      if (!sparse_.empty()) sparse_.erase(key);
    } else {
      sparse_[key] = value;
    }
  }
  // Null for what was never remembered.
  const Value* find(uint64_t key) const {
    if (key < dense_.size()) return &dense_[key];
    const auto found = sparse_.find(key);
    return found == sparse_.end() ? nullptr : &found->second;
  }

 private:
  std::vector<Value> dense_;
  std::unordered_map<uint64_t, Value> sparse_;
};

// Texts, each kept until the end, one after the other in large blocks.
class TextStore {
 public:
  std::string_view operator[](uint32_t index) const { return texts_[index]; }
  uint32_t keep(std::string_view text) {
    if (text.size() > left_) {
      left_ = text.size() > block_bytes ? text.size() : block_bytes;
      blocks_.push_back(std::make_unique<char[]>(left_));
      next_ = blocks_.back().get();
    }
    text.copy(next_, text.size());
    texts_.emplace_back(next_, text.size());
    next_ += text.size();
    left_ -= text.size();
    return static_cast<uint32_t>(texts_.size() - 1);
  }

 private:
  static constexpr size_t block_bytes = 64 << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::vector<std::string_view> texts_;
  char* next_ = nullptr;
  size_t left_ = 0;
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
