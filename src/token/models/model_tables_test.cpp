#include "token/models/model_tables.h"

#include <gtest/gtest.h>

#include <bit>
#include <boost/json/object.hpp>
#include <random>

#include "codec/json.h"
#include "token/models/unigram.h"
#include "token/tokenizer.h"

namespace holdfast::token {
namespace {

std::string document(std::string_view vocabulary, std::string_view merges) {
  return R"({"version":"1.0","added_tokens":[{"id":7,"content":"}{\"]"}],"model":{"type":"BPE","vocab":)" +
         std::string(vocabulary) + R"(,"unk_token":null,"merges":)" + std::string(merges) +
         R"( } , "decoder" : null})";
}

struct Row {
  const char* name;
  std::string vocabulary, merges;
  bool is_split;
};

class Tables : public testing::TestWithParam<Row> {};

TEST_P(Tables, AreWhatTheJsonParserReads) {
  const Row& row = GetParam();
  const std::string text = document(row.vocabulary, row.merges);
  auto split = split_document(text);
  ASSERT_EQ(split.has_value(), row.is_split);
  if (!row.is_split) return;
  EXPECT_EQ(split->rest, document("{}", "[]"));
  const auto json = codec::parse_json_object(text);
  ASSERT_TRUE(json.ok());
  const auto& model = json.value().at("model").as_object();
  const auto wanted = Vocabulary::load(model.at("vocab").as_object());
  ASSERT_TRUE(wanted.ok());
  EXPECT_EQ(split->tables.vocabulary->ids(), wanted.value().ids());
  for (const auto& [token, id] : wanted.value().ids()) EXPECT_EQ(split->tables.vocabulary->id_of(token), id);
  const auto& merges = model.at("merges").as_array();
  ASSERT_EQ(split->tables.merges->size(), merges.size());
  for (size_t i = 0; i < merges.size(); ++i) {
    const auto& pair = (*split->tables.merges)[i];
    if (merges[i].is_string())
      EXPECT_EQ(std::string(pair.left) + " " + std::string(pair.right), merges[i].as_string());
    else
      EXPECT_TRUE(pair.left == merges[i].at(0).as_string() && pair.right == merges[i].at(1).as_string());
  }
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Tables,
    testing::Values(
        Row{"empty", "{}", "[]", true}, Row{"plain", R"({"a":0,"b":1,"ab":2})", R"([["a","b"]])", true},
        Row{"spaces", "{ \"a\" :\n0 ,\t\"b\":1}", "[ [ \"a\" , \"b\" ] ]", true},
        Row{"merges_of_one_text", R"({"a":0,"b":1})", R"(["a b","b a"])", true},
        Row{"escapes", R"({"\"":0,"\\":1,"\u0120a\n":2,"\ud83d\ude00x":3,"\/":4})", R"([["\"","\\"]])", true},
        Row{"long_texts", R"({"abcdefghijklmnopqrstuvwxyz\"0123456789":4294967295})", "[]", true},
        Row{"not_ascii", "{\"\xE2\x96\x81\xC3\xA9\":0}", "[]", true},
        Row{"a_token_twice", R"({"a":0,"a":1})", "[]", false},
        Row{"a_token_twice_by_escapes", R"({"a":0,"\u0061":1})", "[]", false},
        Row{"half_of_a_pair", R"({"\ud83d":0})", "[]", false},
        Row{"not_a_number", R"({"a":"0"})", "[]", false}, Row{"negative", R"({"a":-1})", "[]", false},
        Row{"fraction", R"({"a":1.5})", "[]", false}, Row{"too_large", R"({"a":4294967296})", "[]", false},
        Row{"zeros", R"({"a":01})", "[]", false}, Row{"a_comma_too_many", R"({"a":1,})", "[]", false},
        Row{"a_control", "{\"a\x01\":1}", "[]", false}, Row{"not_utf8", "{\"a\xFF\":1}", "[]", false},
        Row{"both_kinds_of_merges", R"({"a":0})", R"([["a","a"],"a a"])", false},
        Row{"a_version", R"({"a":0})", R"(["#version: 0.2","a a"])", false},
        Row{"three_of_a_merge", R"({"a":0})", R"([["a","a","a"]])", false},
        Row{"not_closed", R"({"a":0)", "[]", false}, Row{"an_unknown_escape", R"({"\x":0})", "[]", false}),
    [](const auto& test) { return std::string(test.param.name); });

std::string unigram_document(std::string_view pieces) {
  return R"({"added_tokens":[{"id":1,"content":"a"}],"model":{"type":"Unigram","unk_id":0,"vocab":)" +
         std::string(pieces) + R"(,"byte_fallback":false}})";
}

