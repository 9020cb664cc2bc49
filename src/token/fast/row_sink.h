#pragma once

#include <bit>

#include "token/fast/sinks.h"

namespace holdfast::token {

// Ids, offsets and words of byte-level words: ends are bytes of the word, offsets count code points; a token
// that holds a part of a character gets all of it.
class ByteRowSink {
 public:
  ByteRowSink(const WordModel& model, Workspace& workspace, uint32_t first_code, int32_t first_word,
              Rows& out)
      : model_(model), workspace_(workspace), out_(out), code_(first_code), word_(first_word) {}

  bool word(const uint8_t* word, size_t bytes, size_t readable) {
    WordTokens tokens;
    if (!tokens_of(word, bytes, readable, model_, workspace_, tokens)) [[unlikely]]
      return false;
    const size_t at = out_.ids.size();
    out_.ids.resize(at + tokens.count);
    out_.offsets.resize(at + tokens.count);
    out_.words.resize(at + tokens.count);
    std::copy_n(tokens.ids, tokens.count, out_.ids.data() + at);
    std::fill_n(out_.words.data() + at, tokens.count, word_++);
    Span* const offsets = out_.offsets.data() + at;
    if (is_ascii(word, bytes)) [[likely]] {
      uint32_t begin = code_;
      for (uint32_t i = 0; i < tokens.count; ++i) {
        const uint32_t end = code_ + end_of(tokens, i);
        offsets[i] = {begin, end};
        begin = end;
      }
      code_ += static_cast<uint32_t>(bytes);
      return true;
    }
    wide(word, bytes, tokens, offsets);
    return true;
  }

  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }

 private:
  uint32_t end_of(const WordTokens& tokens, uint32_t index) const {
    return tokens.ends != nullptr ? tokens.ends[index] : workspace_.ends[index];
  }

  static bool is_ascii(const uint8_t* word, size_t bytes) {
    uint64_t high = 0;
    for (; bytes >= 8; bytes -= 8, word += 8) {
      uint64_t part = 0;
      std::memcpy(&part, word, 8);
      high |= part;
    }
    for (; bytes > 0; --bytes) high |= *word++;
    return (high & 0x8080808080808080U) == 0;
  }

  void wide(const uint8_t* word, size_t bytes, const WordTokens& tokens, Span* offsets) {
    size_t at = 0;
    uint32_t code = code_;  // Code points that begin before `at`.
    for (uint32_t i = 0; i < tokens.count; ++i) {
      const uint32_t end = end_of(tokens, i);
      const bool inside = (word[at] & 0xC0U) == 0x80U;
      const uint32_t begin_code = inside ? code - 1 : code;
      for (; at < end; ++at) code += (word[at] & 0xC0U) != 0x80U ? 1 : 0;
      offsets[i] = {begin_code, code};
    }
    for (; at < bytes; ++at) code += (word[at] & 0xC0U) != 0x80U ? 1 : 0;
    code_ = code;
  }

  const WordModel& model_;
  Workspace& workspace_;
  Rows& out_;
  uint32_t code_;
  int32_t word_;
};

}  // namespace holdfast::token
