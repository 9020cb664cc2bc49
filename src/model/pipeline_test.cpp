// The task goldens: every call answered as transformers' pipelines answer it.
#include "model/pipeline.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <filesystem>

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

}  // namespace
}  // namespace holdfast::model
