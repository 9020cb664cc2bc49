#include "api/held_answer.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <random>

#include "codec/json.h"
#include "net/message.h"
#include "serve/guard_verdict.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

std::string event_of(const json::object& object) { return net::sse_event("", codec::to_text(object)); }

std::string chat_event(int choice, std::string_view text, const char* finish = nullptr) {
  return event_of(
      {{"id", "x"},
       {"choices", json::array{json::object{
                       {"index", choice},
                       {"delta", json::object{{"content", text}}},
                       {"finish_reason", finish == nullptr ? json::value() : json::value(finish)}}}}});
}

serve::GuardStage words_stage(std::vector<std::string> words) {
  serve::GuardStage stage;
  stage.place = serve::GuardStage::Place::after;
  stage.words = std::move(words);
  return stage;
}

struct HeldAnswerTest : ::testing::Test {
  void send(const std::string& event) {
    if (found) return;
    found = answer.take(event).anything;
    collect();
  }
  void finish() {
    found = found || answer.end().anything;
    collect();
  }
  void collect() {
    for (const std::string& event : answer.let_through()) {
      out += event;
      for (const auto& part : texts_of_event(event_data(event)).grown) texts[part.place] += part.text;
    }
  }
  HeldAnswer answer;
  bool found = false;
  std::string out;
  std::map<std::string, std::string> texts;
};

TEST_F(HeldAnswerTest, AnEventWaitsForTheOneThatShowsWhatItBegins) {
  answer.look_for(0, words_stage({"forbidden"}));
  send(chat_event(0, "so for"));
  EXPECT_EQ(out, "");
  send(chat_event(1, "other"));
  EXPECT_EQ(out, "") << "the order of events stays";
  send(chat_event(0, "ever"));
  EXPECT_EQ(out, chat_event(0, "so for") + chat_event(1, "other") + chat_event(0, "ever"));
  EXPECT_FALSE(found);
}

TEST_F(HeldAnswerTest, TheLastWordIsLookedAtWhenNothingFollows) {
  answer.look_for(0, words_stage({"forbidden"}));
  send(chat_event(0, "it is "));
  send(chat_event(0, "forbidden"));
  finish();
  EXPECT_TRUE(found);
  EXPECT_EQ(out, chat_event(0, "it is "));
}

TEST_F(HeldAnswerTest, WhatAModelLooksAtGoesOutAfterItLooked) {
  answer.wait_for(3);
  send(chat_event(0, "one"));
  EXPECT_EQ(out, "");
  answer.saw(3);
  send(chat_event(0, "two"));
  EXPECT_EQ(out, chat_event(0, "one"));
  answer.never_mind(3);
  collect();
  EXPECT_EQ(out, chat_event(0, "one") + chat_event(0, "two"));
}

TEST_F(HeldAnswerTest, TokensAreNotToldBeforeTheirText) {
  answer.look_for(0, words_stage({"forbidden"}));
  const json::object ahead{{"index", 0}, {"content", ""}, {"tokens", json::array{17}}, {"stop", false}};
  send(event_of(ahead));
  EXPECT_EQ(out, "");
  send(event_of({{"index", 0}, {"content", "forbidden "}, {"tokens", json::array{18}}, {"stop", false}}));
  EXPECT_TRUE(found);
  EXPECT_EQ(out, "");
}

TEST_F(HeldAnswerTest, TokensOfLogProbabilitiesAreLookedAtAsTheirTextIs) {
  answer.look_for(0, words_stage({"forbidden"}));
  for (const char* token : {"for", "bid", "den "})
    send(event_of(
        {{"choices",
          json::array{json::object{
              {"index", 0},
              {"delta", json::object{{"content", "x"}}},
              {"logprobs", json::object{{"content", json::array{json::object{{"token", token},
                                                                             {"logprob", -1.0}}}}}}}}}}));
  EXPECT_TRUE(found);
  EXPECT_EQ(out, "");
}

