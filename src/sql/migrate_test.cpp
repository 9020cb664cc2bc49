#include <vector>

#include "sql/database_fixture.h"
#include "sql/statement_text.h"

namespace holdfast::sql {
namespace {

class MigrateTest : public OnEachDatabase {
 protected:
  Status run(const std::vector<Migration>& steps) { return migrate(database(), steps, 1'700'000'000'000); }
  int64_t rows_of(const std::string& table) {
    int64_t count = -1;
    const Status status = database().read([&](Transaction& tx) {
      return tx.query("SELECT count(*) FROM " + table, {}, [&](const Row& row) {
        count = row.integer(0);
        return true;
      });
    });
    return status.ok() ? count : -1;
  }
  const Migration first_{"one", 1, "CREATE TABLE one_a (id {serial});\nINSERT INTO one_a DEFAULT VALUES;\n"};
  const Migration second_{"one", 2, "CREATE TABLE one_b (body {blob});"};
  const Migration other_{"two", 1, "CREATE TABLE two_a (id BIGINT);\n"};
};

TEST_P(MigrateTest, StepsAreAppliedOnce) {
  ASSERT_TRUE(run({first_}).ok());
  ASSERT_TRUE(run({first_, second_, other_}).ok());
  ASSERT_TRUE(run({first_, second_, other_}).ok());
  EXPECT_EQ(rows_of("one_a"), 1);
  EXPECT_EQ(rows_of("one_b"), 0);
  EXPECT_EQ(rows_of("two_a"), 0);
  EXPECT_EQ(rows_of("sql_migrations"), 3);
}

TEST_P(MigrateTest, ANewerDatabaseIsRefused) {
  ASSERT_TRUE(run({first_, second_}).ok());
  const Status status = run({first_});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::unavailable);
  EXPECT_NE(status.error().message.find("newer"), std::string::npos);
}

TEST_P(MigrateTest, AStepThatChangedIsRefused) {
  ASSERT_TRUE(run({first_}).ok());
  const Migration edited{"one", 1, "CREATE TABLE one_a (id {serial}, more TEXT);\n"};
  const Status status = run({edited, second_});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(rows_of("one_b"), -1);
}

TEST_P(MigrateTest, AStepThatFailsLeavesNothingBehind) {
  const Migration broken{"one", 2, "CREATE TABLE one_b (id BIGINT);\nCREATE TABLE one_b (id BIGINT);\n"};
  EXPECT_FALSE(run({first_, broken}).ok());
  EXPECT_EQ(rows_of("one_a"), 1);
  EXPECT_EQ(rows_of("one_b"), -1);
  EXPECT_EQ(rows_of("sql_migrations"), 1);
  EXPECT_TRUE(run({first_, second_}).ok());
}

TEST_P(MigrateTest, RoomsOfAnotherProgramAreLeftAlone) {
  ASSERT_TRUE(run({first_, other_}).ok());
  EXPECT_TRUE(run({first_, second_}).ok());
}

TEST_P(MigrateTest, GapsInTheNumbersAreRefused) {
  EXPECT_FALSE(run({first_, Migration{"one", 3, "CREATE TABLE one_c (id BIGINT);"}}).ok());
  EXPECT_FALSE(run({second_}).ok());
}

INSTANTIATE_TEST_SUITE_P(Each, MigrateTest, testing::ValuesIn(each_engine), engine_name);

TEST(StatementText, ParametersAreNumbered) {
  struct Case {
    const char *sql, *numbered;
  };
  for (const auto& [sql, numbered] : {
           Case{"a = ? AND b = ?", "a = $1 AND b = $2"},
           Case{"'?' || ?", "'?' || $1"},
           Case{"'it''s ?' = ?", "'it''s ?' = $1"},
           Case{"\"odd?name\" = ?", "\"odd?name\" = $1"},
           Case{"-- ?\n?", "-- ?\n$1"},
           Case{"/* ? */ ?", "/* ? */ $1"},
           Case{"'never closed ?", "'never closed ?"},
           Case{"/* never closed ?", "/* never closed ?"},
           Case{"-- ?", "-- ?"},
           Case{"", ""},
       })
    EXPECT_EQ(numbered_parameters(sql), numbered);
}

TEST(StatementText, StatementsEndAtTheEndOfALine) {
  const auto pieces = split_statements("\nCREATE a (x ';');\n\n ;\nINSERT 'a;b';\n-- end\n");
  ASSERT_EQ(pieces.size(), 3U);
  EXPECT_EQ(pieces[0], "\nCREATE a (x ';')");
  EXPECT_EQ(pieces[1], "INSERT 'a;b'");
}

}  // namespace
}  // namespace holdfast::sql
