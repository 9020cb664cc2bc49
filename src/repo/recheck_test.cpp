#include "repo/recheck.h"

#include <gtest/gtest.h>

#include "repo/hub_test_kit.h"
#include "scan/rules_version.h"

namespace holdfast::repo {
namespace {

TEST(Recheck, JudgesAgainWhatOlderRulesJudgedAndTellsWhatChanged) {
  TestHub hub;
  const identity::Caller ada = hub.caller("ada");
  const Repository fine = hub.create("ada", "lab/fine"), bare = hub.create("ada", "lab/bare");
  TestHub::require_value(hub.commit(ada, fine, "README.md", "---\nlicense: mit\n---\n"));
  TestHub::require_value(hub.commit(ada, bare, "README.md", "no licence\n"));
  // As rules before these would have judged both.
  for (const Repository& each : {fine, bare}) {
    const auto head = TestHub::require_value(hub.hub().publisher.ref(each.id, main_ref));
    TestHub::require(hub.database().write([&](sql::Transaction& tx) -> Status {
      TRY([[maybe_unused]] const int64_t rows,
          tx.run("INSERT INTO repo_verdicts (repo, commit_oid, rules, standing, report, at) VALUES (?, ?, ?, "
                 "?, '{}', 1)",
                 {each.id.raw, head->hex(), int64_t{(scan::rules_version - 1) * 64},
                  each.name == "bare" ? "warned" : "clean"}));
      return Done{};
    }));
  }
  Recheck recheck(hub.hub(), hub.database(), hub.audit());
  EXPECT_EQ(TestHub::require_value(recheck.some(1)), 1U);
  EXPECT_EQ(TestHub::require_value(recheck.some(10)), 1U);
  EXPECT_EQ(TestHub::require_value(recheck.some(10)), 0U);
  std::vector<std::string> told;
  for (const auto& row : TestHub::require_value(hub.audit().list(hub.database(), 0, 1000)))
    if (row.action == "repo.verdict_changed") told.push_back(row.subject + " " + row.details);
  ASSERT_EQ(told.size(), 1U) << "a card without a licence is held now; the other is as it was";
  EXPECT_NE(told[0].find("model:lab/bare"), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("\"before\":\"warned\""), std::string::npos) << told[0];
  EXPECT_NE(told[0].find("\"now\":\"held\""), std::string::npos) << told[0];
}

}  // namespace
}  // namespace holdfast::repo
