#include "token/fast/joins.h"

#include <algorithm>
#include <bit>

#include "token/fast/byte_bits.h"

namespace holdfast::token {

void Joins::know_wide(size_t pairs_expected) {
  constexpr size_t places_min = size_t{1} << 14U, places_max = size_t{1} << 20U;
  const size_t places = std::clamp(std::bit_ceil(pairs_expected * 16), places_min, places_max);
  wide_.assign(places / 64, 0);
  wide_shift_ = static_cast<unsigned>(64 - std::countr_zero(places));
}

// There is a byte before `at`.
inline uint64_t Joins::cuts_of_block(const uint8_t* at, size_t bytes) const {
  const uint8_t* const before = at - 1;
  uint64_t joined = 0;
  for (size_t i = 0; i < bytes; ++i)
    joined |= (bits_[size_t{before[i]} << 2U | at[i] >> 6U] >> (at[i] & 63U) & 1U) << i;
  return ~joined;
}

inline uint64_t Joins::wide_cuts_of_block(const uint8_t* begin, const uint8_t* at, size_t bytes) const {
  uint64_t out = 0;
  if (byte_bits::of_block(at, bytes, byte_bits::InRange{0xC2, 0xEF}) == 0) return 0;
  const auto ask = [&](uint64_t leads, std::ptrdiff_t width, auto is_lead) {
    for (; leads != 0; leads &= leads - 1) {
      const auto place = static_cast<size_t>(std::countr_zero(leads));
      const uint8_t* const right = at + place;
      if (right - begin < width || !is_lead(right[-width])) continue;
      out |= uint64_t{!has_wide(right - width, static_cast<unsigned>(width))} << place;
    }
  };
  ask(byte_bits::of_block(at, bytes, byte_bits::InRange{0xC2, 0xDF}), 2,
      [](uint8_t byte) { return byte >= 0xC2 && byte <= 0xDF; });
  ask(byte_bits::of_block(at, bytes, byte_bits::InRange{0xE0, 0xEF}), 3,
      [](uint8_t byte) { return byte >= 0xE0 && byte <= 0xEF; });
  return out;
}

void Joins::group() {
  if (best_instructions() < Instructions::avx512) return;
  std::array<JoinGroups::Row, 256> rows{};
  for (size_t left = 0; left < rows.size(); ++left)
    std::copy_n(bits_.begin() + left * 4, 4, rows[left].begin());
  groups_ = std::make_unique<JoinGroups>(rows);
}

void Joins::find_cuts(std::span<const uint8_t> text, std::vector<uint64_t>& out,
                      Instructions instructions) const {
  constexpr size_t block = 64;
  if (groups_ && instructions >= Instructions::avx512) {
    groups_->find_cuts(text, out);
    for (size_t i = 0; knows_wide() && i < out.size(); ++i)
      out[i] |=
          wide_cuts_of_block(text.data(), text.data() + i * block, std::min(block, text.size() - i * block));
    return;
  }
  out.resize((text.size() + block - 1) / block);
  for (size_t i = 0; i < out.size(); ++i) {
    const uint8_t* const at = text.data() + i * block;
    const size_t bytes = std::min(block, text.size() - i * block);
    if (i == 0) {
      out[i] = bytes > 1 ? cuts_of_block(at + 1, bytes - 1) << 1U : 0;
    } else {
      out[i] = bytes == block ? cuts_of_block(at, block) : cuts_of_block(at, bytes);
    }
    if (knows_wide()) out[i] |= wide_cuts_of_block(text.data(), at, bytes);
    if (bytes < block) out[i] &= (uint64_t{1} << bytes) - 1;
  }
}

}  // namespace holdfast::token
