#include "api/cas_token.h"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

using namespace std::chrono_literals;

TEST(CasTokens, SayWhatWasSignedUntilTheyExpire) {
  const CasTokens tokens(Secret("an instance's key"));
  const WallTime now{1'700'000'000s};
  const CasClaims claims = {.scope = CasScope::write,
                            .repository = {7},
                            .revision = "refs/pr/1\nwrite",
                            .user = {3},
                            .token = {9},
                            .expires = now + 900s};
  const std::string token = tokens.issue(claims);
  const auto read = tokens.read(token, now);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().scope, CasScope::write);
  EXPECT_EQ(read.value().repository.raw, 7);
  EXPECT_EQ(read.value().revision, claims.revision);
  EXPECT_EQ(read.value().user.raw, 3);
  EXPECT_EQ(read.value().token.raw, 9);
  EXPECT_TRUE(tokens.read(token, now + 899s).ok());
  EXPECT_EQ(tokens.read(token, now + 900s).error().reason, Reason::bad_credentials);
  EXPECT_FALSE(CasTokens(Secret("another key")).read(token, now).ok());
}

TEST(CasTokens, EveryChangeIsSeen) {
  const CasTokens tokens(Secret("an instance's key"));
  const WallTime now{1'700'000'000s};
  const std::string token = tokens.issue({.expires = now + 900s});
  for (size_t i = 0; i + 1 < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    if (i + 1 == token.find('.')) continue;  // The last character before the dot may hold unused bits.
    EXPECT_FALSE(tokens.read(changed, now).ok()) << i;
  }
  for (const std::string& wrong : {std::string(), std::string("."), token.substr(0, token.size() - 4),
                                   std::string(5000, 'A'), std::string("hf_abcdefghijklmnop")})
    EXPECT_FALSE(tokens.read(wrong, now).ok()) << wrong.substr(0, 20);
}

}  // namespace
}  // namespace holdfast::api
