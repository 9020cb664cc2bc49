// Every case of the reference data of every tokenizer, exactly; where that data is not there, the selection
// of tests/golden/tokenizers.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "codec/gzip.h"
#include "codec/json.h"
#include "io/reference_data.h"
#include "token/case.h"

namespace holdfast::token {
namespace {

constexpr size_t file_bytes_max = 256 << 20;
constexpr codec::JsonLimits line_limits{.depth_max = 32, .bytes_max = 64 << 20};

// The file or its packed twin; empty where there is neither.
std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  if (bytes.empty() && !path.ends_with(".gz")) return read_file(path + ".gz");
  if (!codec::looks_gzipped(as_bytes(bytes))) return bytes;
  auto unpacked = codec::inflate(as_bytes(bytes), codec::Deflate::gzip, file_bytes_max);
  return unpacked.ok() ? std::string(as_text(unpacked.value())) : std::string();
}

// The first field that differs, or nothing. Where the reference raises, only that we refuse is compared.
std::string difference(const boost::json::object& wanted, const boost::json::object& got) {
  if (wanted.contains("error") || wanted.contains("set_error"))
    return got.contains("error") ? "" : "no error";
  if (got.contains("error")) return "error: " + std::string(got.at("error").as_string());
  if (wanted.contains("overflow") && !got.contains("overflow")) return "no overflow";
  for (const auto& [key, value] : got)
    if (!wanted.contains(key) ? key != "dec" && key != "dec_skip" : wanted.at(key) != value)
      return std::string(key) + " = " + boost::json::serialize(value).substr(0, 400) + "\n wanted " +
             (wanted.contains(key) ? boost::json::serialize(wanted.at(key)).substr(0, 400) : "none");
  return "";
}

using Tokenizers = std::map<std::string, Result<Tokenizer>, std::less<>>;

void load_components(std::string_view lines, Tokenizers& into) {
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const auto row = codec::parse_json_object(lines.substr(at, end - at), line_limits);
    ASSERT_TRUE(row.ok());
    const boost::json::value& json = row.value().at("json");
    const std::string text = json.is_string() ? std::string(json.get_string()) : boost::json::serialize(json);
    into.emplace(std::string(row.value().at("tk").as_string()), Tokenizer::load(text));
    at = end + 1;
  }
}

// Runs all lines; a line's tokenizer is the one of its `tk`, or of the name "".
size_t run_lines(std::string_view lines, const Tokenizers& tokenizers) {
  size_t cases = 0, failures = 0;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const auto wanted = codec::parse_json_object(lines.substr(at, end - at), line_limits);
    EXPECT_TRUE(wanted.ok());
    if (!wanted.ok()) return cases;
    const boost::json::value* name = wanted.value().if_contains("tk");
    const auto tokenizer = tokenizers.find(name == nullptr ? "" : std::string_view(name->as_string()));
    EXPECT_TRUE(tokenizer != tokenizers.end() && tokenizer->second.ok());
    if (tokenizer == tokenizers.end() || !tokenizer->second.ok()) return cases;
    const auto got = run_case(tokenizer->second.value(), wanted.value());
    const std::string found = got.ok() ? difference(wanted.value(), got.value()) : got.error().message;
    if (!found.empty() && ++failures <= 10)
      ADD_FAILURE() << "case " << cases << ": " << lines.substr(at, std::min<size_t>(end - at, 300)) << "\n "
                    << found;
    ++cases;
    at = end + 1;
  }
  EXPECT_EQ(failures, 0U);
  return cases;
}

class RealTokenizer : public testing::TestWithParam<const char*> {};

TEST_P(RealTokenizer, IsExactInEveryCase) {
  const auto found = io::reference_data(std::string("tokenizers/") + GetParam());
  if (!found) GTEST_SKIP() << io::reference_data_missing;
  const std::string folder = found->string();
  const std::string json = read_file(folder + "/tokenizer.json"), cases = read_file(folder + "/golden.jsonl");
  ASSERT_FALSE(json.empty() || cases.empty()) << folder;
  Tokenizers tokenizers;
  tokenizers.emplace("", Tokenizer::load(json));
  const auto& loaded = tokenizers.begin()->second;
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(run_lines(cases, tokenizers), 586U);
}

INSTANTIATE_TEST_SUITE_P(Golden, RealTokenizer,
                         testing::Values("barthez-spm-bpe", "bert-uncased-minilm", "cl100k-llama3style",
                                         "clip", "deepseek-v3", "falcon", "gpt2", "gpt4o-o200k",
                                         "mistral-v1-spm", "pegasus-unigram", "qwen3", "roberta-style"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

void expect_components(const std::string& folder, const char* cases) {
  Tokenizers tokenizers;
  load_components(read_file(folder + "/tokenizers.jsonl"), tokenizers);
  EXPECT_EQ(tokenizers.size(), 151U);
  EXPECT_GT(run_lines(read_file(folder + "/" + cases), tokenizers), 1000U);
}

TEST(ComponentTokenizers, AreExactInEveryCommittedCase) {
  expect_components("tests/golden/tokenizers", "cases.jsonl");
}

TEST(ComponentTokenizers, AreExactInEveryCaseOfTheReferenceData) {
  const auto folder = io::reference_data("tokenizers/components");
  if (!folder) GTEST_SKIP() << io::reference_data_missing;
  expect_components(folder->string(), "golden.jsonl");
}

}  // namespace
}  // namespace holdfast::token
