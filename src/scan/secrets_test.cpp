#include "scan/secrets.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "scan/keywords.h"
#include "scan/scan_file.h"
#include "scan/secret_rules.h"

namespace holdfast::scan {
namespace {

FileReport look(std::string_view text) {
  const auto source = memory_source(as_bytes(text));
  auto report = scan_file(*source, "notes.md");
  EXPECT_TRUE(report.ok());
  return std::move(report).value();
}

// Split, so that no scanner takes this file for what it tests.
const std::string hub_token = std::string("hf") + "_QbTzRkWmXvLpYcNdFsGhJqAeUiOwMnBvCx";
const std::string aws_key = std::string("AK") + "IAZ7QWERTYPLMNBVCX";

TEST(Secrets, AreFoundWithTheirLine) {
  const FileReport report = look("one\ntwo\ntoken = " + hub_token + "\n\nkey: " + aws_key + "\n");
  ASSERT_EQ(report.findings.size(), 2);
  EXPECT_EQ(report.findings[0].rule, "secret.huggingface-access-token");
  EXPECT_EQ(report.findings[0].place.line, 3);
  EXPECT_EQ(report.findings[0].reason.find(hub_token), std::string::npos) << "the finding holds the secret";
  EXPECT_EQ(report.findings[1].rule, "secret.aws-access-token");
  EXPECT_EQ(report.findings[1].place.line, 5);
  ASSERT_EQ(report.tokens.size(), 1);
  EXPECT_EQ(report.tokens[0], hub_token);
}

TEST(Secrets, OneAcrossTwoPiecesIsFoundOnce) {
  for (const size_t before : {size_t{(4 << 20) - 10}, size_t{(4 << 20) - 2000}, size_t{4 << 20}}) {
    std::string text(before, 'x');
    for (size_t i = 99; i < text.size(); i += 100) text[i] = '\n';
    text += "\n" + hub_token + "\n";
    const FileReport report = look(text);
    ASSERT_EQ(report.findings.size(), 1) << before;
    EXPECT_EQ(report.findings[0].place.line, std::count(text.begin(), text.end() - 2, '\n') + 1);
  }
}

TEST(Secrets, ExamplesAndNamesAreNone) {
  for (const std::string_view text :
       {"HF_TOKEN=hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "hf_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "AKIAIOSFODNN7EXAMPLE", "password = get_password(user)",
        "secret_key = 'django.contrib.sessions.backends'", "token: the next token in the sequence",
        "api_key='YOUR_API_KEY_GOES_HERE_NOW'", "self.access_token = access_token_from_settings",
        "postgres://user:${PASSWORD}@host/db"})
    EXPECT_TRUE(look(text).findings.empty()) << text;
}

TEST(Secrets, WhatLooksLikeAKeyIsAWarning) {
  const FileReport report = look("api_key = \"q8Zr2LwX0pVt7Yb4Nc9MfKd3\"\n");
  ASSERT_EQ(report.findings.size(), 1);
  EXPECT_EQ(report.findings[0].severity, Severity::warning);
}

TEST(Secrets, WhatStandardsPrintAndWhatOpensNoDoorIsNone) {
  struct Case {
    std::string_view text;
    bool told;
  };
  // {"some":"payload"}, and {"sub":"7","exp":1900000000}.
  const std::string head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
                    tail = ".4twFt5NiznN84AWoo1d7KO1T_yoc0Z6XOp";
  const std::string empty = "t = " + head + "eyJzb21lIjoicGF5bG9hZCJ9" + tail + "\n";
  const std::string claims = "t = " + head + "eyJzdWIiOiI3IiwiZXhwIjoxOTAwMDAwMDAwfQ" + tail + "\n";
  const Case cases[] = {
      {empty, false},
      {claims, true},
      {"\"access_token\": \"2YotnFZFEjr1zCsicMWpAA\"\n", false},
      {"\"access_token\": \"2YotnFZFEjr1zCsicMWpAB\"\n", true},
      {"Authorization: Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW\n", false},
      {"Authorization: Basic YWRhOnF1aWNrLWZveC1vdmVyLTc3MQ==\n", true},
      {"http://username:password@host.com:80/path\n", false},
      {"http://username:k7hQ2xw0Zp@host.com:80/path\n", true},
  };
  for (const Case& each : cases) EXPECT_EQ(!look(each.text).findings.empty(), each.told) << each.text;
}

TEST(Keywords, FindWhatASlowSearchFinds) {
  const uint64_t seed = 11;
  SCOPED_TRACE(seed);
  SeededRandom random{seed};
  const std::vector<std::string> words = {"a", "ab", "bab", "bc", "bca", "caa", "abcab"};
  Keywords keywords;
  for (uint32_t i = 0; i < words.size(); ++i) keywords.add(words[i], i);
  keywords.build();
  std::string text;
  for (int i = 0; i < 150'000; ++i)
    text += static_cast<char>("abcABC"[random.u64() % 6]);  // More than the lanes hold.
  std::vector<std::pair<size_t, uint32_t>> found, wanted;
  keywords.find(text, [&](size_t end, uint32_t id) { found.emplace_back(end, id); });
  std::string low = text;
  for (char& c : low) c = static_cast<char>(c | 32);
  for (size_t end = 1; end <= low.size(); ++end)
    for (uint32_t i = 0; i < words.size(); ++i)
      if (end >= words[i].size() && low.compare(end - words[i].size(), words[i].size(), words[i]) == 0)
        wanted.emplace_back(end, i);
  EXPECT_TRUE(std::ranges::is_sorted(found, {}, &std::pair<size_t, uint32_t>::first));
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, wanted);
}

TEST(SecretRules, EveryRuleHasAKeywordAndAPatternThatCompiles) {
  for (const SecretRule& rule : secret_rules()) {
    EXPECT_FALSE(rule.keywords.empty()) << rule.id;
    EXPECT_EQ(rule.keywords.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), std::string_view::npos) << rule.id;
  }
  EXPECT_TRUE(look("nothing").findings.empty());  // Compiles all patterns.
}

}  // namespace
}  // namespace holdfast::scan
