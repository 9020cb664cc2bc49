#include "api/transcript.h"

#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

boost::json::value spoken() {
  return codec::parse_json(
             R"({"text": " Hello there.", "language": "english", "duration": 3725.5, "chunks": [)"
             R"({"text": " Hello", "timestamp": [0.0, 1.52], "tokens": [1, 2]},)"
             R"({"text": " there.", "timestamp": [3661.001, null], "tokens": [3]}]})")
      .value();
}

TEST(Transcript, TextAloneHasNoSpaceInFront) {
  EXPECT_EQ(transcript(spoken(), TranscriptForm::json, false, false), R"({"text":"Hello there."})");
  EXPECT_EQ(transcript(spoken(), TranscriptForm::text, false, false), "Hello there.\n");
}

TEST(Transcript, SubtitlesTellHoursAndWhatHasNoEndEndsWithTheSound) {
  EXPECT_EQ(transcript(spoken(), TranscriptForm::srt, false, false),
            "1\n00:00:00,000 --> 00:00:01,520\nHello\n\n2\n01:01:01,001 --> 01:02:05,500\nthere.\n\n");
  EXPECT_EQ(transcript(spoken(), TranscriptForm::vtt, false, false),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.520\nHello\n\n01:01:01.001 --> 01:02:05.500\nthere.\n\n");
}

TEST(Transcript, VerboseSaysTaskLanguageAndSegments) {
  const auto read =
      codec::parse_json(transcript(spoken(), TranscriptForm::verbose_json, true, false)).value();
  EXPECT_EQ(read.at("task"), "translate");
  EXPECT_EQ(read.at("language"), "english");
  EXPECT_EQ(read.at("segments").at(1).at("end").as_double(), 3725.5);
  EXPECT_EQ(read.at("segments").at(0).at("tokens").as_array().size(), 2U);
  const auto words =
      codec::parse_json(transcript(spoken(), TranscriptForm::verbose_json, false, true)).value();
  EXPECT_EQ(words.at("words").at(0).at("word"), "Hello");
}

TEST(Transcript, AnotherFormIsRefused) {
  EXPECT_EQ(read_transcript_form("xml").error().reason, Reason::bad_request);
  EXPECT_EQ(read_transcript_form("").value(), TranscriptForm::json);
}

}  // namespace
}  // namespace holdfast::api
