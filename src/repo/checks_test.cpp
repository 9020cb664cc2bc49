#include "repo/checks.h"

#include "repo/clearance.h"
#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

using namespace std::string_literals;

const std::string evil = "\x80\x02" + "cos\nsystem\nU\x02id\x85R."s;
const std::string aws_key = std::string("AK") + "IAZ7QWERTYPLMNBVCX";
const std::string card = "---\nlicense: mit\n---\n# M\n";

class ChecksTest : public testing::Test {
 protected:
  void SetUp() override {
    // A new repository brings no card.
    where_ = hub_.create("ada", "ada/m");
    ada_ = hub_.caller("ada");
    hub_.hub().checks.configure({}, [this](std::string_view text, std::string_view) {
      const auto found = hub_.tokens().find_value(text);
      return found.ok() && found.value().has_value();
    });
  }
  RevisionVerdict verdict() {
    auto objects = TestHub::require_value(hub_.hub().storage.open(where_.id));
    const auto head = TestHub::require_value(hub_.hub().publisher.ref(where_.id, "refs/heads/main"));
    return TestHub::require_value(hub_.hub().checks.verdict(where_, objects, *head));
  }
  Result<CommitDone> commit(const std::string& path, const std::string& text) {
    return hub_.commit(ada_, where_, path, text);
  }

  TestHub hub_;
  Repository where_;
  identity::Caller ada_;
};

TEST_F(ChecksTest, AMaliciousPickleIsRefusedWithPlaceAndReason) {
  const auto refused = commit("weights/a.pkl", evil);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::policy_refused);
  EXPECT_NE(refused.error().message.find("weights/a.pkl, opcode at 2"), std::string::npos)
      << refused.error().message;
  EXPECT_NE(refused.error().message.find("os.system"), std::string::npos);
}

TEST_F(ChecksTest, TheSameAsALargeFile) {
  const content::FileInfo file = hub_.store(evil);
  ASSERT_TRUE(hub_.hub().uploads.record_file(ada_, file).ok());
  for (int i = 0; i < 2; ++i) {  // The second time by the kept verdict.
    auto draft = TestHub::require_value(hub_.hub().commits.begin(ada_, where_));
    ASSERT_TRUE(draft->put_large("model.bin", file.sha256, file.size).ok());
    const auto refused =
        draft->finish({.revision = "main", .parent_commit = {}, .summary = "weights", .description = {}});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().reason, Reason::policy_refused);
  }
}

TEST_F(ChecksTest, ALiveTokenIsRefusedAndAnotherHeld) {
  const auto refused = commit("notes.md", "use " + hub_.token("bob") + " please");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::policy_refused);
  ASSERT_TRUE(commit("README.md", card).ok());
  ASSERT_TRUE(commit("notes.md", "key\n" + aws_key).ok());
  const RevisionVerdict held = verdict();
  EXPECT_EQ(held.standing, Standing::held);
  ASSERT_EQ(held.reasons.size(), 1);
  EXPECT_NE(held.reasons[0].find("notes.md, line 2"), std::string::npos) << held.reasons[0];
  EXPECT_EQ(held.json.find(aws_key), std::string::npos);
  EXPECT_EQ(verdict().json, held.json) << "kept";
}

TEST_F(ChecksTest, ACardWithoutALicenceIsHeldAndMendedByOne) {
  ASSERT_TRUE(commit("README.md", "# M\n").ok());
  EXPECT_EQ(verdict().standing, Standing::held);
  ASSERT_TRUE(commit("README.md", card).ok());
  EXPECT_EQ(verdict().standing, Standing::clean) << verdict().json;
}

TEST_F(ChecksTest, ThePolicyDecides) {
  hub_.hub().checks.configure(
      {.pickle = OnFinding::warn, .secrets = OnFinding::refuse, .license = OnFinding::refuse}, {});
  EXPECT_TRUE(commit("a.pkl", evil).ok());
  EXPECT_FALSE(commit("README.md", "# M\n").ok());
  EXPECT_FALSE(commit("b.txt", aws_key).ok());
}