TEST_F(HeldAnswerTest, EveryProtocolsTextsAreFound) {
  const auto find = [](const std::string& data) {
    std::string out;
    const EventTexts said = texts_of_event(data);
    for (const auto& part : said.grown) out += part.place + "=" + part.text + ";";
    for (const auto& part : said.wholes) out += "whole " + part.text + ";";
    return out;
  };
  EXPECT_EQ(find(R"({"choices":[{"index":1,"delta":{"reasoning_content":"a","content":"b"}}]})"),
            "/choices/1/delta/reasoning_content=a;/choices/1/delta/content=b;");
  EXPECT_EQ(
      find(
          R"({"choices":[{"index":0,"delta":{"tool_calls":[{"index":2,"function":{"name":"f","arguments":"{}"}}]}}]})"),
      "/choices/0/delta/tool_calls/2/function/arguments={};");
  EXPECT_EQ(find(R"({"choices":[{"index":0,"text":"t"}]})"), "/choices/0/text=t;");
  EXPECT_EQ(find(R"({"type":"response.output_text.delta","output_index":1,"content_index":0,"delta":"d"})"),
            "o1c0/delta=d;");
  EXPECT_EQ(find(R"({"type":"response.output_text.done","output_index":1,"content_index":0,"text":"all"})"),
            "whole all;");
  EXPECT_EQ(
      find(R"({"index":7,"token":{"id":3,"text":"t","logprob":-1,"special":false},"generated_text":"all"})"),
      "/token/text=t;whole all;");
  EXPECT_EQ(find(R"({"index":2,"content":"c","stop":false})"), "2/content=c;");
  EXPECT_EQ(find("[DONE]"), "");
  EXPECT_EQ(find("what is this"), "=what is this;");
}

// However the tokens are cut and two choices mixed: nothing of a forbidden word goes out, and what has none
// goes out unchanged and in order.
TEST_F(HeldAnswerTest, WhateverTheSplitNothingForbiddenLeavesAndWhatIsCleanArrivesAsItWas) {
  const std::string secret = std::string("hf") + "_QbTzRkWmXvLpYcNdFsGhJqAeUiOwMnBvCx";
  const std::vector<std::string> words = {"black market", "forbidden", "禁止"};
  const std::vector<std::string> parts = {"the ",         "black ",  "cat",    " forbid", "den ",  "market",
                                          "禁",           "止",      ", ",     "\n",      "ferry", " goes ",
                                          "blackmarket ", "\"{}\" ", "naïve ", secret};
  serve::GuardStage secrets = words_stage({});
  secrets.secrets = true;
  std::mt19937 random(20261122);
  size_t cut = 0, clean = 0;
  for (int round = 0; round < 3000; ++round) {
    answer = HeldAnswer();
    answer.look_for(0, words_stage(words));
    answer.look_for(1, secrets);
    found = false;
    out.clear();
    texts.clear();
    std::string whole[2], sent;
    for (auto& text : whole)
      for (size_t i = random() % 8; i > 0; --i) text += parts[random() % (round % 2 == 0 ? parts.size() : 3)];
    size_t at[2] = {0, 0};
    while (at[0] < whole[0].size() || at[1] < whole[1].size()) {
      const size_t choice = random() % 2;
      const std::string& text = whole[choice];
      size_t end = std::min(text.size(), at[choice] + random() % 7);
      while (end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) ++end;
      const std::string event =
          chat_event(static_cast<int>(choice), text.substr(at[choice], end - at[choice]));
      at[choice] = end;
      sent += event;
      send(event);
    }
    finish();
    const auto has = [&](const std::string& text) {
      return serve::has_words(text, words) || text.find(secret) != std::string::npos;
    };
    if (!has(whole[0]) && !has(whole[1])) {
      ASSERT_FALSE(found) << whole[0] << " | " << whole[1];
      ASSERT_EQ(out, sent);
      ++clean;
      continue;
    }
    // A secret beside other letters is none: its form ends where words do.
    if (found) ++cut;
    for (int choice = 0; choice < 2; ++choice) {
      const std::string& gone = texts["/choices/" + std::to_string(choice) + "/delta/content"];
      ASSERT_TRUE(whole[choice].starts_with(gone));
      if (!found) continue;
      ASSERT_FALSE(serve::has_words(gone, {words[1], words[2]})) << gone;
      if (serve::has_words(whole[choice], words))
        ASSERT_TRUE(serve::has_words(whole[choice].substr(gone.size()), words))
            << whole[choice] << " | " << gone;
    }
    if (serve::has_words(whole[0], words) || serve::has_words(whole[1], words)) ASSERT_TRUE(found);
  }
  EXPECT_GT(cut, 300U);
  EXPECT_GT(clean, 500U);
}

}  // namespace
}  // namespace holdfast::api
