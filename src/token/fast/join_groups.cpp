#include "token/fast/join_groups.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593: its own header warns.
#endif
#include <immintrin.h>

#include <algorithm>
#include <bit>

namespace holdfast::token {
namespace {

using Row = JoinGroups::Row;

// How often bytes are met, as far as any text tells: sets of equal weight.
struct Weights {
  static constexpr std::array<uint32_t, 6> of_set{24, 16, 6, 4, 2, 1};
  std::array<Row, 6> sets{};

  static size_t set_of(size_t byte) {
    if (byte == ' ') return 0;
    if (byte >= 'a' && byte <= 'z') return 1;
    if (byte >= '0' && byte <= '9') return 2;
    if (byte >= 'A' && byte <= 'Z') return 3;
    return byte > ' ' && byte < 0x7F ? 4 : 5;
  }
  Weights() {
    for (size_t byte = 0; byte < 256; ++byte) sets[set_of(byte)][byte >> 6U] |= uint64_t{1} << (byte & 63U);
  }
  // Of what is in `all` and not in `row`.
  __attribute__((target("popcnt"))) uint64_t of_rest(const Row& all, const Row& row) const {
    uint64_t out = 0;
    for (size_t i = 0; i < sets.size(); ++i)
      for (size_t word = 0; word < row.size(); ++word)
        out += of_set[i] * static_cast<uint32_t>(std::popcount(all[word] & ~row[word] & sets[i][word]));
    return out;
  }
};

struct Group {
  Row joined{};
  uint64_t weight = 0;
  std::vector<uint8_t> bytes;
};

Row either(const Row& a, const Row& b) {
  Row out{};
  for (size_t word = 0; word < out.size(); ++word) out[word] = a[word] | b[word];
  return out;
}

// What is lost where both are one group.
uint64_t loss(const Weights& weights, const Group& a, const Group& b) {
  const Row both = either(a.joined, b.joined);
  return a.weight * weights.of_rest(both, a.joined) + b.weight * weights.of_rest(both, b.joined);
}

// Bytes of equal rows, then the two groups that lose least become one, again and again.
std::vector<Group> group(const std::array<Row, 256>& joined, size_t groups_max) {
  const Weights weights;
  std::vector<Group> groups;
  for (size_t byte = 0; byte < 256; ++byte) {
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& one) { return one.joined == joined[byte]; });
    if (found == groups.end()) found = groups.insert(groups.end(), {joined[byte], 0, {}});
    found->bytes.push_back(static_cast<uint8_t>(byte));
    found->weight += Weights::of_set[Weights::set_of(byte)];
  }
  const size_t count = groups.size();
  std::vector<uint64_t> losses(count * count);
  for (size_t a = 0; a < count; ++a)
    for (size_t b = a + 1; b < count; ++b) losses[a * count + b] = loss(weights, groups[a], groups[b]);
  for (size_t left = count; left > groups_max; --left) {
    size_t best_a = count, best_b = count;
    for (size_t a = 0; a < count; ++a)
      for (size_t b = a + 1; b < count && !groups[a].bytes.empty(); ++b)
        if (!groups[b].bytes.empty() &&
            (best_a == count || losses[a * count + b] < losses[best_a * count + best_b])) {
          best_a = a;
          best_b = b;
        }
    Group &kept = groups[best_a], &gone = groups[best_b];
    kept.joined = either(kept.joined, gone.joined);
    kept.weight += gone.weight;
    kept.bytes.insert(kept.bytes.end(), gone.bytes.begin(), gone.bytes.end());
    gone.bytes.clear();
    for (size_t other = 0; other < count; ++other)
      if (other != best_a && !groups[other].bytes.empty())
        losses[std::min(other, best_a) * count + std::max(other, best_a)] =
            loss(weights, groups[other], kept);
  }
  std::erase_if(groups, [](const Group& one) { return one.bytes.empty(); });
  return groups;
}

}  // namespace

JoinGroups::JoinGroups(const std::array<Row, 256>& joined) {
  const std::vector<Group> groups = group(joined, groups_max);
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto bit = static_cast<uint8_t>(1U << i % 8);
    for (const uint8_t byte : groups[i].bytes) left_[i / 8][byte] |= bit;
    for (size_t byte = 0; byte < 256; ++byte)
      if ((groups[i].joined[byte >> 6U] >> (byte & 63U) & 1U) != 0) right_[i / 8][byte] |= bit;
  }
}

namespace {

// A table of 256 bytes in four registers.
struct Lookup {
  __m512i parts[4];

  __attribute__((target("avx512f,avx512bw,avx512vbmi"))) explicit Lookup(
      const std::array<uint8_t, 256>& table) {
    for (size_t i = 0; i < 4; ++i) parts[i] = _mm512_load_si512(table.data() + i * 64);
  }
  __attribute__((target("avx512f,avx512bw,avx512vbmi"))) __m512i of(__m512i bytes, __mmask64 high) const {
    return _mm512_mask_blend_epi8(high, _mm512_permutex2var_epi8(parts[0], bytes, parts[1]),
                                  _mm512_permutex2var_epi8(parts[2], bytes, parts[3]));
  }
};

}  // namespace

__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void JoinGroups::find_cuts(
    std::span<const uint8_t> text, std::vector<uint64_t>& out) const {
  constexpr size_t block = 64;
  const Lookup left_low(left_[0]), left_high(left_[1]), right_low(right_[0]), right_high(right_[1]);
  out.resize((text.size() + block - 1) / block);
  for (size_t i = 0; i < out.size(); ++i) {
    const uint8_t* const at = text.data() + i * block;
    const size_t bytes = std::min(block, text.size() - i * block);
    const __mmask64 there = ~uint64_t{0} >> (block - bytes);
    const __mmask64 asked = i == 0 ? there & ~uint64_t{1} : there;  // Before the first byte is nothing.
    const __m512i left = _mm512_maskz_loadu_epi8(asked, at - 1), right = _mm512_maskz_loadu_epi8(asked, at);
    const __mmask64 left_wide = _mm512_movepi8_mask(left), right_wide = _mm512_movepi8_mask(right);
    const __m512i low = _mm512_and_si512(left_low.of(left, left_wide), right_low.of(right, right_wide));
    const __m512i high = _mm512_and_si512(left_high.of(left, left_wide), right_high.of(right, right_wide));
    out[i] = _mm512_mask_testn_epi8_mask(asked, _mm512_or_si512(low, high), _mm512_or_si512(low, high));
  }
}

}  // namespace holdfast::token
