#include "cli/export_rules.h"

#include <gtest/gtest.h>

#include <algorithm>

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

}  // namespace
}  // namespace holdfast::cli
