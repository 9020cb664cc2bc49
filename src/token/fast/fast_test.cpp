// The fast way gives what the plain parts give: real tokenizers where the reference data is there, on random
// text.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>

#include "codec/gzip.h"
#include "io/reference_data.h"
#include "token/fast/instructions.h"
#include "token/tokenizer.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr unsigned seed = 7;

// Empty where the reference data is not at hand.
std::string read_tokenizer(const std::string& name) {
  const auto folder = io::reference_data("tokenizers/" + name);
  if (!folder) return "";
  for (const char* file : {"tokenizer.json", "tokenizer.json.gz"}) {
    std::ifstream in(*folder / file, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    if (bytes.empty()) continue;
    if (!codec::looks_gzipped(as_bytes(bytes))) return bytes;
    auto unpacked = codec::inflate(as_bytes(bytes), codec::Deflate::gzip, 64 << 20);
    if (unpacked.ok()) return std::string(as_text(unpacked.value()));
  }
  return "";
}

std::string random_text(std::mt19937& random) {
  static const std::string parts[] = {
      "the ",
      "Hello",
      " world",
      "\n\n",
      "    ",
      "don't",
      " 12345",
      "<s>",
      "</s>",
      "<|endoftext|>",
      "[MASK]",
      "\xE2\x96\x81",
      "e\xCC\x81",
      "\xC3\xA9",
      "\xEA\xB0\x80",
      "\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8",
      "\xE6\x97\xA5\xE6\x9C\xAC",
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
      "\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA",  // Letters of a flag, which are one cluster,
      "\xF0\x9F\x87\xA9",                  // and a third that is not of it.
      "\xD0\xBF\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82 ",
      "\xC2\xA0",
      "\xEF\xBC\xA1",
      "\xE2\x84\xA2",
      "$5.99!",
      " \xE0\xB9\x89\xE0\xB8\x81",  // Marks after a space, of one cluster with it.
      " \xCC\x81x",
      "\xCC\x81\xE2\x80\x8D",  // Becomes a space, but not after every character.
      "\xC2\xAA\xE2\x80\x8Dy",
      " \xCC\x88\xCC\x81y",
      "_x_",
      "\t",
      "-----",
      "supercalifragilisticexpialidocious",
      "\xE0\xA4\xA8\xE0\xA4\xAE\xE0\xA4\xB8\xE0\xA5\x8D\xE0\xA4\xA4\xE0\xA5\x87"};
  std::string out;
  const size_t count = random() % 30;
  for (size_t i = 0; i < count; ++i) {
    if (random() % 8 == 0) {
      char32_t code = random() % 3 == 0 ? random() % 0x110000 : random() % 0x2000;
      if (code >= 0xD800 && code < 0xE000) code = 'x';
      append_utf8(out, code);
    } else if (random() % 12 == 0) {
      const std::string part = parts[random() % std::size(parts)];
      for (size_t k = random() % 60; k > 0; --k) out += part;
    } else if (random() % 5 == 0) {
      for (size_t k = random() % 90; k > 0; --k) out += static_cast<char>('a' + random() % 26);
    } else {
      out += parts[random() % std::size(parts)];
    }
  }
  return out;
}

// All that the processor has, again.
struct AsBefore {
  ~AsBefore() { hold_instructions_to(Instructions::avx512); }
};

class FastWay : public testing::TestWithParam<const char*> {};

TEST_P(FastWay, GivesWhatThePartsGive) {
  const std::string json = read_tokenizer(GetParam());
  if (json.empty()) GTEST_SKIP() << io::reference_data_missing;
  const auto loaded = Tokenizer::load(json);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const Tokenizer& tokenizer = loaded.value();
  ASSERT_TRUE(tokenizer.has_fast_way());
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::string text = random_text(random);
    const auto plain = tokenizer.encode({.text = text, .words = {}, .pair = {}}, {.way = EncodeWay::plain});
    const auto fast = tokenizer.encode({.text = text, .words = {}, .pair = {}}, {});
    ASSERT_TRUE(plain.ok() && fast.ok());
    std::vector<uint32_t> ids;
    ASSERT_TRUE(tokenizer.append_ids(text, {}, ids).ok());
    Rows rows;
    ASSERT_TRUE(tokenizer.append_rows(text, {}, rows).ok());
    const auto shown = testing::PrintToString(text);
    ASSERT_EQ(ids, plain.value().ids) << "seed " << seed << " " << shown;
    ASSERT_EQ(fast.value().ids, plain.value().ids) << shown;
    ASSERT_EQ(fast.value().tokens, plain.value().tokens) << shown;
    ASSERT_EQ(fast.value().words, plain.value().words) << shown;
    ASSERT_EQ(fast.value().offsets, plain.value().offsets) << shown;
    ASSERT_EQ(rows.ids, plain.value().ids) << shown;
    ASSERT_EQ(rows.offsets, plain.value().offsets) << shown;
    ASSERT_EQ(rows.words, plain.value().words) << shown;
  }
}

