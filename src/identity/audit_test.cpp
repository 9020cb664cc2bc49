#include "identity/audit.h"

#include "identity/identity_fixture.h"

namespace holdfast::identity {
namespace {

class AuditTest : public IdentityTest {
 protected:
  void write(int count) {
    const Status status = database().write([&](sql::Transaction& tx) -> Status {
      for (int i = 0; i < count; ++i) {
        clock_.advance(std::chrono::milliseconds(1));
        TRY_DONE(audit_.append(tx, {.actor = "ada",
                                    .action = "repo.created",
                                    .subject = "model:ada/m" + std::to_string(i),
                                    .details = {{"visibility", "private"}, {"by", "commit"}}}));
      }
      return Done{};
    });
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  void tamper(const std::string& sql) {
    const Status status = database().write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(tx.run(sql));
      return Done{};
    });
    ASSERT_TRUE(status.ok()) << status.error().message;
  }
  AuditVerdict verify(const std::optional<AuditCheckpoint>& checkpoint = std::nullopt) {
    return audit_.verify(database(), checkpoint).value();
  }
};

TEST_P(AuditTest, AnUntouchedLogIsSound) {
  EXPECT_TRUE(verify().sound());
  write(2500);
  const AuditVerdict verdict = verify();
  EXPECT_TRUE(verdict.sound()) << verdict.why;
  EXPECT_EQ(verdict.rows, 2500);
  EXPECT_EQ(audit_.head(database()).value().number, 2500);
}

TEST_P(AuditTest, EveryKindOfTamperingNamesTheFirstBrokenRow) {
  struct Case {
    const char* why;
    const char* sql;
    int64_t broken;
  };
  const Case cases[] = {
      {"another actor", "UPDATE identity_audit SET actor = 'eve' WHERE number = 4", 4},
      {"another time", "UPDATE identity_audit SET at = at + 1 WHERE number = 7", 7},
      {"another detail", "UPDATE identity_audit SET details = '{}' WHERE number = 2", 2},
      {"text moved between columns",
       "UPDATE identity_audit SET actor = 'ad', action = 'a' || action WHERE number = 3", 3},
      {"another hash",
       "UPDATE identity_audit SET hash = (SELECT hash FROM identity_audit WHERE number = 1) "
       "WHERE number = 5",
       5},
      {"a row removed", "DELETE FROM identity_audit WHERE number = 6", 6},
      {"the first row removed", "DELETE FROM identity_audit WHERE number = 1", 1},
  };
  write(10);
  for (const auto& [why, sql, broken] : cases) {
    tamper("CREATE TABLE kept AS SELECT * FROM identity_audit");
    tamper(sql);
    const AuditVerdict verdict = verify();
    EXPECT_EQ(verdict.first_broken, broken) << why;
    EXPECT_EQ(verdict.rows, broken - 1) << why;
    tamper("DELETE FROM identity_audit");
    tamper("INSERT INTO identity_audit SELECT * FROM kept");
    tamper("DROP TABLE kept");
    EXPECT_TRUE(verify().sound()) << why;
  }
}

TEST_P(AuditTest, ACheckpointFindsALogThatWasCutOrRewritten) {
  write(5);
  const AuditCheckpoint checkpoint = audit_.head(database()).value();
  write(3);
  EXPECT_TRUE(verify(checkpoint).sound());
  tamper("DELETE FROM identity_audit WHERE number > 3");
  EXPECT_TRUE(verify().sound()) << "a cut cannot be seen from within";
  EXPECT_EQ(verify(checkpoint).first_broken, 4);
  write(4);
  EXPECT_TRUE(verify().sound());
  EXPECT_EQ(verify(checkpoint).first_broken, 5) << "rewritten from row 4 on; seen where the checkpoint is";
}

TEST_P(AuditTest, AnEntryLivesAndDiesWithItsTransaction) {
  write(1);
  const Status status = database().write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(audit_.append(tx, {.actor = "ada", .action = "a", .subject = "b"}));
    TRY_DONE(audit_.append(tx, {.actor = "ada", .action = "c", .subject = "d"}));
    return fail(Reason::quota, "no");
  });
  EXPECT_FALSE(status.ok());
  write(1);
  EXPECT_TRUE(verify().sound());
  EXPECT_EQ(verify().rows, 2);
}

TEST_P(AuditTest, TextFromUsersCannotBreakTheForm) {
  const Status status = database().write([&](sql::Transaction& tx) {
    return audit_.append(tx, {.actor = "quote\" back\\ line\n",
                              .action = "x",
                              .subject = std::string("zero\0 and \xff byte", 15),
                              .details = {{"b", "\xc3\xa9\x01"}, {"a", "}"}}});
  });
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_TRUE(verify().sound()) << verify().why;
  const auto rows = audit_.list(database(), 0, 10).value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].actor, "quote\" back\\ line\n");
  EXPECT_EQ(rows[0].subject, "zero? and ? byt");
  EXPECT_EQ(rows[0].details, "{\"a\":\"}\",\"b\":\"\xc3\xa9\\u0001\"}");
}

// The format is a promise to whoever verifies from outside. This is sha256sum of 32 zero bytes and
// {"number":1,"at":1700000000001,"actor":"ada","action":"repo.created","subject":"model:ada/m0",
// "details":{"by":"commit","visibility":"private"}} on one line.
TEST_P(AuditTest, TheHashIsThatOfTheFormatsPage) {
  write(1);
  const auto rows = audit_.list(database(), 0, 1).value();
  std::string digits;
  for (const std::byte byte : rows[0].hash) {
    constexpr std::string_view hex = "0123456789abcdef";
    digits += hex[std::to_integer<size_t>(byte) >> 4];
    digits += hex[std::to_integer<size_t>(byte) & 15];
  }
  EXPECT_EQ(digits, "72cfe6e7f23d0e344050cc220212f4174e658c1b50d4c1d9f2d87f5316c2029c");
}

INSTANTIATE_TEST_SUITE_P(Each, AuditTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

}  // namespace
}  // namespace holdfast::identity
