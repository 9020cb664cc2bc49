#include "scan/secret_watch.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "scan/secrets.h"

namespace holdfast::scan {
namespace {

// Split, so that no scanner takes this file for what it tests.
const std::string hub_token = std::string("hf") + "_QbTzRkWmXvLpYcNdFsGhJqAeUiOwMnBvCx";
const std::string aws_key = std::string("AK") + "IAZ7QWERTYPLMNBVCX";
const std::string own_value = std::string("q8Zr2LwX0pVt") + "7Yb4Nc9MfKd3";
const std::string base64 = std::string("MIIEpAIBAAKCAQEAx7Qk9Zr2LwX0pVt7Yb4Nc9MfKd3Jh8Gs5") + "TqWe1Ry6Ui0";

bool found_in_whole(std::string_view text) {
  const Place place;
  FileReport report;
  SecretSearch search(place, report);
  search.look(text, 1, text.size());
  return !report.findings.empty();
}

struct Told {
  bool found = false;
  std::string let_through;
};

Told tell(const std::vector<std::string>& pieces) {
  SecretWatch watch;
  std::string all;
  Told out;
  for (const std::string& piece : pieces) {
    all += piece;
    if (watch.take(piece)) return out.found = true, out;
    EXPECT_GE(watch.cleared(), out.let_through.size());
    out.let_through = all.substr(0, watch.cleared());
  }
  if (watch.end()) return out.found = true, out;
  EXPECT_EQ(watch.cleared(), all.size());
  out.let_through = all;
  return out;
}

TEST(SecretWatch, NothingOfASecretIsLetThrough) {
  const Told told = tell({"the token is hf", "_QbTzRkWm", hub_token.substr(11), "\nthat is all"});
  EXPECT_TRUE(told.found);
  EXPECT_EQ(told.let_through, "the token is ");
  EXPECT_TRUE(tell({"key ", hub_token}).found) << "at the end of all";
}

TEST(SecretWatch, OnlyTheLastRunOfCharactersIsHeld) {
  SecretWatch watch;
  EXPECT_FALSE(watch.take("The ferry leaves at ten"));
  EXPECT_EQ(watch.cleared(), std::string_view("The ferry leaves at ").size());
  EXPECT_FALSE(watch.take("; の船は十時に出る"));
  EXPECT_EQ(watch.cleared(), std::string_view("The ferry leaves at ten; の船は十時に出る").size());
}

TEST(SecretWatch, TheLinesOfAPrivateKeyAreHeldTogether) {
  const Told told = tell({"Here:\n-----BEGIN RSA ", "PRIVATE KEY-----\nMIIEpAIB\nAAKCAQEA\n",
                          "x7Qk9Zr2LwX0pVt7Yb4Nc\n", "9MfKd3Jh8Gs5TqWe1Ry6Ui0\nQbTzRkWmXvLpYc\n"});
  EXPECT_TRUE(told.found);
  EXPECT_EQ(told.let_through, "Here:\n");
}

TEST(SecretWatch, ARunWithoutEndIsLetThroughBehindTheLongestForm) {
  SecretWatch watch;
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(watch.take("lorem.ipsum-"));
  EXPECT_EQ(watch.cleared(), 12'000 - SecretWatch::form_bytes_max);
  EXPECT_TRUE(watch.take(" " + hub_token + " "));
}

// The plain twin: a search through all of the text, and through what is left of it behind what was let
// through.
TEST(SecretWatch, HoweverATextIsCutItFindsWhatIsFoundInTheWhole) {
  const std::vector<std::string> secrets = {
      hub_token,
      aws_key,
      "api_key = \"" + own_value + "\"",
      "{\"api_key\":\"" + own_value + "\"}",
      "\nexport APP_SECRET_KEY=" + own_value + "\n",
      "postgres://user:" + own_value + "@db.example.org/x",
      "Authorization: Bearer " + own_value + own_value,
      "-----BEGIN PRIVATE KEY-----\n" + base64 + "\n" + base64 + "\n-----END PRIVATE KEY-----\n"};
  const std::vector<std::string> clean = {"the ",
                                          "key ",
                                          "to the harbour, ",
                                          "token: the next one ",
                                          "ey",
                                          "\n",
                                          "they ",
                                          "https://host/path ",
                                          "secret ",
                                          "passwords = none ",
                                          "船は出る",
                                          "…",
                                          "-----BEGIN ",
                                          "x=1 ",
                                          "naïve "};
  std::mt19937 random(20261122);
  size_t found = 0, passed = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t i = random() % 30; i > 0; --i) text += clean[random() % clean.size()];
    if (random() % 2 == 0) text += secrets[random() % secrets.size()];
    for (size_t i = random() % 30; i > 0; --i) text += clean[random() % clean.size()];
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size(); at += pieces.back().size())
      pieces.push_back(text.substr(at, random() % 9 + 1));
    const Told told = tell(pieces);
    ASSERT_EQ(told.found, found_in_whole(text)) << text;
    if (told.found) ASSERT_FALSE(found_in_whole(told.let_through)) << told.let_through;
    // No secret that was planted begins before what was held.
    for (const std::string& value : {hub_token, aws_key, own_value, base64}) {
      const size_t at = text.find(value);
      if (told.found && at != std::string::npos) ASSERT_LE(told.let_through.size(), at) << text;
    }
    ++(told.found ? found : passed);
  }
  EXPECT_GT(found, 1000U);
  EXPECT_GT(passed, 1000U);
}

}  // namespace
}  // namespace holdfast::scan
