// Kinds of 64 bytes at once are those of the bytes one by one.
#include "token/fast/ascii_kinds.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261123;

std::array<CodeKind, 0x80> random_kinds(std::mt19937& random) {
  constexpr CodeKind kinds[] = {CodeKind::word, CodeKind::word, CodeKind::separator, CodeKind::alone,
                                CodeKind::odd};
  std::array<CodeKind, 0x80> out{};
  for (CodeKind& kind : out) kind = kinds[random() % std::size(kinds)];
  return out;
}

struct Bits {
  bool word = false, space = false, alone = false;
};

Bits bits_at(const std::array<CodeKind, 0x80>& kinds, std::span<const uint8_t> text, size_t at) {
  if (at >= text.size() || text[at] >= 0x80) return {};
  const CodeKind kind = kinds[text[at]];
  const bool printable = text[at] > ' ' && text[at] < 0x7F;
  return {kind == CodeKind::word && printable, kind == CodeKind::separator, kind == CodeKind::alone};
}

TEST(AsciiKinds, OfABlockAreThoseOfItsBytes) {
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    const std::array<CodeKind, 0x80> kinds = random_kinds(random);
    const AsciiKinds asked(kinds);
    std::vector<uint8_t> text(random() % 300);
    const unsigned letters = round % 2 == 0 ? 0x80 : 0x100;
    for (uint8_t& byte : text) byte = static_cast<uint8_t>(random() % letters);
    for (const auto instructions :
         {Instructions::any, std::min(Instructions::avx2, best_instructions()), best_instructions()}) {
      std::vector<AsciiKinds::Block> blocks{{~uint64_t{0}, ~uint64_t{0}, ~uint64_t{0}}};
      asked.find(text, blocks, instructions);
      for (size_t from = 0; from < text.size(); ++from) {
        const AsciiKinds::Block block = AsciiKinds::from(blocks, from);
        for (size_t i = 0; i < AsciiKinds::block_bytes; ++i) {
          const Bits wanted = bits_at(kinds, text, from + i);
          ASSERT_EQ((block.words >> i & 1U) != 0, wanted.word) << "seed " << seed << " at " << from + i;
          ASSERT_EQ((block.spaces >> i & 1U) != 0, wanted.space) << "seed " << seed << " at " << from + i;
          ASSERT_EQ((block.alone >> i & 1U) != 0, wanted.alone) << "seed " << seed << " at " << from + i;
        }
      }
    }
  }
}

TEST(AsciiKinds, AWordEndsAtTheFirstByteThatIsNone) {
  std::mt19937 random(seed);
  std::array<CodeKind, 0x80> kinds{};
  kinds.fill(CodeKind::word);
  kinds[','] = CodeKind::alone;
  const AsciiKinds asked(kinds);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint8_t> text(random() % 400);
    const unsigned rare = 2 + random() % 200;
    for (uint8_t& byte : text) byte = random() % rare == 0 ? ',' : 'a';
    std::vector<AsciiKinds::Block> blocks;
    asked.find(text, blocks);
    for (size_t from = 0; from <= text.size(); ++from) {
      size_t end = from;
      while (end < text.size() && text[end] == 'a') ++end;
      ASSERT_EQ(AsciiKinds::end_of_words(blocks, from), end) << "seed " << seed << " from " << from;
    }
  }
}

}  // namespace
}  // namespace holdfast::token
