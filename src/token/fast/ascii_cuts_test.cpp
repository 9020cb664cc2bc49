// Pieces cut by bits of whole blocks are those of the scanners, on random text.
#include "token/fast/ascii_cuts.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261122;
constexpr int rounds = 40000;

// Letters in runs, and much of what the patterns tell apart.
std::string random_block(std::mt19937& random) {
  static const std::string parts[] = {
      " ",        "  ",     "    ",  "\n",      "\n\n", "\r\n", "\t",    "\t\t", "\v",   "a",
      "Word",     "HTTP",   "don't", "'s",      "'LL",  "'lL",  "'Ve",   "'",    "''",   "x's's",
      "1",        "12",     "2024",  "1234567", ".",    "...",  "!?",    "/",    "//\n", "\n/",
      ";\n",      ";\n  x", "_",     "(x)",     "((y",  "ABc",  "aBC",   "\x1F", "\x7F", "\xC3\xA9",
      "\xC2\xA0", " (",     "\t(",   "s",       "S",    "it's", "\n \n", " \n",  "0"};
  std::string out;
  const bool plain = random() % 4 != 0;
  while (out.size() < AsciiBlock::bytes) {
    const std::string& part = parts[random() % std::size(parts)];
    if (plain && static_cast<uint8_t>(part[0]) >= 0x80) continue;
    out += part;
    while (random() % 3 == 0) out += part.back() >= 'a' && part.back() <= 'z' ? part.back() : ' ';
  }
  return out;
}

template <class Scanner>
void expect_as_scanned() {
  std::mt19937 random(seed);
  const Scanner scanner;
  size_t cuts_made = 0, bytes_cut = 0;
  for (int i = 0; i < rounds; ++i) {
    const std::string text = random_block(random);
    const auto* const begin = reinterpret_cast<const uint8_t*>(text.data());
    const AsciiBlock by_any = ascii_block_reader(Instructions::any)(begin);
    uint64_t cuts = AsciiCuts<Scanner>::of(by_any, begin);
    ASSERT_EQ(AsciiCuts<Scanner>::of(ascii_block_reader(best_instructions())(begin), begin), cuts);
    const uint8_t* at = begin;
    for (; cuts != 0; cuts &= cuts - 1) {
      const uint8_t* const next = begin + std::countr_zero(cuts);
      // What follows counts: all of the text, and more of it.
      ASSERT_EQ(scanner.next(at, begin + text.size()) - begin, next - begin)
          << "seed " << seed << ", text " << testing::PrintToString(text) << " from " << at - begin;
      at = next;
      ++cuts_made;
    }
    bytes_cut += static_cast<size_t>(at - begin);
  }
  // Most of the bytes are cut this way.
  EXPECT_GT(cuts_made, size_t{rounds} * 6);
  EXPECT_GT(bytes_cut, size_t{rounds} * 20);
}

TEST(AsciiCuts, Gpt2) { expect_as_scanned<Gpt2Scanner>(); }
TEST(AsciiCuts, Llama3) { expect_as_scanned<Cl100kScanner<3, flag_letter>>(); }
TEST(AsciiCuts, Qwen2) { expect_as_scanned<Cl100kScanner<1, flag_letter>>(); }
TEST(AsciiCuts, Qwen35) { expect_as_scanned<Cl100kScanner<1, flag_letter | flag_mark>>(); }
TEST(AsciiCuts, O200k) { expect_as_scanned<O200kScanner>(); }
TEST(AsciiCuts, DeepSeek) { expect_as_scanned<DeepSeekScanner>(); }

}  // namespace
}  // namespace holdfast::token