// One letter, few letters, all letters, words without spaces, characters of several bytes.
std::string long_word(std::mt19937& random) {
  static const std::string parts[] = {"the",
                                      "ing",
                                      "ation",
                                      "Hello",
                                      "er",
                                      "s",
                                      "un",
                                      "\xC3\xA9",
                                      "\xD0\xBF\xD1\x80\xD0\xB8",
                                      "\xE6\x97\xA5\xE6\x9C\xAC",
                                      "\xF0\x9F\x91\xA9"};
  const unsigned letters = random() % 3 == 0 ? 1 + random() % 3 : 26;
  const bool of_parts = random() % 2 == 0;
  const size_t kinds = random() % 3 == 0 ? std::size(parts) : 7,
               bytes = 200 + random() % (random() % 2 == 0 ? 4000 : 12000);
  std::string out;
  while (out.size() < bytes)
    if (of_parts)
      out += parts[random() % kinds];
    else
      out += static_cast<char>('a' + random() % letters);
  return out;
}

TEST_P(FastWay, GivesWhatThePartsGiveOfLongWords) {
  const std::string json = read_tokenizer(GetParam());
  if (json.empty()) GTEST_SKIP() << io::reference_data_missing;
  const auto loaded = Tokenizer::load(json);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  std::mt19937 random(seed);
  const AsBefore after;
  for (int i = 0; i < 40; ++i) {
    hold_instructions_to(i % 4 == 3 ? Instructions::avx2 : Instructions::avx512);
    const std::string text = long_word(random);
    const auto plain =
        loaded.value().encode({.text = text, .words = {}, .pair = {}}, {.way = EncodeWay::plain});
    ASSERT_TRUE(plain.ok());
    Rows rows;
    ASSERT_TRUE(loaded.value().append_rows(text, {}, rows).ok());
    ASSERT_EQ(rows.ids, plain.value().ids) << "seed " << seed << " " << text;
    ASSERT_EQ(rows.offsets, plain.value().offsets) << text;
  }
}

// Words of letters of one alphabet each, with spaces between them or without.
std::string of_alphabets(std::mt19937& random) {
  const std::pair<char32_t, unsigned> alphabets[] = {
      {'a', 26},   {'!', 60},   {0xE0, 30},   {0x3B1, 25},   {0x430, 32},    {0x5D0, 27},   {0x627, 36},
      {0x905, 60}, {0xE01, 58}, {0x3041, 80}, {0x4E00, 400}, {0xAC00, 1000}, {0x1F600, 60}, {0x2580, 4}};
  std::string out;
  while (out.size() < 9000) {
    const auto [first, count] = alphabets[random() % std::size(alphabets)];
    const size_t letters_max = random() % 4 == 0 ? 120 : 9;
    for (size_t words = random() % 20; words > 0; --words) {
      for (size_t letters = 1 + random() % letters_max; letters > 0; --letters)
        append_utf8(out, first + random() % count);
      if (random() % 8 != 0) out += random() % 16 == 0 ? "  " : " ";
    }
  }
  return out;
}

