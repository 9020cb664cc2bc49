#pragma once

#include <cstddef>
#include <cstdint>

#include "token/fast/code_flags.h"
#include "token/fast/runs.h"

// The patterns of well-known byte-level tokenizers by hand. Each scanner has `next(at, end)`: the end of the
// piece that begins at `at`, at < end, in a text that ends at `end`: what the pattern matches there, or the
// characters up to its next match. The only look-ahead in the patterns is `\s+(?!\S)`: white space gives back
// its last character unless the text ends. scanners_test.cpp holds each to PCRE2.
namespace holdfast::token {

inline bool is_ascii_letter(uint8_t byte) { return static_cast<uint8_t>((byte | 0x20) - 'a') < 26; }

// Bytes of 's 't 'm 'd 're 've 'll at `at`, which has an apostrophe; 0 if it is none. `fold`: upper case too,
// and the long s that folds to s.
template <bool fold>
inline size_t contraction(const uint8_t* at, const uint8_t* end) {
  const auto left = end - at;
  if (left < 2) return 0;
  const uint8_t one = fold ? at[1] | (at[1] < 0x80 ? 0x20 : 0) : at[1];
  if (one == 's' || one == 't' || one == 'm' || one == 'd') {
    // With 0x20 set other bytes become these letters too: none, they are letters in both cases.
    return 2;
  }
  if (left < 3) return 0;
  if (fold && at[1] == 0xC5 && at[2] == 0xBF) return 3;
  const uint8_t two = fold ? at[2] | (at[2] < 0x80 ? 0x20 : 0) : at[2];
  if ((one == 'r' || one == 'v') && two == 'e') return 3;
  return one == 'l' && two == 'l' ? 3 : 0;
}

// The end of white space [at, run) without a line end in it to stop at: \s+(?!\S)|\s+.
inline const uint8_t* give_back(const uint8_t* at, const uint8_t* run, const uint8_t* end) {
  if (run == end) return run;
  const uint8_t* last = run - 1;
  while ((*last & 0xC0U) == 0x80U) --last;
  return last > at ? last : run;
}

// \s*[\r\n]+|\s+(?!\S)|\s+ where white space begins.
inline const uint8_t* end_of_space(const uint8_t* at, const uint8_t* end, const uint8_t* flags) {
  const uint8_t* const run = runs::end_of<runs::AsciiSpaces>(at, end, flags, flag_space);
  for (const uint8_t* line = run; line > at; --line)
    if (line[-1] == '\n' || line[-1] == '\r') return line;
  return give_back(at, run, end);
}

// GPT-2: 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
struct Gpt2Scanner {
  const uint8_t* flags = code_flags();

  const uint8_t* next(const uint8_t* at, const uint8_t* end) const {
    const uint8_t* body = at;
    if (*at == ' ' && end - at > 1) ++body;
    Decoded first = decode(body);
    uint8_t kind = flags[first.code];
    if ((kind & flag_letter) != 0) return runs::end_of<runs::AsciiLetters>(body, end, flags, flag_letter);
    if (body == at && *at == '\'')
      if (const size_t bytes = contraction<false>(at, end)) return at + bytes;
    if ((kind & flag_number) != 0) return runs::end_of<runs::AsciiDigits>(body, end, flags, flag_number);
    if ((kind & flag_space) == 0)
      return runs::end_of<runs::AsciiOthers, true>(body, end, flags, flag_letter | flag_number | flag_space);
    return give_back(at, runs::end_of<runs::AsciiSpaces>(at, end, flags, flag_space), end);
  }
};

// cl100k, Llama-3 (digits_max 3), Qwen2 (1), and with word_flags of marks Qwen3.5:
// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
// ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
template <int digits_max, uint8_t word_flags>
struct Cl100kScanner {
  const uint8_t* flags = code_flags();

  const uint8_t* next(const uint8_t* at, const uint8_t* end) const {
    const Decoded first = decode(at);
    const uint8_t kind = flags[first.code];
    if ((kind & word_flags) != 0) return word_end(at, end);
    if (*at == '\'')
      if (const size_t bytes = contraction<true>(at, end)) return at + bytes;
    if ((kind & flag_number) != 0) return number_end(at, end);
    const uint8_t* const after = at + first.bytes;
    uint8_t kind_after = 0;
    if (after < end) {
      kind_after = flags[decode(after).code];
      if ((kind & flag_line) == 0 && (kind_after & word_flags) != 0) return word_end(after, end);
    }
    constexpr uint8_t not_other = flag_space | flag_number | word_flags;
    const bool spaced = *at == ' ' && after < end && (kind_after & not_other) == 0;
    if (spaced || (kind & not_other) == 0) {
      const uint8_t* last = runs::end_of<runs::AsciiOthers, true>(spaced ? after : at, end, flags, not_other);
      while (last < end && (*last == '\n' || *last == '\r')) ++last;
      return last;
    }
    return end_of_space(at, end, flags);
  }

