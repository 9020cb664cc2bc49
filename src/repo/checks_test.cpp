#include "repo/checks.h"

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

}  // namespace
}  // namespace holdfast::repo
