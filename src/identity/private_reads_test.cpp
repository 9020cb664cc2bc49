#include "identity/private_reads.h"

#include "identity/identity_fixture.h"

namespace holdfast::identity {
namespace {

class PrivateReadsTest : public IdentityTest {
 protected:
  void note(const Caller& caller, std::string_view subject, std::string_view what) {
    const Status noted = note_private_read(database(), audit_, clock_, caller, subject, what);
    ASSERT_TRUE(noted.ok()) << noted.error().message;
  }
  std::string told() {
    std::string out;
    const std::vector<AuditRow> rows = audit_.list(database(), 0, 1000).value();
    for (const AuditRow& row : rows)
      if (row.action == "repo.read") out += row.actor + " " + row.subject + " " + row.details + "; ";
    return out;
  }
};

TEST_P(PrivateReadsTest, EachIsOnTheRecordOnceAnHour) {
  const Caller ada{.user = UserId{7}, .name = "ada", .token = TokenId{3}};
  const Caller bob{.user = UserId{8}, .name = "bob", .token = TokenId{-1}};
  note(ada, "model:lab/x", "main");
  note(ada, "model:lab/x", "main");
  const std::string first = R"(ada model:lab/x {"revision":"main","token":"3"}; )";
  EXPECT_EQ(told(), first);
  note(bob, "model:lab/x", "main");
  note(ada, "model:lab/y", "git");
  const std::string others =
      R"(bob model:lab/x {"revision":"main","token":"session"}; ada model:lab/y {"revision":"git","token":"3"}; )";
  EXPECT_EQ(told(), first + others);
  clock_.advance(std::chrono::minutes(59));
  note(ada, "model:lab/x", "main");
  EXPECT_EQ(told(), first + others) << "within the hour";
  clock_.advance(std::chrono::minutes(2));
  note(ada, "model:lab/x", "main");
  EXPECT_EQ(told(), first + others + first);
  EXPECT_TRUE(audit_.verify(database()).value().sound());
}

INSTANTIATE_TEST_SUITE_P(Each, PrivateReadsTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

}  // namespace
}  // namespace holdfast::identity
