#include "scan/secret_form.h"

#include <gtest/gtest.h>

#include "scan/secret_rules.h"

namespace holdfast::scan {
namespace {

TEST(SecretForm, IsSpelledAsAPattern) {
  struct Case {
    const char* form;
    const char* pattern;
    const char* keyword;
  };
  for (const Case& each : {Case{"ico-{a32}", R"(ico\-[0-9a-zA-Z]{32})", "ico-"},
                           Case{"API-{u26}", R"(API\-[0-9A-Z]{26})", "api-"},
                           Case{"{a6}_{a29}_mmk", "[0-9a-zA-Z]{6}_[0-9a-zA-Z]{29}_mmk", "_mmk"},
                           Case{"ops_eyJ{b250-}", "ops_eyJ[0-9a-zA-Z+/]{250,500}={0,3}", "ops_eyj"},
                           Case{"x.{h2-4}", R"(x\.[0-9a-fA-F]{2,4})", ""},
                           Case{"{uuid}", "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", ""}}) {
    const auto pattern = pattern_of_form(each.form);
    ASSERT_TRUE(pattern.ok()) << each.form;
    EXPECT_EQ(pattern.value(), each.pattern);
    EXPECT_EQ(keyword_of_form(each.form), each.keyword) << each.form;
  }
}

TEST(SecretForm, WhatIsNotWrittenSoIsRefused) {
  for (const char* form : {"{", "{}", "{q3}", "{a}", "{a0}", "{a3-2}", "{a5x}", "{a-4}", "{a501}"})
    EXPECT_FALSE(pattern_of_form(form).ok()) << form;
}

TEST(SecretForm, EveryMarkedSecretHasAKeyword) {
  for (const MarkedSecret& secret : marked_secrets())
    EXPECT_FALSE(secret.keyword.empty() && keyword_of_form(secret.form).empty()) << secret.form;
}

}  // namespace
}  // namespace holdfast::scan
