// The task goldens: every call answered as transformers' pipelines answer it.
#include "model/pipeline.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>
#include <map>

#include "codec/json.h"
#include "io/reference_data.h"

namespace holdfast::model {
namespace {

using boost::json::value;

// Empty where the two are alike: numbers within 1e-4, all else exactly.
std::string difference(const value& wanted, const value& got, const std::string& at) {
  if (wanted.is_array() && got.is_array()) {
    if (wanted.get_array().size() != got.get_array().size()) return at + ": another length";
    for (size_t i = 0; i < wanted.get_array().size(); ++i)
      if (auto one = difference(wanted.get_array()[i], got.get_array()[i], at + "/" + std::to_string(i));
          !one.empty())
        return one;
    return "";
  }
  if (wanted.is_object() && got.is_object()) {
    if (wanted.get_object().size() != got.get_object().size()) return at + ": other keys";
    for (const auto& [key, one] : wanted.get_object()) {
      const value* there = got.get_object().if_contains(key);
      if (there == nullptr) return at + ": lacks " + std::string(key);
      if (auto inner = difference(one, *there, at + "/" + std::string(key)); !inner.empty()) return inner;
    }
    return "";
  }
  if (wanted.is_number() && got.is_number())
    return std::abs(wanted.to_number<double>() - got.to_number<double>()) <= 1e-4 ? "" : at;
  return wanted == got ? "" : at + ": " + codec::to_text(wanted) + " but got " + codec::to_text(got);
}

void expect_task(const std::filesystem::path& root, const std::string& task) {
  SCOPED_TRACE(task);
  const auto disk = io::open_posix_disk(root).value();
  const auto pipeline = Pipeline::open(*disk, task);
  ASSERT_TRUE(pipeline.ok()) << pipeline.error().message;
  const auto golden =
      codec::parse_json_object(io::read_text(*disk, io::Path(task) / "golden.json", 16 << 20).value())
          .value();
  const auto threads = tensor::make_threads(2);
  for (const value& one : golden.at("cases").as_array()) {
    const value& inputs = one.at("args").as_array().at(0);
    const auto got = pipeline.value().run(task, inputs, one.at("kwargs").as_object(), *threads);
    ASSERT_TRUE(got.ok()) << got.error().message;
    EXPECT_EQ(difference(one.at("output"), got.value(), ""), "")
        << codec::to_text(inputs) << codec::to_text(one.at("kwargs"));
  }
}

TEST(Pipeline, EveryTaskGoldenIsReached) {
  const auto root = io::reference_data("models/pipelines");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  for (const char* task : {"feature-extraction", "fill-mask", "text-classification", "token-classification",
                           "zero-shot-classification"})
    expect_task(*root, task);
}

TEST(Pipeline, SparseVectorsAreTheLargestLogitsOfEachTokenOfTheVocabulary) {
  const auto root = io::reference_data("models/pipelines");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto pipeline = Pipeline::open(*disk, "fill-mask").value();
  const auto threads = tensor::make_threads(1);
  const TextModel& model = pipeline.embedder().text_model();
  const std::string text = "the cat sat";
  const token::Encoding encoding = model.encode(text, std::nullopt, LongText::refuse).value();
  const NamedOutput logits = model.logits({&encoding, 1}, *threads).value();
  const auto got = pipeline.run("embed-sparse", boost::json::array{text, text}, {}, *threads);
  ASSERT_TRUE(got.ok()) << got.error().message;
  ASSERT_EQ(got.value().as_array().size(), 2U);
  std::map<uint64_t, double> weights;
  for (const value& one : got.value().at(0).as_array())
    weights[one.at("index").to_number<uint64_t>()] = one.at("value").to_number<double>();
  EXPECT_FALSE(weights.empty());
  for (size_t column = 0; column < logits.columns; ++column) {
    double largest = 0;
    for (size_t row = 0; row < encoding.size(); ++row)
      largest = std::max(
          largest, std::log(1 + std::max<double>(logits.data.data()[row * logits.columns + column], 0)));
    if (largest > 0)
      EXPECT_NEAR(weights.at(column), largest, 1e-5) << column;
    else
      EXPECT_FALSE(weights.contains(column)) << column;
  }
  // Lists of ids get the special tokens that a text gets.
  token::EncodeOptions options;
  options.special = token::SpecialTokens::leave_out;
  const auto bare = model.tokenizer().encode({.text = text, .words = {}, .pair = {}}, options);
  boost::json::array by_ids;
  for (const uint32_t id : bare.value().ids) by_ids.emplace_back(int64_t{id});
  boost::json::array lists;
  lists.emplace_back(std::move(by_ids));
  EXPECT_EQ(pipeline.run("embed-sparse", lists, {}, *threads).value().at(0), got.value().at(0));
  const auto other = Pipeline::open(*disk, "text-classification").value();
  EXPECT_EQ(other.run("embed-sparse", boost::json::array{text}, {}, *threads).error().reason,
            Reason::model_unsupported);
}

value ask(const std::filesystem::path& root, const std::string& task, std::string_view inputs,
          std::string_view parameters) {
  const auto disk = io::open_posix_disk(root).value();
  const auto pipeline = Pipeline::open(*disk, task).value();
  const auto threads = tensor::make_threads(1);
  const auto out = pipeline.run(task, codec::parse_json(inputs).value(),
                                codec::parse_json_object(parameters).value(), *threads);
  EXPECT_TRUE(out.ok()) << out.error().message;
  return out.ok() ? out.value() : value();
}

TEST(Pipeline, WithoutTopKEachTextOfAListIsAnsweredByOneLabel) {
  const auto root = io::reference_data("models/pipelines");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto label = [&](std::string_view inputs, std::string_view parameters) {
    return ask(*root, "text-classification", inputs, parameters);
  };
  const value list = label(R"(["A film.", "Another one."])", "{}");
  ASSERT_EQ(list.as_array().size(), 2U);
  EXPECT_TRUE(list.as_array()[0].is_object());
  EXPECT_TRUE(label(R"({"text": "A film.", "text_pair": "Another one."})", "{}").is_object());
  EXPECT_EQ(label(R"("A film.")", "{}").as_array().size(), 1U);
  EXPECT_EQ(label(R"(["A film."])", R"({"top_k": 2})").as_array()[0].as_array().size(), 2U);
}

TEST(Pipeline, AListOfOneMaskedTextIsAnsweredAsItsText) {
  const auto root = io::reference_data("models/pipelines");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const value one = ask(*root, "fill-mask", R"("The [MASK] fox.")", R"({"top_k": 2})");
  EXPECT_EQ(ask(*root, "fill-mask", R"(["The [MASK] fox."])", R"({"top_k": 2})"), one);
  const value two = ask(*root, "fill-mask", R"(["The [MASK] fox.", "A [MASK]."])",
                        R"({"top_k": 2, "tokenizer_kwargs": {"truncation": true}})");
  ASSERT_EQ(two.as_array().size(), 2U);
  EXPECT_EQ(two.as_array()[0], one);
}

TEST(Pipeline, KnownWordsAreClassifiedWhereTheyStandInTheJoinedText) {
  const auto root = io::reference_data("models/pipelines");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const std::string every = R"("aggregation_strategy": "first", "ignore_labels": [])";
  const value text = ask(*root, "token-classification", R"("Zürich is cold")", "{" + every + "}");
  const value words = ask(*root, "token-classification", R"(["Zürich", "is", "cold"])",
                          "{\"is_split_into_words\": true, " + every + "}");
  ASSERT_EQ(words.as_array().size(), 1U) << "a list of words is a list of one sentence";
  EXPECT_EQ(difference(text, words.as_array()[0], ""), "");
  const value wide = ask(*root, "token-classification", R"([["Zürich", "is"], ["cold"]])",
                         "{\"is_split_into_words\": true, \"delimiter\": \" - \", " + every + "}");
  ASSERT_EQ(wide.as_array().size(), 2U);
  EXPECT_EQ(wide.as_array()[0].as_array().back().at("end"), 11) << "Zürich - is";
}

}  // namespace
}  // namespace holdfast::model
