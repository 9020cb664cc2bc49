// The goldens of tasks on images and sounds: every call answered as transformers' pipelines answer it.
#include "model/signal_pipeline.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>

#include "codec/base64.h"
#include "codec/json.h"
#include "io/reference_data.h"

namespace holdfast::model {
namespace {

namespace json = boost::json;

struct Folder {
  std::unique_ptr<io::Disk> disk;
  SignalPipeline pipeline;
  json::array cases;
  std::unique_ptr<tensor::Threads> threads = tensor::make_threads(2);

  // The reference data names files from the task's own folder on.
  std::string file(const json::value& one) const {
    const io::Path path =
        io::Path("pipelines/x") / std::string_view(one.at("args").as_array()[0].as_string());
    const auto text = io::read_text(*disk, path.lexically_normal(), 16 << 20);
    EXPECT_TRUE(text.ok());
    return text.ok() ? text.value() : "";
  }
  Result<json::value> run(std::string_view task, const json::object& parameters,
                          std::string_view bytes) const {
    return pipeline.run(task, nullptr, parameters, as_bytes(bytes), *threads);
  }
};

std::optional<Folder> open(const std::string& task) {
  const auto root = io::reference_data("models");
  if (!root) return std::nullopt;
  auto disk = io::open_posix_disk(*root).value();
  const io::Path place = io::Path("pipelines") / task;
  auto pipeline = SignalPipeline::open(*disk, place);
  EXPECT_TRUE(pipeline.ok()) << (pipeline.ok() ? "" : pipeline.error().message);
  if (!pipeline.ok()) return std::nullopt;
  auto golden =
      codec::parse_json_object(io::read_text(*disk, place / "golden.json", 16 << 20).value()).value();
  return Folder{std::move(disk), std::move(pipeline).value(), std::move(golden.at("cases").as_array())};
}

TEST(SignalPipeline, ClassifiesImagesAsTheReference) {
  const auto folder = open("image-classification");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  EXPECT_EQ(folder->pipeline.task(), "image-classification");
  for (const json::value& one : folder->cases) {
    const auto got = folder->run("image-classification", one.at("kwargs").as_object(), folder->file(one));
    ASSERT_TRUE(got.ok()) << got.error().message;
    const json::array& wanted = one.at("output").as_array();
    ASSERT_EQ(got.value().as_array().size(), wanted.size());
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_EQ(got.value().at(i).at("label"), wanted[i].at("label"));
      EXPECT_NEAR(got.value().at(i).at("score").to_number<double>(),
                  wanted[i].at("score").to_number<double>(), 1e-4);
    }
  }
}

TEST(SignalPipeline, WritesSpeechAsTheReference) {
  const auto folder = open("automatic-speech-recognition-ctc");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  const std::string task = "automatic-speech-recognition";
  EXPECT_EQ(folder->pipeline.task(), task);
  for (const json::value& one : folder->cases) {
    const auto got = folder->run(task, one.at("kwargs").as_object(), folder->file(one));
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(got.value(), one.at("output"));
  }
}

TEST(SignalPipeline, WordsAndLettersHaveTheirTimes) {
  const auto folder = open("automatic-speech-recognition-ctc");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  const std::string bytes = folder->file(folder->cases[0]);
  for (const char* kind : {"char", "word"}) {
    const auto got = folder->run("automatic-speech-recognition", {{"return_timestamps", kind}}, bytes);
    ASSERT_TRUE(got.ok()) << got.error().message;
    double before = 0;
    std::string all;
    for (const json::value& chunk : got.value().at("chunks").as_array()) {
      const json::array& times = chunk.at("timestamp").as_array();
      EXPECT_LE(before, times[0].as_double());
      EXPECT_LT(times[0].as_double(), times[1].as_double());
      before = times[1].as_double();
      all += chunk.at("text").as_string();
    }
    EXPECT_EQ(all, got.value().at("text").as_string());  // This text has no spaces.
  }
}

TEST(SignalPipeline, BytesAsBase64AndAsAnAddressAreTheSame) {
  const auto folder = open("image-classification");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  const std::string bytes = folder->file(folder->cases[0]);
  const auto plain = folder->run("image-classification", {}, bytes);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain.value().as_array().size(), 5U);  // As the pipeline has it where nobody says.
  const std::string text = codec::base64_encode(as_bytes(bytes));
  for (const std::string& inputs : {text, "data:image/png;base64," + text})
    EXPECT_EQ(
        folder->pipeline.run("image-classification", json::value(inputs), {}, {}, *folder->threads).value(),
        plain.value());
}

TEST(SignalPipeline, WhatIsNoImageAndWhatItIsNotForAreRefused) {
  const auto folder = open("image-classification");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  const auto reason = [&](std::string_view task, std::string_view bytes) {
    return folder->run(task, {}, bytes).error().reason;
  };
  EXPECT_EQ(reason("image-classification", "no image"), Reason::unsupported_media);
  EXPECT_EQ(reason("image-classification", "\x89PNG\r\n\x1a\n broken"), Reason::bad_request);
  EXPECT_EQ(reason("object-detection", folder->file(folder->cases[0])), Reason::model_unsupported);
  EXPECT_EQ(reason("fill-mask", folder->file(folder->cases[0])), Reason::model_unsupported);
  EXPECT_EQ(folder->pipeline.run("image-classification", "http://elsewhere/x.png", {}, {}, *folder->threads)
                .error()
                .reason,
            Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::model
