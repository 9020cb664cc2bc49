// Validation of UTF-8 by blocks of 16 bytes: three tables looked at with half bytes say together which two
// neighbours cannot be, and what must be a third or fourth byte is known from the lead (Keiser and Lemire,
// "Validating UTF-8 in less than one instruction per byte", 2021).
#include <tmmintrin.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "token/unicode/utf8_blocks.h"

namespace holdfast::token {
namespace {

// What is wrong with a byte and the one before it: a bit each, set in all three tables where it is so.
enum Wrong : uint8_t {
  too_short = 1,        // A lead or ASCII after a lead.
  too_long = 2,         // A continuation after ASCII.
  overlong_3 = 4,       // E0 80..9F
  too_large = 8,        // F4 90.. and F5 to FF
  surrogate = 16,       // ED A0..BF
  overlong_2 = 32,      // C0, C1
  overlong_4 = 64,      // F0 80..8F
  too_large_1000 = 64,  // F5 80..8F: told from the former by the lead.
  two_following = 128,  // Two continuations, which a third or fourth byte may be.
};
constexpr uint8_t any_lead = too_short | too_long | two_following;

using Table = std::array<uint8_t, 16>;

// By the high half of the byte before.
constexpr Table high_before = [] {
  Table out{};
  for (size_t i = 0; i < 8; ++i) out[i] = too_long;
  for (size_t i = 8; i < 12; ++i) out[i] = two_following;
  out[12] = too_short | overlong_2;
  out[13] = too_short;
  out[14] = too_short | overlong_3 | surrogate;
  out[15] = too_short | too_large | too_large_1000 | overlong_4;
  return out;
}();

// By its low half.
constexpr Table low_before = [] {
  Table out{};
  for (size_t i = 0; i < 16; ++i) out[i] = any_lead | (i > 4 ? too_large | too_large_1000 : 0);
  out[0] |= overlong_3 | overlong_2 | overlong_4;
  out[1] |= overlong_2;
  out[4] |= too_large;
  out[13] |= surrogate;
  return out;
}();

// By the high half of the byte itself.
constexpr Table high_here = [] {
  Table out{};
  for (size_t i = 0; i < 16; ++i) out[i] = too_short;
  constexpr uint8_t following = too_long | overlong_2 | two_following;
  out[8] = following | overlong_3 | too_large_1000 | overlong_4;
  out[9] = following | overlong_3 | too_large;
  out[10] = out[11] = following | surrogate | too_large;
  return out;
}();

__attribute__((target("ssse3"))) __m128i table_of(const Table& table) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(table.data()));
}

// Not 0 where `here`, after the block `before`, is wrong.
__attribute__((target("ssse3"))) __m128i wrong_in(__m128i here, __m128i before) {
  const __m128i half = _mm_set1_epi8(15);
  const __m128i one = _mm_alignr_epi8(here, before, 15), two = _mm_alignr_epi8(here, before, 14),
                three = _mm_alignr_epi8(here, before, 13);
  const auto high = [&](__m128i bytes) __attribute__((target("ssse3"))) {
    return _mm_and_si128(_mm_srli_epi16(bytes, 4), half);
  };
  const __m128i pairs =
      _mm_and_si128(_mm_and_si128(_mm_shuffle_epi8(table_of(high_before), high(one)),
                                  _mm_shuffle_epi8(table_of(low_before), _mm_and_si128(one, half))),
                    _mm_shuffle_epi8(table_of(high_here), high(here)));
  // The third byte after E0 and up, the fourth after F0 and up: the highest bit is set.
  const __m128i must_follow = _mm_or_si128(_mm_subs_epu8(two, _mm_set1_epi8(0xE0 - 0x80)),
                                           _mm_subs_epu8(three, _mm_set1_epi8(0xF0 - 0x80)));
  return _mm_xor_si128(_mm_and_si128(must_follow, _mm_set1_epi8(static_cast<char>(0x80))), pairs);
}

__attribute__((target("ssse3"))) bool is_valid_by_ssse3(const char* text, size_t bytes) {
  __m128i before = _mm_setzero_si128(), wrong = before;
  bool ascii_before = true;
  const auto take = [&](const char* at) __attribute__((target("ssse3"))) {
    const __m128i here = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const bool ascii = _mm_movemask_epi8(here) == 0;
    if (!ascii || !ascii_before) wrong = _mm_or_si128(wrong, wrong_in(here, before));
    ascii_before = ascii;
    before = here;
  };
  size_t at = 0;
  for (; at + 16 <= bytes; at += 16) take(text + at);
  // Zeros after the text: what is not whole by then is followed by ASCII.
  char last[16] = {};
  if (at < bytes) std::memcpy(last, text + at, bytes - at);
  take(last);
  return _mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128())) == 0xFFFF;
}

}  // namespace

bool can_validate_by_blocks() {
  static const bool can = __builtin_cpu_supports("ssse3");
  return can;
}

bool is_valid_by_blocks(std::string_view text) { return is_valid_by_ssse3(text.data(), text.size()); }

}  // namespace holdfast::token
