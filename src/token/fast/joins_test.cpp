// Cuts by blocks are the cuts byte by byte.
#include "token/fast/joins.h"

#include <gtest/gtest.h>

#include <bit>
#include <random>
#include <string>

#include "token/fast/byte_bits.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 11;

std::string random_text(std::mt19937& random) {
  const char32_t alphabets[] = {'a', 0xE0, 0x430, 0x905, 0x4E00, 0x1F600};
  std::string out;
  for (size_t count = random() % 300; count > 0; --count)
    append_utf8(out, alphabets[random() % std::size(alphabets)] + random() % 6);
  return out;
}

std::span<const uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

bool may_cut(const Joins& joins, std::span<const uint8_t> text, size_t at) {
  if (at == 0) return false;
  if (!joins.has(text[at - 1], text[at])) return true;
  if (!joins.knows_wide() || (text[at] & 0xC0U) == 0x80U || text[at] < 0x80 || text[at - 1] < 0x80)
    return false;
  size_t left = at - 1;
  while ((text[left] & 0xC0U) == 0x80U) --left;
  const auto width = static_cast<unsigned>(at - left);
  const auto next = static_cast<unsigned>(
      code_point_at({reinterpret_cast<const char*>(text.data()), text.size()}, at).bytes);
  return width == next && (width == 2 || width == 3) && !joins.has_wide(&text[left], width);
}

TEST(Joins, CutsByBlocksAreThoseByteByByte) {
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    Joins joins;
    for (unsigned left = 0; left < 256; ++left)
      for (unsigned right = 0; right < 256; ++right)
        if ((left >= 0x80 && right >= 0x80) || random() % 2 == 0)
          joins.put(static_cast<uint8_t>(left), static_cast<uint8_t>(right));
    if (round % 3 != 0) joins.know_wide(100);
    if (round % 3 == 2)
      for (int i = 0; i < 40; ++i) {
        std::string both;
        const char32_t base = i % 2 == 0 ? 0x430 : 0x4E00;
        append_utf8(both, base + random() % 6);
        append_utf8(both, base + random() % 6);
        joins.put_wide(bytes_of(both).data(), i % 2 == 0 ? 2 : 3);
        ASSERT_TRUE(joins.has_wide(bytes_of(both).data(), i % 2 == 0 ? 2 : 3));
      }
    for (int i = 0; i < 40; ++i) {
      const std::string text = random_text(random);
      std::vector<uint64_t> cuts{~uint64_t{0}};
      joins.find_cuts(bytes_of(text), cuts);
      for (size_t at = 0; at < text.size(); ++at)
        ASSERT_EQ((cuts[at / 64] >> (at % 64) & 1U) != 0, may_cut(joins, bytes_of(text), at))
            << "seed " << seed << " at " << at << " of " << text;
      for (size_t at = text.size(); at < cuts.size() * 64; ++at)
        ASSERT_EQ(cuts[at / 64] >> (at % 64) & 1U, 0U);
    }
  }
}

// Cuts that groups find are cuts, and all of them where there are up to 16 kinds of bytes: here 7 before
// ASCII, 7 before others.
TEST(Joins, CutsByGroupsOfBytesAreCuts) {
  std::mt19937 random(seed);
  size_t kept = 0, all = 0;
  for (int round = 0; round < 40; ++round) {
    const bool few = round % 2 == 0;
    Joins joins;
    std::vector<std::vector<bool>> rows(few ? 7 : 90, std::vector<bool>(256));
    for (auto& row : rows)
      for (size_t right = 0; right < row.size(); ++right) row[right] = random() % 4 == 0;
    for (unsigned left = 0; left < 256; ++left)
      for (unsigned right = 0; right < 256; ++right)
        if ((left >= 0x80 && right >= 0x80) || rows[left % rows.size()][right])
          joins.put(static_cast<uint8_t>(left), static_cast<uint8_t>(right));
    if (round % 3 == 0) joins.know_wide(100);
    joins.group();
    for (int i = 0; i < 20; ++i) {
      const std::string text = random_text(random);
      std::vector<uint64_t> plain, cuts{~uint64_t{0}};
      joins.find_cuts(bytes_of(text), plain, Instructions::any);
      joins.find_cuts(bytes_of(text), cuts);
      ASSERT_EQ(cuts.size(), plain.size());
      for (size_t word = 0; word < cuts.size(); ++word) {
        ASSERT_EQ(cuts[word] & ~plain[word], 0U) << "seed " << seed << ": " << text;
        if (few) {
          ASSERT_EQ(cuts[word], plain[word]) << "seed " << seed << ": " << text;
        }
        kept += static_cast<size_t>(std::popcount(cuts[word]));
        all += static_cast<size_t>(std::popcount(plain[word]));
      }
    }
  }
  EXPECT_GT(kept * 2, all);  // Else nothing is tested.
}

TEST(ByteBits, TheNextBitIsTheNextByteOfTheKind) {
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    const std::string text = random_text(random);
    std::vector<uint64_t> bits((text.size() + 63) / 64);
    for (size_t i = 0; i < bits.size(); ++i)
      bits[i] =
          byte_bits::of_block(bytes_of(text).data() + i * 64, std::min<size_t>(64, text.size() - i * 64),
                              byte_bits::InRange{'b', 0x84});
    for (int i = 0; i < 20 && !text.empty(); ++i) {
      const size_t end = random() % (text.size() + 1), from = random() % (end + 1);
      size_t at = from;
      while (at < end && (bytes_of(text)[at] < 'b' || bytes_of(text)[at] > 0x84)) ++at;
      ASSERT_EQ(byte_bits::next(bits, from, end), at) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace holdfast::token
