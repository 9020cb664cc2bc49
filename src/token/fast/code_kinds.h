#pragma once

#include <atomic>
#include <memory>

#include "token/normalizers/normalizer.h"

namespace holdfast::token {

// What a code point is to a WordEncoder, found by asking the normalizer once. Any thread.
enum class CodeKind : uint8_t {
  unasked,
  word,       // Becomes part of a word, or nothing.
  separator,  // Becomes white space.
  joiner,     // The same, but what becomes of it may depend on the character before it.
  alone,      // Is a word of its own.
  mark,       // Part of a word, but what it becomes may depend on white space before it.
  odd,        // Becomes something a word begins or ends in: the text is for the plain path.
};

class CodeKinds {
 public:
  enum class Marks : uint8_t { free, bound };  // Whether the normalizer works on grapheme clusters.
  enum class Alone : uint8_t { nothing, punctuation_and_ideographs };

  CodeKinds(const Normalizer& normalizer, Marks marks, Alone alone);

  CodeKind of(uint32_t code) const {
    const auto known = static_cast<CodeKind>(kinds_[code].load(std::memory_order_relaxed));
    return known != CodeKind::unasked ? known : ask(code);
  }

 private:
  CodeKind ask(uint32_t code) const;
  CodeKind classify(uint32_t code) const;

  const Normalizer& normalizer_;
  Marks marks_;
  Alone alone_;
  std::unique_ptr<std::atomic<uint8_t>[]> kinds_;
};

}  // namespace holdfast::token
