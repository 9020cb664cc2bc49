#include "tensor/peak.h"

#include <algorithm>
#include <cstring>
#include <ctime>
#include <span>

#include "tensor/buffer.h"

namespace holdfast::tensor {
namespace {

constexpr size_t steps = 4000;

// Independent sums in registers: nothing but the units limits these loops. As text, so that one file holds
// those of all instruction sets and no compiler changes them.
#define HOLD_TWELVE(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7) x(8) x(9) x(10) x(11)
#define HOLD_CLOBBERED                                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm14", "xmm15"

// Sums in 256-bit registers: twelve of the sixteen; in 512-bit ones: twice as many, as a unit's latency times
// the number of units may be more than twelve.
#define HOLD_LOOP(name, many, one)                                                \
  void name() {                                                                   \
    asm volatile("vzeroall" ::: HOLD_CLOBBERED);                                  \
    for (size_t i = 0; i < steps; ++i) asm volatile(many(one)::: HOLD_CLOBBERED); \
    asm volatile("vzeroupper" ::: HOLD_CLOBBERED);                                \
  }
#define HOLD_TWENTY_FOUR(x) \
  HOLD_TWELVE(x) x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27)

#define HOLD_FLOATS_256(n) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #n "\n"
#define HOLD_WIDE_BYTES_256(n) \
  "vpmaddwd %%ymm14, %%ymm15, %%ymm13\nvpaddd %%ymm13, %%ymm" #n ", %%ymm" #n "\n"
#define HOLD_BYTES_256(n) "%{vex%} vpdpbusd %%ymm14, %%ymm15, %%ymm" #n "\n"
#define HOLD_FLOATS_512(n) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #n "\n"
#define HOLD_WIDE_BYTES_512(n) \
  "vpmaddwd %%zmm14, %%zmm15, %%zmm13\nvpaddd %%zmm13, %%zmm" #n ", %%zmm" #n "\n"
#define HOLD_BYTES_512(n) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #n "\n"
#define HOLD_PAIRS_512(n) "vdpbf16ps %%zmm14, %%zmm15, %%zmm" #n "\n"
HOLD_LOOP(floats_256, HOLD_TWELVE, HOLD_FLOATS_256)
HOLD_LOOP(wide_bytes_256, HOLD_TWELVE, HOLD_WIDE_BYTES_256)
HOLD_LOOP(bytes_256, HOLD_TWELVE, HOLD_BYTES_256)
HOLD_LOOP(floats_512, HOLD_TWENTY_FOUR, HOLD_FLOATS_512)
HOLD_LOOP(wide_bytes_512, HOLD_TWENTY_FOUR, HOLD_WIDE_BYTES_512)
HOLD_LOOP(bytes_512, HOLD_TWENTY_FOUR, HOLD_BYTES_512)
HOLD_LOOP(pairs_512, HOLD_TWENTY_FOUR, HOLD_PAIRS_512)

// Four tiles of sums, as the products use them.
struct alignas(64) TileConfiguration {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
#define HOLD_FOUR_TILES(name, instruction)                                                              \
  void name() {                                                                                         \
    const TileConfiguration wish;                                                                       \
    asm volatile("ldtilecfg %0" ::"m"(wish));                                                           \
    for (size_t i = 0; i < steps; ++i)                                                                  \
      asm volatile(instruction " %%tmm6, %%tmm4, %%tmm0\n" instruction                                  \
                               " %%tmm7, %%tmm4, %%tmm1\n" instruction                                  \
                               " %%tmm6, %%tmm5, %%tmm2\n" instruction " %%tmm7, %%tmm5, %%tmm3\n" ::); \
    asm volatile("tilerelease" ::);                                                                     \
  }
HOLD_FOUR_TILES(tile_pairs, "tdpbf16ps")
HOLD_FOUR_TILES(tile_bytes, "tdpbusd")

struct Loop {
  void (*run)();
  double operations;  // Of a step.
};

Loop floats_of(Isa isa) {
  return isa >= Isa::avx512 ? Loop{floats_512, 24 * 32.0} : Loop{floats_256, 12 * 16.0};
}

Loop bytes_of(Isa isa) {
  switch (isa) {
    case Isa::plain:
    case Isa::avx2:
      return {wide_bytes_256, 12 * 32.0};
    case Isa::avx2_vnni:
      return {bytes_256, 12 * 64.0};
    case Isa::avx512:
      return {wide_bytes_512, 24 * 64.0};
    case Isa::avx512_vnni:
    case Isa::avx512_bf16:
      return {bytes_512, 24 * 128.0};
    case Isa::amx:
      return {tile_bytes, 4 * 2.0 * 16 * 16 * 64};
  }
  return {};
}

Loop loop_of(Isa isa, Precision precision) {
  switch (precision) {
    case Precision::f32:
      return floats_of(isa);
    case Precision::bf16:
      if (isa == Isa::amx) return {tile_pairs, 4 * 2.0 * 16 * 16 * 32};
      return isa == Isa::avx512_bf16 ? Loop{pairs_512, 24 * 64.0} : floats_of(isa);
    case Precision::int8:
      return bytes_of(isa);
  }
  return {};
}

// How often a second of processor time `work` is done: the best trial, each as long as told.
double best_rate(int trials, std::clock_t least, const auto& work) {
  double best = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const std::clock_t start = std::clock();
    std::clock_t took = 0;
    size_t times = 0;
    do {
      work();
      ++times;
      took = std::clock() - start;
    } while (took < least);
    best = std::max(best, static_cast<double>(times) * CLOCKS_PER_SEC / static_cast<double>(took));
  }
  return best;
}

}  // namespace

double register_peak(Isa isa, Precision precision) {
  const Loop loop = loop_of(isa, precision);
  return loop.operations * static_cast<double>(steps) * best_rate(16, CLOCKS_PER_SEC / 400, loop.run);
}

uint64_t read_words(ByteView bytes) {
  uint64_t each[8] = {};
  for (size_t at = 0; at + 64 <= bytes.size(); at += 64)
    for (size_t j = 0; j < 8; ++j) {
      uint64_t word;
      std::memcpy(&word, bytes.data() + at + 8 * j, 8);
      each[j] ^= word;
    }
  uint64_t out = 0;
  for (const uint64_t sum : each) out ^= sum;
  return out;
}

double read_peak(size_t bytes) {
  const size_t size = std::clamp(bytes, size_t{1} << 20, size_t{1} << 30) / 64 * 64;
  Floats buffer(size / sizeof(float));
  std::memset(buffer.data(), 1, size);
  const ByteView view = std::as_bytes(std::span(buffer.data(), size / sizeof(float)));
  uint64_t kept = 0;
  return static_cast<double>(size) * best_rate(4, CLOCKS_PER_SEC / 100, [&] {
           kept ^= read_words(view);
           asm volatile("" : "+r"(kept)::"memory");
         });
}

}  // namespace holdfast::tensor
