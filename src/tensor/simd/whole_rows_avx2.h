#pragma once

// Products of whole numbers (whole_format.h) by registers of 256 bits, to the bit those of the plain twin.
// Products of a group's codes with bytes are added as they come, and their sum fits 16 bits: 32 of at most
// 15 * 127 in two halves. One product of pairs with the steps ends a group, and one of row sums with what
// code 0 stands for ends two of them; 32 bits may overflow on the way, as a piece's sum fits. In an unnamed
// namespace, as row_kernels.h is.

#include <algorithm>
#include <cstring>
#include <utility>

#include "tensor/simd/dots_avx2.h"
#include "tensor/whole_format.h"

namespace holdfast::tensor {
namespace {

// Step: what one instruction set does with four products of bytes (dots_avx2.h).
template <class Step>
struct WholeRowsAvx2 {
  using Sum = __m256i;
  static constexpr size_t rows_most = 3;
  static constexpr size_t rows_of_packed = 2;  // So few meet codes as they lie.

  static Sum load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
  static void store(void* at, Sum x) { _mm256_storeu_si256(static_cast<__m256i*>(at), x); }
  static Sum word(const void* at) {
    int32_t bits;
    std::memcpy(&bits, at, 4);
    return _mm256_set1_epi32(bits);
  }
  // Of eight outputs' words: in the upper halves what code 0 stands for.
  static Sum leasts(Sum numbers) { return _mm256_sub_epi32(numbers, _mm256_slli_epi32(numbers, 19)); }

  template <size_t R>
  struct Rows {
    const int8_t* codes[R];
    const int32_t* group_sums[R];
    float scales[R];
    float* sums[R];
  };

  // A piece of a strip as products read it, in the first-level cache for all rows: lines of a code a byte in
  // the order of their inputs.
  template <size_t G>
  struct Piece {
    static constexpr size_t most = whole_piece / G;
    alignas(line_bytes) std::byte codes[whole_piece / 4][line_bytes];
    alignas(line_bytes) std::byte steps[most][line_bytes];       // Twice each
    alignas(line_bytes) std::byte leasts[most / 2][line_bytes];  // Of a group and of the next one
    alignas(line_bytes) float scales[strip_columns];
    size_t groups = 0;
  };

  template <size_t G>
  static void unpack(const std::byte* at, size_t groups, Piece<G>& out) {
    constexpr size_t lines = G / 8;
    const Sum mask = _mm256_set1_epi8(15);
    out.groups = groups;
    std::memcpy(out.scales, at, line_bytes);
    at += line_bytes;
    for (size_t g = 0; g < groups; ++g, at += whole_group_bytes(G))
#pragma GCC unroll 2
      for (size_t c = 0; c < line_bytes; c += 32) {
        const Sum numbers = load(at + c), least = leasts(numbers);
        store(out.steps[g] + c, Step::steps(numbers));
        std::byte* const pair = out.leasts[g / 2] + c;
        store(pair, g % 2 == 0 ? _mm256_srli_epi32(least, 16) : _mm256_blend_epi16(load(pair), least, 0xAA));
#pragma GCC unroll 4
        for (size_t l = 0; l < lines; ++l) {
          const Sum both = load(at + line_bytes + line_bytes * l + c);
          store(out.codes[2 * g * lines + l] + c, _mm256_and_si256(both, mask));
          store(out.codes[(2 * g + 1) * lines + l] + c, _mm256_and_si256(_mm256_srli_epi16(both, 4), mask));
        }
      }
  }

  // A row's sums of two groups as the halves of a word: of first bytes, then of fine ones.
  static void pair_sums(const int32_t* sums, size_t groups, int32_t* out) {
    for (size_t g = 0; g + 1 < groups; g += 2, sums += 4, out += 2) {
      const __m128i both = _mm_loadu_si128(reinterpret_cast<const __m128i*>(sums));
      const __m128i next = _mm_slli_epi32(_mm_unpackhi_epi64(both, both), 16);
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out), _mm_blend_epi16(both, next, 0xAA));
    }
    if (groups % 2 == 0) return;
    for (size_t b = 0; b < 2; ++b) out[b] = sums[b] & 0xFFFF;
  }

