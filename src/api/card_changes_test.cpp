#include "api/card_changes.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace holdfast::api {
namespace {

TEST(CardChanges, ALongTextIsCutBetweenCharacters) {
  std::string text = "a";
  for (int i = 0; i < 40'000; ++i) text += "\xC3\xA4";  // Two bytes each, so that 64 KiB end within one.
  const std::vector<scan::CardDifference> changes{
      {.name = "Uses", .before = {}, .after = text, .was = false, .is = true}};
  const auto view = card_changes_view(changes);
  ASSERT_EQ(view.size(), 1U);
  EXPECT_EQ(view[0].at("change").as_string(), "added");
  const std::string_view after = view[0].at("after").as_string();
  EXPECT_EQ(after.size(), (64U << 10) - 1);
  EXPECT_EQ(after.substr(after.size() - 2), "\xC3\xA4");
}

TEST(CardChanges, ATokenThatIsBoundComparesNothing) {
  net::Request request;
  identity::Caller caller;
  const auto call = [&] {
    return Call{.request = request, .context = {}, .caller = caller, .type = {}, .found = {}, .base_url = {}};
  };
  EXPECT_TRUE(check_may_compare(call()).ok());
  caller.environment = "production";
  EXPECT_EQ(check_may_compare(call()).error().reason, Reason::policy_refused);
}

}  // namespace
}  // namespace holdfast::api