 private:
  const uint8_t* word_end(const uint8_t* at, const uint8_t* end) const {
    return runs::end_of<runs::AsciiLetters>(at, end, flags, word_flags);
  }
  const uint8_t* number_end(const uint8_t* at, const uint8_t* end) const {
    for (int i = 0; i < digits_max && at < end; ++i) {
      const Decoded one = decode(at);
      if ((flags[one.code] & flag_number) == 0) break;
      at += one.bytes;
    }
    return at;
  }
};

// o200k (GPT-4o): words in two halves by case, a contraction as suffix, a slash after punctuation like a line
// end.
struct O200kScanner {
  const uint8_t* flags = code_flags();

  const uint8_t* next(const uint8_t* at, const uint8_t* end) const {
    const Decoded first = decode(at);
    const uint8_t kind = flags[first.code];
    const bool may_prefix = (kind & (flag_letter | flag_number | flag_line)) == 0;
    const uint8_t* const after = at + first.bytes;
    if (may_prefix && after < end)
      if (const uint8_t* word = lower_word(after, end)) return suffix(word, end);
    if ((kind & (flag_letter | flag_mark)) != 0)
      if (const uint8_t* word = lower_word(at, end)) return suffix(word, end);
    if (may_prefix && after < end)
      if (const uint8_t* word = upper_word(after, end)) return suffix(word, end);
    if ((kind & (flag_letter | flag_mark)) != 0)
      if (const uint8_t* word = upper_word(at, end)) return suffix(word, end);
    if ((kind & flag_number) != 0) return number_end(at, end);
    constexpr uint8_t not_other = flag_space | flag_letter | flag_number;
    const bool spaced = *at == ' ' && after < end && (flags[decode(after).code] & not_other) == 0;
    if (spaced || (kind & not_other) == 0) {
      const uint8_t* last = runs::end_of<runs::AsciiOthers, true>(spaced ? after : at, end, flags, not_other);
      while (last < end && (*last == '\n' || *last == '\r' || *last == '/')) ++last;
      return last;
    }
    return end_of_space(at, end, flags);
  }

 private:
  static bool is_upper(uint8_t kind) {  // Lu, Lt, Lm, Lo, M
    return (kind & (flag_letter | flag_mark)) != 0 && (kind & flag_lower) == 0;
  }
  static bool is_lower(uint8_t kind) {  // Ll, Lm, Lo, M
    return (kind & (flag_letter | flag_mark)) != 0 && (kind & flag_upper) == 0;
  }

  // [upper]*[lower]+
  const uint8_t* lower_word(const uint8_t* at, const uint8_t* end) const {
    const uint8_t* p = at;
    const uint8_t* both_end = nullptr;  // After the last character that is of both.
    while (p < end) {
      const Decoded one = decode(p);
      const uint8_t kind = flags[one.code];
      if (!is_upper(kind)) break;
      p += one.bytes;
      if (is_lower(kind)) both_end = p;
    }
    if (p < end && is_lower(flags[decode(p).code])) {
      do {
        p = runs::end_of<runs::AsciiLower>(p, end, flags, flag_lower);
        if (p >= end) break;
        const Decoded one = decode(p);
        if (!is_lower(flags[one.code])) break;
        p += one.bytes;
      } while (p < end);
      return p;
    }
    return both_end;
  }

  // [upper]+[lower]* where lower_word found none: no lower follows.
  const uint8_t* upper_word(const uint8_t* at, const uint8_t* end) const {
    const uint8_t* p = at;
    while (p < end) {
      const Decoded one = decode(p);
      if (!is_upper(flags[one.code])) break;
      p += one.bytes;
    }
    return p > at ? p : nullptr;
  }

  static const uint8_t* suffix(const uint8_t* at, const uint8_t* end) {
    return at < end && *at == '\'' ? at + contraction<true>(at, end) : at;
  }

  const uint8_t* number_end(const uint8_t* at, const uint8_t* end) const {
    for (int i = 0; i < 3 && at < end; ++i) {
      const Decoded one = decode(at);
      if ((flags[one.code] & flag_number) == 0) break;
      at += one.bytes;
    }
    return at;
  }
};

// DeepSeek-V3: \p{N}{1,3} cut out, then runs of ideographs and kana, then the rest by
// [ASCII punctuation][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|
// ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ Each cut ends the text for what comes after it.
struct DeepSeekScanner {
  const uint8_t* flags = code_flags();

  static bool is_kana_or_ideograph(uint32_t code) {
    return (code >= 0x4E00 && code <= 0x9FA5) || (code >= 0x3040 && code <= 0x30FF);
  }

