#include "base/result.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/secret.h"

namespace holdfast {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Reason::bad_request, fmt::format("{} is odd", number));
  return number / 2;
}

Result<int> quarter(int number) {
  TRY(int once, half(number));
  TRY(once, half(once));
  return once;
}

TEST(Result, try_hands_the_value_on_or_leaves_with_the_error) {
  EXPECT_EQ(quarter(12).value(), 3);
  const auto refused = quarter(6);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "3 is odd");
  EXPECT_EQ(refused.error().code, Code::invalid);
  EXPECT_EQ(refused.error().reason, Reason::bad_request);
}

TEST(Result, unset_is_an_error_and_never_a_value) {
  const Result<int> unset;
  EXPECT_FALSE(unset.ok());
  EXPECT_EQ(unset.error().code, Code::internal);
}

TEST(Reason, every_row_has_a_name_of_its_own_and_a_status_that_clients_understand) {
  std::set<std::string_view> names;
  for (const ReasonRow& row : reasons()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_GE(row.http_status, 400) << row.name;
    EXPECT_LT(row.http_status, 600) << row.name;
    EXPECT_FALSE(row.error_code.empty()) << row.name;
    EXPECT_EQ(&reason_row(row.reason), &row);
  }
}

TEST(Reason, an_error_without_reason_is_answered_by_its_code) {
  EXPECT_EQ(reason_row(Code::busy, Reason::none).http_status, 429);
  EXPECT_EQ(reason_row(Code::conflict, Reason::stale_parent).http_status, 412);
  EXPECT_EQ(reason_row(Code::internal, Reason::none).error_class, ErrorClass::server);
}

TEST(Reason, the_page_of_errors_shows_this_table) {
  std::ifstream in("docs/errors.md");
  const std::string page((std::istreambuf_iterator<char>(in)), {});
  EXPECT_NE(page.find(reasons_as_markdown()), std::string::npos) << "docs/errors.md should hold this table:\n"
                                                                 << reasons_as_markdown();
}

TEST(Secret, cannot_be_printed_and_compares_whole) {
  static_assert(!fmt::is_formattable<Secret>::value);
  const Secret secret("hf_abc");
  EXPECT_TRUE(secret.matches("hf_abc"));
  EXPECT_FALSE(secret.matches("hf_abd"));
  EXPECT_FALSE(secret.matches("hf_ab"));
  EXPECT_FALSE(secret.matches("hf_abcd"));
}

}  // namespace
}  // namespace holdfast
