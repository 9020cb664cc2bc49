// Each hand-written scanner cuts as PCRE2 does with the pattern it stands for, on random text.
#include "token/fast/scanners.h"

#include <gtest/gtest.h>

#include <random>

#include "token/piece.h"
#include "token/regex/regex.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 20261121;
constexpr int rounds = 4000;

std::string random_text(std::mt19937& random) {
  static const std::string parts[] = {" ",
                                      "  ",
                                      "\n",
                                      "\r\n",
                                      "\t",
                                      "a",
                                      "Word",
                                      "HTTP",
                                      "don't",
                                      "'s",
                                      "'LL",
                                      "'\xC5\xBF",
                                      "'",
                                      "''ve",
                                      "1",
                                      "2024",
                                      "\xC2\xBD",
                                      "\xE2\x85\xA7",
                                      ".",
                                      "...",
                                      "!?",
                                      "/",
                                      "//\n",
                                      "_",
                                      "(x)",
                                      "\xC3\xA9",
                                      "e\xCC\x81",
                                      "\xE4\xBD\xA0\xE5\xA5\xBD",
                                      "\xE3\x81\x82",
                                      "\xE3\x82\xAB",
                                      "\xE3\x83\xBC",
                                      "\xE3\x83\xBB",  // ・, punctuation in the block of katakana
                                      "\xE3\x82\x9B",  // ゛, a symbol
                                      "\xE3\x82\x99",  // the same as a mark
                                      "\xE3\x81\x80",  // not assigned
                                      "\xD0\x9F\xD1\x80",
                                      "\xC7\x85",
                                      "\xCA\xB0",
                                      "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D",
                                      "\xC2\xA0",
                                      "\xE3\x80\x80",
                                      "\xE2\x80\x8B",
                                      "\xF0\x9F\x98\x80",
                                      std::string(1, '\0'),
                                      "\x7F",
                                      "\xEE\x80\x80",
                                      "xmlHttpRequest",
                                      "ABc",
                                      "\xE2\x81\x84"};
  std::string out;
  const size_t count = random() % 12;
  for (size_t i = 0; i < count; ++i) {
    if (random() % 6 == 0) {
      char32_t code = random() % 3 == 0 ? random() % 0x110000 : random() % 0x3100;
      if (code >= 0xD800 && code < 0xE000) code = 'x';
      append_utf8(out, code);
    } else {
      out += parts[random() % std::size(parts)];
    }
    while (random() % 4 == 0 && out.size() < 200) out += out.back() == ' ' || random() % 2 == 0 ? " " : "a";
  }
  return is_valid_utf8(out) ? out : "";
}

using Cuts = std::vector<std::string>;

using Patterns = std::vector<std::shared_ptr<const Regex>>;

Cuts by_patterns(const Patterns& patterns, const std::string& text) {
  Pieces pieces;
  if (!text.empty()) pieces.push_back({NormalizedText(text), std::nullopt});
  for (const auto& pattern : patterns)
    EXPECT_TRUE(split_pieces(pieces, SplitBehavior::isolated, [&](std::string_view part) {
                  return pattern->find(part);
                }).ok());
  Cuts out;
  for (const Piece& piece : pieces) out.push_back(piece.text.text());
  return out;
}

template <class Scanner>
Cuts by_scanner(const std::string& text) {
  // A copy without bytes after it: reading beyond is seen.
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  const Scanner scanner;
  Cuts out;
  for (const uint8_t *at = bytes.data(), *end = at + bytes.size(); at < end;) {
    const uint8_t* const next = scanner.next(at, end);
    out.emplace_back(reinterpret_cast<const char*>(at), static_cast<size_t>(next - at));
    at = next;
  }
  return out;
}

template <class Scanner>
void expect_equal(const std::vector<std::string>& texts_of_patterns) {
  Patterns patterns;
  for (const std::string& text : texts_of_patterns) {
    auto compiled = compile_regex(text);
    ASSERT_TRUE(compiled.ok()) << compiled.error().message;
    patterns.push_back(std::move(compiled).value());
  }
  std::mt19937 random(seed);
  for (int i = 0; i < rounds; ++i) {
    const std::string text = random_text(random);
    ASSERT_EQ(by_patterns(patterns, text), by_scanner<Scanner>(text))
        << "seed " << seed << ", text " << testing::PrintToString(text);
  }
}

TEST(Scanners, Gpt2) {
  expect_equal<Gpt2Scanner>(
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"});
}

TEST(Scanners, Llama3) {
  expect_equal<Cl100kScanner<3, flag_letter>>(
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"});
}

TEST(Scanners, Qwen2) {
  expect_equal<Cl100kScanner<1, flag_letter>>(
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"});
}

TEST(Scanners, Qwen35) {
  expect_equal<Cl100kScanner<1, flag_letter | flag_mark>>(
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"});
}

TEST(Scanners, O200k) {
  expect_equal<O200kScanner>(
      {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"});
}

TEST(Scanners, DeepSeek) {
  expect_equal<DeepSeekScanner>(
      {R"(\p{N}{1,3})", "[一-龥぀-ゟ゠-ヿ]+",
       "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
       "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"});
}

// A mark or a letter without a code may stand before a word, punctuation ends one: also where all of it is
// kana.
TEST(Scanners, DeepSeekCutsKanaAtTheirPunctuation) {
  struct {
    const char* text;
    Cuts cuts;
  } const cases[] = {
      {"ワ・", {"ワ", "・"}},
      {"ワ・・ワ", {"ワ", "・・", "ワ"}},
      {"か゛中", {"か", "゛", "中"}},
      {"・\n", {"・", "\n"}},
      {"ワー中", {"ワー中"}},
      {"\xE3\x81\x80ワ\xE3\x81\x80\xE3\x81\x80", {"\xE3\x81\x80ワ", "\xE3\x81\x80\xE3\x81\x80"}}};
  for (const auto& each : cases) EXPECT_EQ(by_scanner<DeepSeekScanner>(each.text), each.cuts) << each.text;
}

}  // namespace
}  // namespace holdfast::token