  const uint8_t* next(const uint8_t* at, const uint8_t* end) const {
    const Decoded first = decode(at);
    const uint8_t kind = flags[first.code];
    if ((kind & flag_number) != 0) {
      for (int i = 0; i < 3 && at < end; ++i) {
        const Decoded one = decode(at);
        if ((flags[one.code] & flag_number) == 0) break;
        at += one.bytes;
      }
      return at;
    }
    if (is_kana_or_ideograph(first.code)) return kana_end(at, end, first, kind);
    if (const uint8_t* match = rest(at, end, first, kind)) return match;
    // Characters that nothing matches are one piece.
    const uint8_t* p = at + first.bytes;
    while (p < end) {
      const Decoded one = decode(p);
      const uint8_t next_kind = flags[one.code];
      if ((next_kind & flag_number) != 0 || is_kana_or_ideograph(one.code) ||
          rest(p, end, one, next_kind) != nullptr)
        break;
      p += one.bytes;
    }
    return p;
  }

 private:
  static constexpr uint8_t flags_word = flag_letter | flag_mark;

  // Whether kana or an ideograph of these kinds is at `at`.
  bool is_kana_of(const uint8_t* at, const uint8_t* end, uint8_t kinds) const {
    if (at >= end) return false;
    const Decoded one = decode(at);
    return is_kana_or_ideograph(one.code) && (flags[one.code] & kinds) != 0;
  }
  const uint8_t* kana_run(const uint8_t* at, const uint8_t* end, uint8_t kinds) const {
    while (is_kana_of(at, end, kinds)) at += decode(at).bytes;
    return at;
  }
  // The third pattern within a run of kana and ideographs: words, punctuation, codes that are not assigned.
  const uint8_t* kana_end(const uint8_t* at, const uint8_t* end, Decoded first, uint8_t kind) const {
    const uint8_t* p = at + first.bytes;
    if ((kind & flag_symbol) != 0) return kana_run(p, end, flag_symbol);
    if ((kind & flags_word) != 0 || is_kana_of(p, end, flags_word)) return kana_run(p, end, flags_word);
    // Not assigned and before no word: one piece up to what matches again.
    while (p < end) {
      const Decoded one = decode(p);
      const uint8_t* const after = p + one.bytes;
      if (!is_kana_or_ideograph(one.code) || (flags[one.code] & (flags_word | flag_symbol)) != 0 ||
          is_kana_of(after, end, flags_word))
        break;
      p = after;
    }
    return p;
  }

  // True where the text of the third pattern ends: at the end, a number, kana or an ideograph.
  bool stops(const uint8_t* at, const uint8_t* end) const {
    if (at >= end) return true;
    const Decoded one = decode(at);
    return (flags[one.code] & flag_number) != 0 || is_kana_or_ideograph(one.code);
  }

  const uint8_t* word_end(const uint8_t* at, const uint8_t* end) const {
    while (true) {
      if (end - at >= 16) {
        const auto count = std::countr_one(runs::AsciiLetters::of(runs::load(at)));
        at += count;
        if (count == 16) continue;
      }
      while (at < end && is_ascii_letter(*at)) ++at;
      if (at >= end || *at < 0x80) return at;
      const Decoded wide = decode_wide(at);
      if ((flags[wide.code] & (flag_letter | flag_mark)) == 0 || is_kana_or_ideograph(wide.code)) return at;
      at += wide.bytes;
    }
  }

  bool is_word(const uint8_t* at, const uint8_t* end) const {
    if (at >= end) return false;
    const Decoded one = decode(at);
    return (flags[one.code] & (flag_letter | flag_mark)) != 0 && !is_kana_or_ideograph(one.code);
  }

  const uint8_t* rest(const uint8_t* at, const uint8_t* end, Decoded first, uint8_t kind) const {
    const uint8_t* const after = at + first.bytes;
    if (first.bytes == 1 && (kind & flag_symbol) != 0 && after < end && is_ascii_letter(*after)) {
      const uint8_t* p = after;
      while (p < end && is_ascii_letter(*p)) ++p;
      return p;
    }
    if ((kind & (flag_letter | flag_mark)) != 0) return word_end(at, end);
    if ((kind & (flag_line | flag_symbol)) == 0 && is_word(after, end)) return word_end(after, end);
    const bool spaced =
        *at == ' ' && after < end && (flags[decode(after).code] & flag_symbol) != 0 && !stops(after, end);
    if (spaced || (kind & flag_symbol) != 0) {
      const uint8_t* p = spaced ? after : at;
      while (p < end) {
        const Decoded one = decode(p);
        if ((flags[one.code] & flag_symbol) == 0 || is_kana_or_ideograph(one.code)) break;
        p += one.bytes;
      }
      while (p < end && (*p == '\n' || *p == '\r')) ++p;
      return p;
    }
    if ((kind & flag_space) == 0) return nullptr;
    const uint8_t* const run = runs::end_of<runs::AsciiSpaces>(at, end, flags, flag_space);
    for (const uint8_t* line = run; line > at; --line)
      if (line[-1] == '\n' || line[-1] == '\r') return line;
    return stops(run, end) ? run : give_back(at, run, end);
  }
};

}  // namespace holdfast::token
