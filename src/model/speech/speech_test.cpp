#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cmath>
#include <limits>

#include "codec/json.h"
#include "model/speech/speech_prompt.h"
#include "model/speech/speech_segments.h"
#include "model/speech/spoken_languages.h"
#include "model/speech/timestamp_rules.h"

namespace holdfast::model {
namespace {

using Tokens = std::vector<TokenId>;

// As of openai/whisper-tiny, with other numbers: 100 start, 101 en, 102 de, 110 translate, 111 transcribe,
// 120 before, 130 without times, 131 the time 0.
constexpr const char* many_languages =
    R"({"decoder_start_token_id": 100, "lang_to_id": {"<|en|>": 101, "<|de|>": 102},)"
    R"( "task_to_id": {"translate": 110, "transcribe": 111}, "no_timestamps_token_id": 130, "prev_sot_token_id": 120)";

SpeechTokens tokens(const std::string& more = "", const std::string& config = "{}") {
  const auto generation = codec::parse_json_object(many_languages + more + "}").value();
  const auto out = read_speech_tokens(generation, codec::parse_json_object(config).value());
  EXPECT_TRUE(out.ok()) << (out.ok() ? "" : out.error().message);
  return out.ok() ? out.value() : SpeechTokens();
}

TEST(SpeechPrompt, TheLanguageIsHeardWhereNobodySaysIt) {
  EXPECT_FALSE(speech_prompt(tokens(), {}, std::nullopt).value());
  EXPECT_EQ(speech_prompt(tokens(), {}, 102).value(), (Tokens{100, 102, 130}));
}

TEST(SpeechPrompt, ASaidLanguageIsTranscribedUnlessTranslationIsWished) {
  EXPECT_EQ(speech_prompt(tokens(), {"german", {}, false}, std::nullopt).value(),
            (Tokens{100, 102, 111, 130}));
  EXPECT_EQ(speech_prompt(tokens(), {"<|en|>", "translate", false}, std::nullopt).value(),
            (Tokens{100, 101, 110, 130}));
  EXPECT_EQ(speech_prompt(tokens(), {{}, "translate", true}, 101).value(), (Tokens{100, 101, 110}));
}

TEST(SpeechPrompt, WhatOldFoldersForceCountsUntilSomebodySaysMore) {
  const SpeechTokens old = tokens(R"(, "forced_decoder_ids": [[1, null], [2, 111]])");
  EXPECT_EQ(speech_prompt(old, {}, 102).value(), (Tokens{100, 102, 111, 130}));
  EXPECT_EQ(speech_prompt(old, {"en", "translate", false}, std::nullopt).value(),
            (Tokens{100, 101, 110, 130}));
  const SpeechTokens english = tokens(R"(, "forced_decoder_ids": [[1, 101], [2, 111], [3, 130]])");
  EXPECT_EQ(speech_prompt(english, {}, std::nullopt).value(), (Tokens{100, 101, 111, 130}));
  EXPECT_EQ(speech_prompt(english, {{}, {}, true}, std::nullopt).value(), (Tokens{100, 101, 111}));
}

TEST(SpeechPrompt, WhatTheModelLacksIsRefused) {
  EXPECT_EQ(speech_prompt(tokens(), {"french", {}, false}, std::nullopt).error().reason, Reason::bad_request);
  EXPECT_EQ(speech_prompt(tokens(), {"en", "sing", false}, std::nullopt).error().reason, Reason::bad_request);
  const auto broken =
      codec::parse_json_object(R"({"decoder_start_token_id": 1, "forced_decoder_ids": [[3, 4]]})");
  EXPECT_FALSE(read_speech_tokens(broken.value(), {}).ok());
}

TEST(SpokenLanguages, AreKnownByCodeNameAndOtherName) {
  EXPECT_EQ(spoken_languages().size(), 100U);
  EXPECT_EQ(language_code("German"), "de");
  EXPECT_EQ(language_code("castilian"), "es");
  EXPECT_EQ(language_code("yue"), "yue");
  EXPECT_EQ(language_code("klingon"), "");
  EXPECT_EQ(language_name("haw"), "hawaiian");
}

// Words 0 to 3, end 4, without times 5, times 6 to 11. Which may be written after `written`.
std::vector<TokenId> allowed(const Tokens& written,
                             std::vector<float> scores = {9, 1, 1, 1, 5, 50, 1, 1, 1, 1, 1, 1},
                             size_t first_max = 2) {
  hold_times({.no_timestamps = 5, .end = 4, .first_max = first_max}, written, scores);
  std::vector<TokenId> left;
  for (TokenId token = 0; token < scores.size(); ++token)
    if (std::isfinite(scores[token])) left.push_back(token);
  return left;
}

TEST(TimestampRules, ATextBeginsWithATimeNearTheBegin) {
  EXPECT_EQ(allowed({}), (Tokens{6, 7, 8}));
  EXPECT_EQ(allowed({}, {9, 1, 1, 1, 5, 50, 1, 1, 1, 1, 1, 1}, 0), (Tokens{6, 7, 8, 9, 10, 11}));
}

TEST(TimestampRules, AfterTheFirstTimeComeWords) { EXPECT_EQ(allowed({6}), (Tokens{0, 1, 2, 3, 4})); }

TEST(TimestampRules, AfterWordsComesALaterTime) {
  EXPECT_EQ(allowed({7, 0}), (Tokens{0, 1, 2, 3, 4, 8, 9, 10, 11}));
}

TEST(TimestampRules, AfterAnEndComesTheSameTimeALaterOneOrTheEnd) {
  EXPECT_EQ(allowed({6, 0, 8}), (Tokens{4, 8, 9, 10, 11}));
  EXPECT_EQ(allowed({6, 0, 8, 8}), (Tokens{0, 1, 2, 3, 4}));
}

TEST(TimestampRules, ATimeIsWrittenWhereAllTogetherAreLikelier) {
  const std::vector<float> near = {2.5, 1, 1, 1, 2, 50, 2, 2, 2, 2, 2, 2};
  EXPECT_EQ(allowed({6, 0}, near), (Tokens{7, 8, 9, 10, 11}));
  const std::vector<float> far = {4, 1, 1, 1, 2, 50, 2, 2, 2, 2, 2, 2};
  EXPECT_EQ(allowed({6, 0}, far), (Tokens{0, 1, 2, 3, 4, 7, 8, 9, 10, 11}));
  std::vector<float> suppressed = far;
  suppressed[0] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(allowed({6, 0}, suppressed), (Tokens{7, 8, 9, 10, 11}));  // What is never written is not likely.
}

TEST(EndWindow, WhatWasCutOffIsReadAgain) {
  // 1000 is the time 0.
  const WindowEnd end = end_window(Tokens{1000, 1, 2, 1010, 1010, 3, 1020, 1022, 4}, 1000, 1500);
  EXPECT_EQ(end.kept, 8U);  // With the begin of the next piece, which says that this one was no lone end.
  EXPECT_EQ(end.next, 20);
}

TEST(EndWindow, ALoneTimeAtTheEndSaysThatNothingFollows) {
  const WindowEnd end = end_window(Tokens{1000, 1, 1010, 1012, 2, 1030}, 1000, 1500);
  EXPECT_EQ(end.kept, 6U);
  EXPECT_EQ(end.next, 1500);
}

TEST(EndWindow, WithoutACutAllOfItCounts) {
  EXPECT_EQ(end_window(Tokens{1000, 1, 1040}, 1000, 1500).kept, 3U);
  EXPECT_EQ(end_window(Tokens{1, 2}, 1000, 700).next, 700);
  EXPECT_EQ(end_window(Tokens{}, 1000, 700).next, 700);
}

TEST(EndWindow, NoWindowIsReadForEver) {
  EXPECT_EQ(end_window(Tokens{1000, 1000, 1}, 1000, 1500).next, 1500);
}

using Times = std::vector<std::pair<double, double>>;
Times times(const std::vector<SpeechChunk>& chunks) {
  Times out;
  for (const SpeechChunk& one : chunks) out.emplace_back(one.from.value_or(-1), one.to.value_or(-1));
  return out;
}

TEST(CutChunks, TimesComeInPairs) {
  const auto chunks = cut_chunks(Tokens{1000, 1, 2, 1010, 1015, 3, 1020}, 1000, 0.02, 1500);
  EXPECT_EQ(times(chunks), (Times{{0, 0.2}, {0.3, 0.4}}));
  EXPECT_EQ(chunks[0].words, (Tokens{1, 2}));
}

TEST(CutChunks, ATimeThatRunsBackwardsIsOfTheNextWindow) {
  // The first window was left at 20; the second one's times count from there.
  EXPECT_EQ(times(cut_chunks(Tokens{1000, 1, 1020, 1020, 1000, 2, 1005}, 1000, 1, 1500)),
            (Times{{0, 20}, {20, 25}}));
  // The first window was over: the second begins after all of it.
  EXPECT_EQ(times(cut_chunks(Tokens{1000, 1, 1020, 1002, 2, 1005}, 1000, 1, 1500)),
            (Times{{0, 20}, {1502, 1505}}));
}

TEST(CutChunks, WhatHasNoEndIsTheLast) {
  EXPECT_EQ(times(cut_chunks(Tokens{1000, 1, 1020, 1020, 2}, 1000, 1, 1500)), (Times{{0, 20}, {20, -1}}));
  EXPECT_EQ(times(cut_chunks(Tokens{1, 2}, 1000, 1, 1500)), (Times{{-1, -1}}));
  EXPECT_TRUE(cut_chunks(Tokens{1000, 1000}, 1000, 1, 1500).empty());
}

}  // namespace
}  // namespace holdfast::model