TEST_P(FastWay, GivesWhatThePartsGiveOfManyAlphabets) {
  const std::string json = read_tokenizer(GetParam());
  if (json.empty()) GTEST_SKIP() << io::reference_data_missing;
  const auto loaded = Tokenizer::load(json);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  std::mt19937 random(seed);
  const AsBefore after;
  for (int i = 0; i < 15; ++i) {
    constexpr Instructions ways[] = {Instructions::avx512, Instructions::avx2, Instructions::any};
    hold_instructions_to(ways[i % 3]);
    const std::string text = of_alphabets(random);
    const auto plain =
        loaded.value().encode({.text = text, .words = {}, .pair = {}}, {.way = EncodeWay::plain});
    ASSERT_TRUE(plain.ok());
    std::vector<uint32_t> ids;
    ASSERT_TRUE(loaded.value().append_ids(text, {}, ids).ok());
    Rows rows;
    ASSERT_TRUE(loaded.value().append_rows(text, {}, rows).ok());
    ASSERT_EQ(ids, plain.value().ids) << "seed " << seed << " " << text;
    ASSERT_EQ(rows.ids, plain.value().ids) << text;
    ASSERT_EQ(rows.offsets, plain.value().offsets) << text;
    ASSERT_EQ(rows.words, plain.value().words) << text;
  }
}

// Threads that come first make the tables that all share, code point by code point.
TEST_P(FastWay, ABatchOnThreadsIsTheBatchOnOne) {
  const std::string json = read_tokenizer(GetParam());
  if (json.empty()) GTEST_SKIP() << io::reference_data_missing;
  const auto threads = Tokenizer::load(json), alone = Tokenizer::load(json);
  ASSERT_TRUE(threads.ok() && alone.ok());
  std::mt19937 random(seed);
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(i % 10 == 0 ? of_alphabets(random) : random_text(random));
  const auto four = threads.value().encode_batch(texts, {.threads = 4});
  const auto one = alone.value().encode_batch(texts, {});
  ASSERT_TRUE(one.ok() && four.ok());
  ASSERT_EQ(one.value().size(), four.value().size());
  for (size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(one.value()[i].ids, four.value()[i].ids) << "seed " << seed << " " << texts[i];
    ASSERT_EQ(one.value()[i].offsets, four.value()[i].offsets) << texts[i];
  }
}

// Where letters are joined was looked up as the text has them, so that capitals were cut apart.
TEST(FastWayOfBpe, MergesLettersThatWereCapitals) {
  for (
      const char* normalizer :
      {R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": true})",
       R"({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "lowercase": false})"}) {
    const auto tokenizer = Tokenizer::load(std::string(R"({"normalizer": )") + normalizer +
                                           R"(, "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "BPE", "unk_token": "e", "vocab": {"h": 0, "e": 1, "l": 2, "t": 3, "he": 4, "ll": 5,
        "hell": 6, "H": 7, "E": 8}, "merges": [["h", "e"], ["l", "l"], ["he", "ll"]]}})");
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
    ASSERT_TRUE(tokenizer.value().has_fast_way());
    for (const std::string& text : {std::string("HE"), std::string("He hE he"), std::string("THELL hell"),
                                    std::string(200, 'H') + "EHELLHE hello HE"}) {
      const auto plain =
          tokenizer.value().encode({.text = text, .words = {}, .pair = {}}, {.way = EncodeWay::plain});
      ASSERT_TRUE(plain.ok());
      std::vector<uint32_t> ids;
      ASSERT_TRUE(tokenizer.value().append_ids(text, {}, ids).ok());
      EXPECT_EQ(ids, plain.value().ids) << text;
      Rows rows;
      ASSERT_TRUE(tokenizer.value().append_rows(text, {}, rows).ok());
      EXPECT_EQ(rows.ids, plain.value().ids) << text;
      EXPECT_EQ(rows.offsets, plain.value().offsets) << text;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Real, FastWay,
                         testing::Values("gpt2", "roberta-style", "cl100k-llama3style", "qwen3",
                                         "gpt4o-o200k", "deepseek-v3", "mistral-v1-spm",
                                         "bert-uncased-minilm", "pegasus-unigram", "barthez-spm-bpe"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

}  // namespace
}  // namespace holdfast::token
