#include "serve/guard_verdict.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "io/temporary_folder.h"
#include "serve/schema.h"
#include "sql/database.h"

namespace holdfast::serve {
namespace {

Result<GuardStage> stage_of(std::string_view text) {
  TRY(const boost::json::value value, codec::parse_json(text));
  return read_guard_stage(value);
}
boost::json::value json_of(std::string_view text) { return codec::parse_json(text).value(); }

TEST(GuardVerdict, WordsAreFoundWholeHoweverTheyAreWritten) {
  const std::vector<std::string> words = {"black market", "禁止", "knäckebröd"};
  for (const char* text : {"the Black-Market price", "BLACK   market", "ｂｌａｃｋ market",
                           "bl\u200Back market", "這是禁止的", "ein Knäckebröd bitte"})
    EXPECT_TRUE(has_words(text, words)) << text;
  for (const char* text : {"black marketing", "a market in black", "", "Knäckebröde"})
    EXPECT_FALSE(has_words(text, words)) << text;
}

TEST(GuardVerdict, APieceIsShortEnoughForAClassifierAndNothingIsLost) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "wörd ";
  const auto pieces = guard_pieces({text, "short"});
  ASSERT_TRUE(pieces);
  std::string joined;
  for (const std::string& piece : *pieces) {
    EXPECT_LE(piece.size(), guard_piece_bytes);
    EXPECT_NE(static_cast<uint8_t>(piece.front()) & 0xC0, 0x80) << "cut within a character";
    joined += piece;
  }
  EXPECT_EQ(joined, text + "short");
  EXPECT_FALSE(guard_pieces({std::string_view(std::string(guard_pieces_max * guard_piece_bytes + 1, 'x'))}));
}

TEST(GuardVerdict, LabelsAreRefusedFromTheThresholdOnOrUnlessAllowed) {
  const auto said = json_of(R"([[{"label":"ok","score":0.4},{"label":"toxic","score":0.6}],
                                [{"label":"ok","score":0.9},{"label":"toxic","score":0.1}]])");
  const auto refuses = stage_of(R"({"endpoint":"a/b","labels":["toxic"],"threshold":0.6})").value();
  EXPECT_EQ(found_by_labels(refuses, said).value(), "toxic");
  EXPECT_EQ(
      found_by_labels(stage_of(R"({"endpoint":"a/b","labels":["toxic"],"threshold":0.61})").value(), said)
          .value(),
      "");
  EXPECT_EQ(found_by_labels(stage_of(R"({"endpoint":"a/b","allow":["ok"]})").value(), said).value(), "toxic");
  EXPECT_EQ(found_by_labels(stage_of(R"({"endpoint":"a/b","allow":["ok","toxic"]})").value(), said).value(),
            "");
  for (const char* odd : {"{}", "[]x", R"([{"label":"ok"}])", "[[]]", R"([[{"label":1,"score":1}]])", "7"}) {
    const auto value = codec::parse_json(odd);
    if (value.ok()) EXPECT_FALSE(found_by_labels(refuses, value.value()).ok()) << odd;
  }
}

TEST(GuardVerdict, ModerationsAndChatsAreReadByTheirForms) {
  const auto moderated = json_of(
      R"({"results":[{"flagged":false,"categories":{},"category_scores":{"hate":0.2}},
                     {"flagged":true,"categories":{},"category_scores":{"hate":0.8,"violence":0.7}}]})");
  EXPECT_EQ(
      found_by_moderations(stage_of(R"({"endpoint":"a/b","ask":"moderations"})").value(), moderated).value(),
      "flagged");
  EXPECT_EQ(
      found_by_moderations(
          stage_of(R"({"endpoint":"a/b","ask":"moderations","labels":["violence"]})").value(), moderated)
          .value(),
      "violence");
  EXPECT_EQ(
      found_by_moderations(
          stage_of(R"({"endpoint":"a/b","ask":"moderations","labels":["hate"],"threshold":0.9})").value(),
          moderated)
          .value(),
      "");
  EXPECT_FALSE(found_by_moderations({}, json_of(R"({"results":[]})")).ok());
  const GuardStage chat = stage_of(R"({"endpoint":"a/b","ask":"chat"})").value();
  const auto chatted = [&](const char* text) {
    return found_by_chat(chat,
                         json_of(R"({"choices":[{"message":{"content":")" + std::string(text) + R"("}}]})"));
  };
  EXPECT_EQ(chatted("\\n\\nUnsafe\\nS1").value(), "unsafe");
  EXPECT_EQ(chatted("safe").value(), "");
  EXPECT_FALSE(chatted("").ok()) << "no word is no good word";
  EXPECT_FALSE(found_by_chat(chat, json_of(R"({"choices":[]})")).ok());
}

TEST(Guardrails, WhatSaysNothingIsRefusedAndWhatIsSaidComesBack) {
  for (const char* bad :
       {"[]", "{}", R"({"words":["x"],"secrets":true})", R"({"words":[""]})", R"({"words":["?!"]})",
        R"({"endpoint":"a/b"})", R"({"endpoint":"plain","labels":["x"]})",
        R"({"endpoint":"a/b","labels":["x"],"allow":["y"]})",
        R"({"endpoint":"a/b","labels":["x"],"threshold":0})", R"({"endpoint":"a/b","ask":"x"})",
        R"({"words":["x"],"place":"between"})", R"({"words":["x"],"then":"shout"})",
        R"({"words":["x"],"failing":"ajar"})", R"({"words":["x"],"timeout_ms":0})", R"({"word":["x"]})",
        R"({"endpoint":"a/b","ask":"chat","allow":["x"]})"})
    EXPECT_FALSE(stage_of(bad).ok()) << bad;
  io::TemporaryFolder folder;
  auto database = std::move(sql::open_database("sqlite:" + (folder.path() / "guard.db").string())).value();
  const std::vector<sql::Migration> steps(migrations().begin(), migrations().end());
  ASSERT_TRUE(sql::migrate(*database, steps, 1).ok());
  const GuardStages wish = {
      stage_of(R"({"place":"after","words":["a","b"],"then":"flag","failing":"open"})").value(),
      stage_of(R"({"secrets":true})").value(),
      stage_of(R"({"endpoint":"a/b","ask":"moderations","labels":["x"],"threshold":0.25,"timeout_ms":50})")
          .value()};
  {
    auto guardrails = std::move(Guardrails::open(*database)).value();
    EXPECT_EQ(guardrails->stages_of("lab/x"), nullptr);
    ASSERT_TRUE(guardrails->set("lab/x", wish).ok());
    ASSERT_TRUE(guardrails->set("lab/y", wish).ok());
    ASSERT_TRUE(guardrails->set("lab/y", {}).ok());
    EXPECT_FALSE(guardrails->set("lab/z", GuardStages(guard_stages_max + 1, wish[1])).ok());
  }
  auto again = std::move(Guardrails::open(*database)).value();
  ASSERT_NE(again->stages_of("lab/x"), nullptr);
  EXPECT_EQ(*again->stages_of("lab/x"), wish);
  EXPECT_EQ(again->stages_of("lab/y"), nullptr);
  EXPECT_EQ(again->stages_of("lab/z"), nullptr);
}

}  // namespace
}  // namespace holdfast::serve