TEST_F(ChecksTest, LicencesAreTakenFromTheCardsOfWhatItIsMadeOf) {
  hub_.create("ada", "ada/base");
  const Repository base = hub_.create("ada", "ada/free");
  ASSERT_TRUE(hub_.commit(ada_, base, "README.md", "---\nlicense: cc-by-nc-4.0\n---\n").ok());
  const Repository hidden = hub_.create("ada", "ada/hidden", Visibility::private_);
  ASSERT_TRUE(hub_.commit(ada_, hidden, "README.md", card).ok());
  ASSERT_TRUE(
      commit("README.md", "---\nlicense: mit\nbase_model: [ada/free, ada/hidden, ada/none]\n---\n").ok());
  auto objects = TestHub::require_value(hub_.hub().storage.open(where_.id));
  const auto head = TestHub::require_value(hub_.hub().publisher.ref(where_.id, "refs/heads/main"));
  const auto parts = TestHub::require_value(hub_.hub().checks.license_parts(where_, objects, *head));
  ASSERT_EQ(parts.size(), 4);
  EXPECT_EQ(parts[0].license, "mit");
  EXPECT_EQ(parts[1].license, "cc-by-nc-4.0");
  EXPECT_EQ(parts[2].license, "");
  EXPECT_EQ(parts[3].license, "");
  EXPECT_EQ(scan::judge_licenses(parts, {}).verdict, scan::Verdict::refused);
}

TEST_F(ChecksTest, LicencesAreFollowedThroughTheWholeChainOnce) {
  const auto publish = [&](const char* name, const std::string& text, RepoType type = RepoType::model) {
    const Repository where = hub_.create("ada", name, Visibility::public_, type);
    ASSERT_TRUE(hub_.commit(ada_, where, "README.md", text).ok());
  };
  publish("ada/root", "---\nlicense: cc-by-nc-4.0\nbase_model: ada/middle\n---\n");  // A ring.
  publish("ada/words", "---\nlicense: odbl\n---\n", RepoType::dataset);
  publish("ada/middle", "---\nlicense: mit\nbase_model: ada/root\ndatasets: [ada/words]\n---\n");
  ASSERT_TRUE(commit("README.md", "---\nlicense: mit\nbase_model: ada/middle\n---\n").ok());
  auto objects = TestHub::require_value(hub_.hub().storage.open(where_.id));
  const auto head = TestHub::require_value(hub_.hub().publisher.ref(where_.id, "refs/heads/main"));
  const auto parts = TestHub::require_value(hub_.hub().checks.license_parts(where_, objects, *head));
  std::string names;
  for (const scan::Component& each : parts) names += each.name + "=" + each.license + " ";
  EXPECT_EQ(names, where_.full_name() + "=mit ada/middle=mit ada/root=cc-by-nc-4.0 ada/words=odbl ");
  EXPECT_EQ(scan::judge_licenses(parts, {}).verdict, scan::Verdict::refused);
}