TEST(SplitDocument, PiecesHaveTheScoresThatTheJsonParserReads) {
  const std::string text = unigram_document(
      R"([["<unk>",0],["a",0.0],["\u2581b",-1.5],["c",-12.345678901234567] , [ "d" ,-1e-7],["e",1E+3],["f",-3],["f",-0.0],)"
      R"(["g",-9.0347833633422852],["h",-10.50],["i",0.1000000000000000055511151231257827],["j",123456789012345678]])");
  const auto split = split_document(text);
  ASSERT_TRUE(split && split->tables.pieces);
  EXPECT_EQ(split->rest, unigram_document("[]"));
  const auto json = codec::parse_json_object(text);
  ASSERT_TRUE(json.ok());
  const auto& wanted = json.value().at("model").at("vocab").as_array();
  ASSERT_EQ(split->tables.pieces->size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    const auto& [piece, score] = (*split->tables.pieces)[i];
    const auto& [wanted_piece, wanted_score] = std::pair(wanted[i].at(0), wanted[i].at(1));
    EXPECT_EQ(piece, wanted_piece.as_string());
    const double read = wanted_score.is_double() ? score_as_read(wanted_score.as_double())
                                                 : static_cast<double>(wanted_score.as_int64());
    EXPECT_EQ(std::bit_cast<uint64_t>(score), std::bit_cast<uint64_t>(read)) << piece;
  }
  const auto loaded = Tokenizer::load(text);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded.value().id_of("f"), 7U);  // The last of equal ones.
}

TEST(SplitDocument, LeavesUnusualPiecesToTheParser) {
  for (const char* pieces :
       {"[[\"a\",-0]]", "[[\"a\",01]]", "[[\"a\",1.]]", "[[\"a\",.5]]", "[[\"a\",1e]]", "[[\"a\",+1]]",
        "[[\"a\",1e999]]", "[[\"a\",1234567890123456789]]", "[[\"a\"]]", "[[\"a\",1,2]]", "[[\"a\",\"1\"]]",
        "[[1,1]]", "[\"a\"]", "[[\"a\",1],]", "[[\"a\",NaN]]"})
    EXPECT_FALSE(split_document(unigram_document(pieces))) << pieces;
}

TEST(SplitDocument, LeavesDoubleKeysAndTextAfterTheEndToTheParser) {
  EXPECT_FALSE(split_document(R"({"model":{"vocab":{}},"model":{"vocab":{}}})"));
  EXPECT_FALSE(split_document(R"({"model":{"vocab":{},"vocab":{"a":1}}})"));
  EXPECT_FALSE(split_document(R"({"model":{"vocab":{}}} x)"));
  EXPECT_FALSE(split_document(R"({"model":{"\u0076ocab":{}}})"));
  EXPECT_FALSE(split_document(R"({"model":{}})"));
  EXPECT_TRUE(split_document(R"({"x":{"vocab":{"a":1}},"model":{"vocab":{}}})"));
}

// Every text cut short or with one byte changed is loaded as its document is, or refused as it is.
TEST(SplitDocument, DamagedTextsLoadAsTheirDocuments) {
  const std::string texts[] = {document(R"({"a":0,"b":1,"ab":2,"\u00e9":3})", R"([["a","b"]])"),
                               unigram_document(R"([["a",0.0],["b",-1.5],["ab",-2e1],["\u00e9",-3]])")};
  std::mt19937 random(7);
  for (int i = 0; i < 8000; ++i) {
    std::string damaged = texts[i % 2];
    if (i % 3 == 0) damaged.resize(random() % damaged.size());
    if (!damaged.empty()) damaged[random() % damaged.size()] = "\"\\{}[]:,0a \n\x01\xC3"[random() % 15];
    const auto loaded = Tokenizer::load(damaged);
    const auto json = codec::parse_json_object(damaged, {.depth_max = 32, .bytes_max = 1 << 20});
    if (!json.ok()) {
      EXPECT_FALSE(loaded.ok()) << damaged;
      continue;
    }
    const auto wanted = Tokenizer::from_document(json.value());
    ASSERT_EQ(loaded.ok(), wanted.ok()) << damaged;
    if (!wanted.ok()) {
      EXPECT_EQ(loaded.error().message, wanted.error().message);
      continue;
    }
    EXPECT_EQ(loaded.value().vocabulary_size(), wanted.value().vocabulary_size());
    for (uint32_t id = 0; id < 8; ++id)
      EXPECT_EQ(loaded.value().token_of(id), wanted.value().token_of(id)) << damaged;
  }
}

}  // namespace
}  // namespace holdfast::token
