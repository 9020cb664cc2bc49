#include "codec/blake3_kernel.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593: its own header warns.
#endif
#include <immintrin.h>

#include <algorithm>

// Sixteen inputs at a time, word i of all of them in one register.
#define HOLD_LANES __attribute__((target("avx512f"), always_inline)) inline

namespace holdfast::codec::blake3_kernel {
namespace {

constexpr size_t lanes = 16;

HOLD_LANES void mix(__m512i& a, __m512i& b, __m512i& c, __m512i& d, __m512i x, __m512i y) {
  a = _mm512_add_epi32(_mm512_add_epi32(a, b), x);
  d = _mm512_ror_epi32(_mm512_xor_si512(d, a), 16);
  c = _mm512_add_epi32(c, d);
  b = _mm512_ror_epi32(_mm512_xor_si512(b, c), 12);
  a = _mm512_add_epi32(_mm512_add_epi32(a, b), y);
  d = _mm512_ror_epi32(_mm512_xor_si512(d, a), 8);
  c = _mm512_add_epi32(c, d);
  b = _mm512_ror_epi32(_mm512_xor_si512(b, c), 7);
}

// Rows of 16 words become columns: 4x4 words within each quarter, then 4x4 quarters.
HOLD_LANES void transpose(__m512i* m) {
  __m512i t[16];
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(m[i], m[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(m[i], m[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    m[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    m[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    m[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    m[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    const __m512i low = _mm512_shuffle_i32x4(m[i], m[i + 4], 0x88);
    const __m512i high = _mm512_shuffle_i32x4(m[i], m[i + 4], 0xDD);
    const __m512i low2 = _mm512_shuffle_i32x4(m[i + 8], m[i + 12], 0x88);
    const __m512i high2 = _mm512_shuffle_i32x4(m[i + 8], m[i + 12], 0xDD);
    t[i] = _mm512_shuffle_i32x4(low, low2, 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(high, high2, 0x88);
    t[i + 8] = _mm512_shuffle_i32x4(low, low2, 0xDD);
    t[i + 12] = _mm512_shuffle_i32x4(high, high2, 0xDD);
  }
  for (int i = 0; i < 16; ++i) m[i] = t[i];
}

// A template so that the schedule is known while the compiler still sees words, not an array in memory.
template <int number>
HOLD_LANES void round(__m512i* v, const __m512i* m) {
  constexpr auto& s = schedule[number];
  mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

__attribute__((target("avx512f"))) void hash_lanes(const Job& job, const std::byte* const* inputs,
                                                   uint64_t counter, Words* out, size_t count) {
  __m512i value[8];
  for (int i = 0; i < 8; ++i) value[i] = _mm512_set1_epi32(static_cast<int>((*job.key)[i]));
  alignas(64) uint32_t counter_low[lanes], counter_high[lanes];
  for (size_t i = 0; i < lanes; ++i) {
    counter_low[i] = static_cast<uint32_t>(counter + i * job.counter_step);
    counter_high[i] = static_cast<uint32_t>((counter + i * job.counter_step) >> 32);
  }
  for (size_t block = 0; block < job.blocks; ++block) {
    __m512i m[16];
    for (size_t i = 0; i < lanes; ++i) m[i] = _mm512_loadu_si512(inputs[i] + block * 64);
    transpose(m);
    const uint32_t flags =
        job.flags | (block == 0 ? job.first : 0) | (block + 1 == job.blocks ? job.last : 0);
    __m512i v[16];
    for (int i = 0; i < 8; ++i) v[i] = value[i];
    for (int i = 0; i < 4; ++i) v[i + 8] = _mm512_set1_epi32(static_cast<int>(initial[i]));
    v[12] = _mm512_load_si512(counter_low);
    v[13] = _mm512_load_si512(counter_high);
    v[14] = _mm512_set1_epi32(64);
    v[15] = _mm512_set1_epi32(static_cast<int>(flags));
    round<0>(v, m);
    round<1>(v, m);
    round<2>(v, m);
    round<3>(v, m);
    round<4>(v, m);
    round<5>(v, m);
    round<6>(v, m);
    for (int i = 0; i < 8; ++i) value[i] = _mm512_xor_si512(v[i], v[i + 8]);
  }
  alignas(64) uint32_t columns[8][lanes];
  for (int i = 0; i < 8; ++i) _mm512_store_si512(columns[i], value[i]);
  for (size_t lane = 0; lane < count; ++lane)
    for (size_t word = 0; word < 8; ++word) out[lane][word] = columns[word][lane];
}

}  // namespace

void hash_many_avx512(const Job& job, const std::byte* const* inputs, size_t count, Words* out) {
  Job rest = job;
  for (size_t done = 0; done < count; done += lanes) {
    const size_t now = std::min(lanes, count - done);
    rest.counter = job.counter + done * job.counter_step;
    if (now == 1) return hash_many_plain(rest, inputs + done, now, out + done);
    const std::byte* used[lanes];  // Idle lanes repeat the first input.
    for (size_t i = 0; i < lanes; ++i) used[i] = inputs[done + (i < now ? i : 0)];
    hash_lanes(rest, used, rest.counter, out + done, now);
  }
}

}  // namespace holdfast::codec::blake3_kernel
#endif
