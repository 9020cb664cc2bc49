#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

// The compression function of BLAKE3, several inputs at a time. Names follow the specification.
namespace holdfast::codec::blake3_kernel {

using Words = std::array<uint32_t, 8>;

inline constexpr Words initial = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                                  0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
inline constexpr uint32_t chunk_start = 1, chunk_end = 2, parent = 4, root = 8, keyed_hash = 16;
inline constexpr int rounds = 7;
// Which message word each step of each round takes.
inline constexpr uint8_t schedule[rounds][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                                 {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
                                                 {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
                                                 {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
                                                 {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
                                                 {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
                                                 {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};

// Inputs of the same shape: `blocks` blocks of 64 bytes each. The first block gets `flags | first`, the last
// `flags | last` besides.
struct Job {
  const Words* key = nullptr;
  size_t blocks = 0;
  uint64_t counter = 0;       // Of the first input.
  uint32_t counter_step = 0;  // 1 between chunks, 0 between parents.
  uint32_t flags = 0, first = 0, last = 0;
};

// Writes the chaining value of every input. `out` may hold the inputs of the same call only when each input
// lies at or after its own result, as a level of a tree reduced in place does with count <= lanes.
using HashMany = void (*)(const Job& job, const std::byte* const* inputs, size_t count, Words* out);

struct Kernel {
  std::string_view name;
  HashMany hash_many;
};
// What this machine can run: the plain twin first, the fastest last.
std::span<const Kernel> kernels();

// One block; `length` <= 64 bytes of it count, the rest is zero.
void compress(Words& value, const std::byte* block, uint32_t length, uint64_t counter, uint32_t flags);

void hash_many_plain(const Job& job, const std::byte* const* inputs, size_t count, Words* out);
void hash_many_avx2(const Job& job, const std::byte* const* inputs, size_t count, Words* out);
void hash_many_avx512(const Job& job, const std::byte* const* inputs, size_t count, Words* out);

}  // namespace holdfast::codec::blake3_kernel
