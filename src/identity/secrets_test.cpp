#include "identity/secrets.h"

#include "identity/identity_fixture.h"
#include "identity/sealed.h"
#include "io/memory_disk.h"

namespace holdfast::identity {
namespace {

const Secret sealing{std::string(64, 'a')};

class SecretsTest : public IdentityTest {
 protected:
  Secrets open(const Secret& key = sealing, OutsideSecrets outside = {}) {
    return Secrets(database(), audit_, clock_, random_, key, std::move(outside));
  }
  std::string everything_stored() {
    std::string out;
    EXPECT_TRUE(database()
                    .read([&](sql::Transaction& tx) -> Status {
                      TRY_DONE(tx.query("SELECT name, reference, host, sealed FROM identity_secrets", {},
                                        [&](const sql::Row& row) {
                                          for (int i = 0; i < 4; ++i) out += row.text(i) + "|";
                                          return true;
                                        }));
                      return tx.query("SELECT action, subject, details FROM identity_audit", {},
                                      [&](const sql::Row& row) {
                                        for (int i = 0; i < 3; ++i) out += row.text(i) + "|";
                                        return true;
                                      });
                    })
                    .ok());
    return out;
  }
};

TEST_P(SecretsTest, AStoredValueComesBackAndLiesNowhereInClear) {
  Secrets secrets = open();
  const std::string value = "hub-token-Zq81";
  ASSERT_TRUE(secrets.set("ada", {.name = "upstream", .value = Secret(value)}).ok());
  EXPECT_EQ(secrets.reveal("upstream", "hub.example.org").value().reveal(), value);
  EXPECT_EQ(everything_stored().find(value), std::string::npos);
  ASSERT_TRUE(secrets.set("ada", {.name = "upstream", .value = Secret("another")}).ok());
  EXPECT_EQ(secrets.reveal("upstream", "").value().reveal(), "another");
  ASSERT_EQ(secrets.list().value().size(), 1U);
  EXPECT_EQ(secrets.list().value()[0].by, "ada");
  ASSERT_TRUE(secrets.remove("ada", "upstream").ok());
  EXPECT_EQ(secrets.reveal("upstream", "").error().code, Code::not_found);
  EXPECT_EQ(secrets.remove("ada", "upstream").error().code, Code::not_found);
}

TEST_P(SecretsTest, AValueForOneHostGoesToNoOther) {
  Secrets secrets = open();
  ASSERT_TRUE(secrets.set("ada", {.name = "a", .host = "Hub.example.org", .value = Secret("v")}).ok());
  EXPECT_TRUE(secrets.reveal("a", "hub.EXAMPLE.org").ok());
  EXPECT_EQ(secrets.reveal("a", "evil.example.org").error().reason, Reason::policy_refused);
  EXPECT_EQ(secrets.reveal("a", "").error().reason, Reason::policy_refused);
}

TEST_P(SecretsTest, AnotherKeyOpensNothing) {
  ASSERT_TRUE(open().set("ada", {.name = "a", .value = Secret("v")}).ok());
  Secrets stranger = open(Secret(std::string(64, 'b')));
  EXPECT_EQ(stranger.reveal("a", "").error().reason, Reason::data_corrupt);
}

TEST_P(SecretsTest, ValuesOutsideAreReadWhereTheyLie) {
  Secrets secrets = open(
      sealing, {.environment = [](const std::string& name) -> Result<Secret> { return Secret(name + "!"); }});
  ASSERT_TRUE(
      secrets.set("ada", {.name = "e", .place = SecretPlace::environment, .reference = "HUB_TOKEN"}).ok());
  ASSERT_TRUE(
      secrets.set("ada", {.name = "v", .place = SecretPlace::vault, .reference = "kv/hub#token"}).ok());
  EXPECT_EQ(secrets.reveal("e", "").value().reveal(), "HUB_TOKEN!");
  EXPECT_EQ(secrets.reveal("v", "").error().reason, Reason::not_offered);
  for (const NewSecret& wrong :
       {NewSecret{.name = "", .value = Secret("v")}, NewSecret{.name = "x"},
        NewSecret{.name = "a/b", .value = Secret("v")}, NewSecret{.name = "x", .place = SecretPlace::file},
        NewSecret{.name = "x", .place = SecretPlace::vault, .reference = "kv/hub"}})
    EXPECT_EQ(secrets.set("ada", wrong).error().reason, Reason::bad_request) << wrong.name;
}

INSTANTIATE_TEST_SUITE_P(Each, SecretsTest, testing::ValuesIn(sql::each_engine), sql::engine_name);

TEST(Sealed, OpensUnderItsNameAndUnchangedOnly) {
  SeededRandom random{5};
  const auto sealed = seal(sealing, "name", Secret("text"), random);
  ASSERT_TRUE(sealed.ok());
  EXPECT_EQ(unseal(sealing, "name", sealed.value()).value().reveal(), "text");
  EXPECT_FALSE(unseal(sealing, "other", sealed.value()).ok());
  EXPECT_NE(seal(sealing, "name", Secret("text"), random).value(), sealed.value()) << "nonces repeat";
  for (size_t i = 0; i < sealed.value().size(); ++i) {
    std::string changed = sealed.value();
    changed[i] = changed[i] == 'B' ? 'C' : 'B';
    EXPECT_FALSE(unseal(sealing, "name", changed).ok() && changed.back() != sealed.value().back()) << i;
    EXPECT_FALSE(unseal(sealing, "name", sealed.value().substr(0, i)).ok()) << i;
  }
}

TEST(SealingKey, IsMadeOnceAndGivenOnesAreChecked) {
  SeededRandom random{6};
  const auto disk = io::make_memory_disk();
  const auto made = open_sealing_key(*disk, random, Secret());
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(open_sealing_key(*disk, random, Secret()).value().reveal(), made.value().reveal());
  EXPECT_EQ(open_sealing_key(*disk, random, sealing).value().reveal(), sealing.reveal());
  EXPECT_FALSE(open_sealing_key(*disk, random, Secret("short")).ok());
}

}  // namespace
}  // namespace holdfast::identity
