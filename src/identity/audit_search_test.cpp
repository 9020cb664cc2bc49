#include "identity/audit_search.h"

#include "identity/identity_fixture.h"

namespace holdfast::identity {
namespace {

class AuditSearchTest : public IdentityTest {
 protected:
  void write(const std::string& action, const std::string& subject) {
    const Status status = database().write([&](sql::Transaction& tx) {
      return audit_.append(tx,
                           {.actor = "ada", .action = action, .subject = subject, .details = {{"why", "x"}}});
    });
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  std::vector<int64_t> numbers(const AuditQuestion& question) {
    std::vector<int64_t> out;
    const auto rows = search_audit(database(), question);
    EXPECT_TRUE(rows.ok());
    for (const AuditRow& row : rows.value()) out.push_back(row.number);
    return out;
  }
};
INSTANTIATE_TEST_SUITE_P(Each, AuditSearchTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

TEST_P(AuditSearchTest, FindsBySubjectAndTheBeginningOfTheActionNewestFirst) {
  write("mirror.released", "model:lab/a");
  write("repo.created", "model:lab/a");
  write("mirror.upstream_changed", "model:lab/b");
  write("mirrors.other", "model:lab/b");
  using Numbers = std::vector<int64_t>;
  EXPECT_EQ(numbers({}), (Numbers{4, 3, 2, 1}));
  EXPECT_EQ(numbers({.action = "mirror."}), (Numbers{3, 1}));
  EXPECT_EQ(numbers({.subject = "model:lab/a"}), (Numbers{2, 1}));
  EXPECT_EQ(numbers({.subject = "model:lab/a", .action = "mirror."}), (Numbers{1}));
  EXPECT_EQ(numbers({.subject = "model:lab"}), Numbers{}) << "a subject is a whole one";
  EXPECT_EQ(numbers({.before = 3}), (Numbers{2, 1}));
  EXPECT_EQ(numbers({.rows_max = 1}), (Numbers{4}));
}

TEST_P(AuditSearchTest, ARowIsAsTheLogHasIt) {
  write("repo.created", "model:lab/a");
  const auto found = search_audit(database(), {});
  const auto listed = audit_.list(database(), 0, 10);
  ASSERT_TRUE(found.ok() && listed.ok());
  ASSERT_EQ(found.value().size(), 1U);
  EXPECT_EQ(found.value()[0].hash, listed.value()[0].hash);
  EXPECT_EQ(found.value()[0].details, R"({"why":"x"})");
  EXPECT_EQ(found.value()[0].at, listed.value()[0].at);
}

}  // namespace
}  // namespace holdfast::identity
