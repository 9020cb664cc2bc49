#include "cli/export_rules.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "cli/instance.h"
#include "io/temporary_folder.h"
#include "repo/table_rows.h"
#include "sql/database.h"

namespace holdfast::cli {
namespace {

// A new table needs a decision: does it leave with an instance, is it made again, or is it secret?
TEST(ExportRules, NameEveryTableOfTheSchemaAndNoOther) {
  io::TemporaryFolder folder;
  const auto database = sql::open_database("sqlite:" + (folder.path() / "all.db").string());
  ASSERT_TRUE(database.ok());
  ManualClock clock;
  ASSERT_TRUE(migrate_all(*database.value(), clock).ok());
  std::vector<std::string> there;
  ASSERT_TRUE(database.value()
                  ->read([&](sql::Transaction& tx) -> Status {
                    TRY(there, repo::table_names(tx, sql::Engine::sqlite));
                    return Done{};
                  })
                  .ok());
  std::vector<std::string> ruled;
  for (const repo::TableRule& rule : export_tables()) ruled.emplace_back(rule.name);
  std::sort(ruled.begin(), ruled.end());
  EXPECT_EQ(ruled, there);
}

TEST(ExportRules, ABatchIsNotRunByATokenThatHappensToHaveItsNumber) {
  io::TemporaryFolder folder;
  const auto database = sql::open_database("sqlite:" + (folder.path() / "all.db").string());
  ASSERT_TRUE(database.ok());
  ManualClock clock;
  SeededRandom random(1);
  ASSERT_TRUE(migrate_all(*database.value(), clock).ok());
  ExportRules rules(*database.value(), Secret(std::string(64, 'a')), random);
  const auto outward = rules.outward();
  ASSERT_TRUE(outward.ok()) << outward.error().message;
  for (const char* state : {"validating", "in_progress", "cancelling", "completed", "cancelled"}) {
    boost::json::object row{{"token", 3}, {"state", state}, {"created", 5}, {"ended", 0}, {"errors", ""}};
    ASSERT_TRUE(outward.value().change("job_batches", row).ok());
    const bool over = std::string_view(state) == "completed" || std::string_view(state) == "cancelled";
    EXPECT_EQ(row["token"], 0);
    EXPECT_EQ(row["state"], over ? state : "failed");
    EXPECT_EQ(row["errors"].as_string().empty(), over);
  }
}

}  // namespace
}  // namespace holdfast::cli