TEST_F(ChecksTest, WhatIsHeldIsReleasedByOneOrByTwoAndOnlyThatCommit) {
  ASSERT_TRUE(commit("README.md", card).ok());
  ASSERT_TRUE(commit("notes.md", "key\n" + aws_key).ok());
  const auto head = [&] {
    return *TestHub::require_value(hub_.hub().publisher.ref(where_.id, "refs/heads/main"));
  };
  HeldReleaseParts parts{.database = hub_.database(), .audit = hub_.audit(), .clock = hub_.clock()};
  const identity::Caller bob = hub_.caller("bob");
  EXPECT_EQ(release_held(parts, ada_, where_, head(), "").error().reason, Reason::bad_request);
  EXPECT_EQ(release_held(parts, ada_, where_, head(), std::string(1'001, 'x')).error().reason,
            Reason::bad_request)
      << "a reason is never cut, least of all within a character";
  parts.people = ReleasePeople::two;
  EXPECT_EQ(TestHub::require_value(release_held(parts, ada_, where_, head(), "a key of the example")).state,
            HeldRelease::State::proposed);
  EXPECT_EQ(verdict().standing, Standing::held);
  EXPECT_NE(verdict().json.find("proposed"), std::string::npos);
  EXPECT_EQ(release_held(parts, ada_, where_, head(), "again").error().code, Code::conflict);
  const HeldRelease done = TestHub::require_value(release_held(parts, bob, where_, head(), "seen"));
  EXPECT_EQ(done.state, HeldRelease::State::released);
  EXPECT_EQ(done.by + " " + done.confirmed_by + " " + done.reason, "ada bob a key of the example");
  EXPECT_EQ(verdict().standing, Standing::warned);
  EXPECT_FALSE(release_held(parts, bob, where_, head(), "once more").ok());
  ASSERT_TRUE(commit("more.md", "nothing\n").ok());
  EXPECT_EQ(verdict().standing, Standing::held) << "the next commit holds the key, too";
  parts.people = ReleasePeople::one;
  TestHub::require_value(release_held(parts, bob, where_, head(), "as before"));
  EXPECT_EQ(verdict().standing, Standing::warned);
  int64_t told = 0;
  for (const auto& row : TestHub::require_value(hub_.audit().list(hub_.database(), 0, 1000)))
    if (row.action == "repo.held_released" || row.action == "repo.release_proposed") ++told;
  EXPECT_EQ(told, 3);
}

TEST_F(ChecksTest, WhatTheGuardCannotReadIsNotLetIn) {
  // Its verdict is kept from another repository, so that the guard alone reads the bytes again.
  hub_.hub().checks.configure({.secrets = OnFinding::warn, .sensitive = OnSensitive::warn}, {});
  const std::string patients = "id,nhs number\n1,943 476 5919\n" + std::string(200'000, 'x');
  const content::FileInfo file = hub_.store(patients);
  ASSERT_TRUE(hub_.hub().uploads.record_file(ada_, file).ok());
  const auto put = [&](const Repository& where) {
    auto draft = TestHub::require_value(hub_.hub().commits.begin(ada_, where));
    TestHub::require(draft->put_large("patients.csv", file.sha256, file.size));
    return draft->finish({.revision = "main", .parent_commit = {}, .summary = "rows", .description = {}});
  };
  ASSERT_TRUE(put(hub_.create("ada", "ada/first")).ok());
  hub_.hub().checks.configure({.secrets = OnFinding::warn, .sensitive = OnSensitive::refuse}, {});
  const Repository next = hub_.create("ada", "ada/next");
  EXPECT_EQ(put(next).error().reason, Reason::policy_refused) << "read, it is refused for what it holds";
  const std::vector<io::Path> xorbs = hub_.files_below("content/xorbs");
  ASSERT_FALSE(xorbs.empty());
  for (const io::Path& each : xorbs) TestHub::require(hub_.disk().remove(each));
  const auto unread = put(next);
  ASSERT_FALSE(unread.ok()) << "what could not be read was let in";
  EXPECT_NE(unread.error().reason, Reason::policy_refused) << unread.error().message;
  auto objects = TestHub::require_value(hub_.hub().storage.open(next.id));
  const auto head = TestHub::require_value(hub_.hub().publisher.ref(next.id, "refs/heads/main"));
  EXPECT_FALSE(TestHub::require_value(hub_.hub().browser.find(next, objects, *head, "patients.csv")));
  hub_.hub().checks.configure({.secrets = OnFinding::warn, .sensitive = OnSensitive::warn}, {});
  EXPECT_TRUE(put(next).ok()) << "nothing but the guard reads it";
}

TEST_F(ChecksTest, SensitiveUploadsAreRefusedUntilTheRepositoryIsCleared) {
  hub_.hub().checks.configure({.secrets = OnFinding::warn, .sensitive = OnSensitive::refuse}, {});
  std::string people = "name,email\n";
  for (int i = 0; i < 12; ++i) people += "Nobody,person" + std::to_string(i) + "@example.org\n";
  struct Kind {
    scan::SensitiveKind kind;
    std::string path, text;
  };
  using enum scan::SensitiveKind;
  const Kind kinds[] = {{credentials, "deploy.env", "key\n" + aws_key},
                        {identity, "people.csv", "id,ssn\n1,078-05-1121\n"},
                        {payment, "cards.csv", "id,card\n1,4111 1111 1111 1111\n"},
                        {health, "patients.csv", "id,nhs number\n1,943 476 5919\n"},
                        {scan::SensitiveKind::contacts, "contacts.csv", people},
                        {marked, "plan.md", "CONFIDENTIAL\nthe plan\n"}};
  for (const Kind& each : kinds) {
    const auto refused = commit(each.path, each.text);
    ASSERT_FALSE(refused.ok()) << each.path;
    EXPECT_EQ(refused.error().reason, Reason::policy_refused);
    EXPECT_NE(refused.error().message.find(std::string(scan::sensitive_name(each.kind)) + "]"),
              std::string::npos)
        << refused.error().message;
    EXPECT_EQ(refused.error().message.find("4111"), std::string::npos);
  }
  EXPECT_TRUE(commit("clean.csv", "text,label\nlate,refund\n").ok());
  for (const Kind& each : kinds) {
    TestHub::require(clear_for(hub_.database(), hub_.audit(), hub_.clock(), ada_, where_,
                               std::span(&each.kind, 1), "agreed with the office"));
    EXPECT_TRUE(commit(each.path, each.text).ok()) << each.path;
  }
  EXPECT_FALSE(clear_for(hub_.database(), hub_.audit(), hub_.clock(), ada_, where_, {}, "").ok());
  EXPECT_FALSE(
      clear_for(hub_.database(), hub_.audit(), hub_.clock(), ada_, where_, {}, std::string(1'001, 'x')).ok());
  const Clearance now = TestHub::require_value(clearance_of(hub_.database(), where_.id));
  EXPECT_EQ(now.kinds, std::vector{marked});
  EXPECT_EQ(now.by + ": " + now.reason, "ada: agreed with the office");
}

}  // namespace
}  // namespace holdfast::repo