  template <size_t R>
  static void end(const Rows<R>& rows, const float* own_scale, const __m256 (&first)[R][2],
                  const __m256 (&fine)[R][2], bool begins) {
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < 2; ++c) {
        const __m256 whole =
            _mm256_fmadd_ps(first[r][c], _mm256_set1_ps(static_cast<float>(whole_steps)), fine[r][c]);
        float* const to = rows.sums[r] + 8 * c;
        const __m256 before = begins ? _mm256_setzero_ps() : _mm256_loadu_ps(to);
        const __m256 scale =
            _mm256_mul_ps(_mm256_loadu_ps(own_scale + 8 * c), _mm256_set1_ps(rows.scales[r]));
        _mm256_storeu_ps(to, _mm256_fmadd_ps(whole, scale, before));
      }
  }

  // Lines that come from memory, asked for a few at each step of all rows, so that memory is never waited
  // for.
  struct Ahead {
    const std::byte* at = nullptr;
    size_t lines = 0, lines_a_step = 0;

    void step() {
      const size_t count = std::min(lines, lines_a_step);
      for (size_t i = 0; i < count; ++i) __builtin_prefetch(at + line_bytes * i);
      at += line_bytes * count;
      lines -= count;
    }
  };

  // Of one piece; `begins` where it is the first one. One byte of the rows after the other: twelve registers
  // hold the sums of a group and of the piece. `asks`: whether there are lines to ask for.
  template <size_t G, size_t R, bool asks>
  static void tile(const Rows<R>& rows, const Piece<G>& piece, size_t first_group, size_t step, bool begins,
                   Ahead& ahead) {
    constexpr size_t lines = G / 4;
    alignas(32) int32_t sums[R][Piece<G>::most];
    for (size_t r = 0; r < R; ++r) pair_sums(rows.group_sums[r] + 2 * first_group, piece.groups, sums[r]);
    __m256 done[2][R][2];
    for (size_t b = 0; b < 2; ++b) {
      Sum totals[R][2];
      for (size_t r = 0; r < R; ++r) totals[r][0] = totals[r][1] = _mm256_setzero_si256();
      for (size_t g = 0; g < piece.groups; ++g) {
        const size_t input = (first_group + g) * G,
                     from = input / pair_inputs * step + input % pair_inputs + b * pair_inputs;
        if constexpr (asks) ahead.step();
        Sum own[R][2];
#pragma GCC unroll 8
        for (size_t l = 0; l < lines; ++l) {
          const std::byte* line = piece.codes[g * lines + l];
          const Sum low = load(line), high = load(line + 32);
#pragma GCC unroll 4
          for (size_t r = 0; r < R; ++r) {
            const Sum four = word(rows.codes[r] + from + 4 * l);
            if (l == 0) {
              own[r][0] = Step::bytes(low, four);
              own[r][1] = Step::bytes(high, four);
            } else {
              Step::add_bytes(own[r], low, high, four);
            }
          }
        }
#pragma GCC unroll 4
        for (size_t r = 0; r < R; ++r)
          Step::add_pairs(totals[r][0], totals[r][1], own[r][0], own[r][1], load(piece.steps[g]),
                          load(piece.steps[g] + 32));
        if (g % 2 == 0) {
#pragma GCC unroll 4
          for (size_t r = 0; r < R; ++r) {
            const Sum both = word(sums[r] + g + b);
            Step::add_pairs(totals[r][0], totals[r][1], both, both, load(piece.leasts[g / 2]),
                            load(piece.leasts[g / 2] + 32));
          }
        }
      }
      for (size_t r = 0; r < R; ++r)
        for (size_t c = 0; c < 2; ++c) done[b][r][c] = _mm256_cvtepi32_ps(totals[r][c]);
    }
    end<R>(rows, piece.scales, done[0], done[1], begins);
  }

  // The same for few rows, from codes as they lie: eight outputs and both bytes at a time.
  template <size_t G, size_t R>
  static void packed_tile(const Rows<R>& rows, const std::byte* at, size_t first_group, size_t groups,
                          size_t step, bool begins) {
    constexpr size_t lines = G / 8;
    const auto* own_scale = reinterpret_cast<const float*>(at);
    at += line_bytes;
    const Sum mask = _mm256_set1_epi8(15);
    Sum totals[2][R][2];
    for (size_t b = 0; b < 2; ++b)
      for (size_t r = 0; r < R; ++r) totals[b][r][0] = totals[b][r][1] = _mm256_setzero_si256();
    for (size_t g = first_group; g < first_group + groups; ++g, at += whole_group_bytes(G)) {
      const size_t input = g * G, from = input / pair_inputs * step + input % pair_inputs;
#pragma GCC unroll 2
      for (size_t c = 0; c < 2; ++c) {
        Sum own[R][2];
#pragma GCC unroll 4
        for (size_t l = 0; l < lines; ++l) {
          const Sum both = load(at + line_bytes + line_bytes * l + 32 * c);
#pragma GCC unroll 2
          for (size_t half = 0; half < 2; ++half) {
            const Sum part = _mm256_and_si256(half == 0 ? both : _mm256_srli_epi16(both, 4), mask);
#pragma GCC unroll 2
            for (size_t r = 0; r < R; ++r) {
              const int8_t* four = rows.codes[r] + from + 4 * (l + half * lines);
              const Sum first = word(four), fine = word(four + pair_inputs);
              if (l == 0 && half == 0) {
                own[r][0] = Step::bytes(part, first);
                own[r][1] = Step::bytes(part, fine);
              } else {
                Step::add_both_bytes(own[r], part, first, fine);
              }
            }
          }
        }
        const Sum numbers = load(at + 32 * c), step_twice = Step::steps(numbers), least = leasts(numbers);
#pragma GCC unroll 2
        for (size_t r = 0; r < R; ++r) {
          const int32_t* sums = rows.group_sums[r] + 2 * g;
          Step::add_pairs(totals[0][r][c], totals[1][r][c], own[r][0], own[r][1], step_twice, step_twice);
          Step::add_pairs(totals[0][r][c], totals[1][r][c], _mm256_slli_epi32(word(sums), 16),
                          _mm256_slli_epi32(word(sums + 1), 16), least, least);
        }
      }
    }
    __m256 done[2][R][2];
    for (size_t b = 0; b < 2; ++b)
      for (size_t r = 0; r < R; ++r)
        for (size_t c = 0; c < 2; ++c) done[b][r][c] = _mm256_cvtepi32_ps(totals[b][r][c]);
    end<R>(rows, own_scale, done[0], done[1], begins);
  }

  template <size_t G>
  struct Work {
    const WholeDotsJob& job;
    size_t strip = 0, piece = 0, first_group = 0, groups = 0;
    const std::byte* at = nullptr;
    Piece<G>* unpacked = nullptr;  // None: codes are met as they lie.
    Ahead ahead = {};
  };

  template <size_t G, size_t R, bool packed>
  static void rows(Work<G>& work, size_t row) {
    const WholeDotsJob& job = work.job;
    const size_t groups = job.inputs / G, pieces = pieces_of(job.inputs);
    Rows<R> own;
    for (size_t r = 0; r < R; ++r) {
      own.codes[r] = job.rows.codes + job.rows.place(row + r, job.inputs);
      own.group_sums[r] = job.rows.sums + (row + r) * groups * 2;
      own.scales[r] = job.rows.scales[(row + r) * pieces + work.piece];
      own.sums[r] = job.sums + (row + r) * job.sums_stride + work.strip * strip_columns;
    }
    const bool begins = work.piece == 0;
    if constexpr (packed)
      packed_tile<G, R>(own, work.at, work.first_group, work.groups, job.rows.step(), begins);
    else if (work.ahead.lines != 0)
      tile<G, R, true>(own, *work.unpacked, work.first_group, job.rows.step(), begins, work.ahead);
    else
      tile<G, R, false>(own, *work.unpacked, work.first_group, job.rows.step(), begins, work.ahead);
  }

  template <size_t G, bool packed, size_t... R>
  static void all_rows(Work<G>& work, std::index_sequence<R...>) {
    using Take = void (*)(Work<G>&, size_t);
    constexpr Take by_rows[] = {rows<G, R + 1, packed>...};
    size_t tiles = (work.job.row_count + sizeof...(R) - 1) / sizeof...(R);
    for (size_t row = 0; row < work.job.row_count; --tiles) {
      const size_t count = (work.job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](work, row);
      row += count;
    }
  }

  template <size_t G>
  static void all(const WholeDotsJob& job) {
    constexpr size_t groups_a_piece = whole_piece / G;
    constexpr size_t piece_bytes = line_bytes + groups_a_piece * whole_group_bytes(G);
    const size_t groups = job.inputs / G, pieces = pieces_of(job.inputs);
    const bool packed = job.row_count <= rows_of_packed;
    Piece<G> unpacked;
    Work<G> work{job};
    work.unpacked = &unpacked;
    for (work.strip = 0; work.strip < job.strip_count; ++work.strip)
      for (work.piece = 0; work.piece < pieces; ++work.piece) {
        work.at = job.strips + work.strip * job.strip_bytes + work.piece * piece_bytes;
        work.first_group = work.piece * groups_a_piece;
        work.groups = std::min(groups_a_piece, groups - work.first_group);
        if (packed) {
          all_rows<G, true>(work, std::make_index_sequence<rows_of_packed>());
        } else {
          unpack<G>(work.at, work.groups, unpacked);
          const size_t bytes = line_bytes + work.groups * whole_group_bytes(G), lines = bytes / line_bytes;
          const size_t steps = (job.row_count + rows_most - 1) / rows_most * 2 * work.groups;
          work.ahead = {work.at + bytes, lines, (lines + steps - 1) / steps};
          all_rows<G, false>(work, std::make_index_sequence<rows_most>());
        }
      }
  }

  static void run(const WholeDotsJob& job) { job.group == 32 ? all<32>(job) : all<16>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
