// Every case of the reference data of a tokenizer, exactly.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "codec/gzip.h"
#include "codec/json.h"
#include "token/case.h"

namespace holdfast::token {
namespace {

std::string shared_folder() {
  const char* given = std::getenv("HOLDFAST_SHARED");
  return given != nullptr ? given : "../shared";
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The first field that differs, or nothing. Where the reference raises, only that we refuse is compared.
std::string difference(const boost::json::object& wanted, const boost::json::object& got) {
  if (wanted.contains("error")) return got.contains("error") ? "" : "no error";
  if (got.contains("error")) return "error: " + std::string(got.at("error").as_string());
  for (const auto& [key, value] : got)
    if (!wanted.contains(key) ? key != "dec" && key != "dec_skip" : wanted.at(key) != value)
      return std::string(key) + " = " + boost::json::serialize(value).substr(0, 400) + "\n wanted " +
             (wanted.contains(key) ? boost::json::serialize(wanted.at(key)).substr(0, 400) : "none");
  return "";
}

TEST(TokenizerGolden, BertUncasedIsExactInEveryCase) {
  const std::string folder = shared_folder() + "/data/tokenizers/bert-uncased-minilm/";
  const std::string json = read_file(folder + "tokenizer.json");
  const std::string packed = read_file(folder + "golden.jsonl.gz");
  if (json.empty() || packed.empty()) GTEST_SKIP() << "no reference data: set HOLDFAST_SHARED";
  auto tokenizer = Tokenizer::load(json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  auto unpacked = codec::inflate(as_bytes(packed), codec::Deflate::gzip, 256 << 20);
  ASSERT_TRUE(unpacked.ok()) << unpacked.error().message;
  const std::string_view lines = as_text(unpacked.value());
  size_t cases = 0, failures = 0;
  for (size_t at = 0; at < lines.size();) {
    const size_t end = std::min(lines.find('\n', at), lines.size());
    const auto wanted =
        codec::parse_json_object(lines.substr(at, end - at), {.depth_max = 32, .bytes_max = 64 << 20});
    ASSERT_TRUE(wanted.ok());
    const auto got = run_case(tokenizer.value(), wanted.value());
    const std::string difference_found =
        got.ok() ? difference(wanted.value(), got.value()) : got.error().message;
    if (!difference_found.empty() && ++failures <= 10)
      ADD_FAILURE() << "case " << cases << ": " << lines.substr(at, std::min<size_t>(end - at, 300)) << "\n "
                    << difference_found;
    ++cases;
    at = end + 1;
  }
  EXPECT_EQ(failures, 0U);
  EXPECT_EQ(cases, 586U);
}

}  // namespace
}  // namespace holdfast::token
