#include "repo/masking.h"

#include <gtest/gtest.h>

#include "repo/hub_test_kit.h"
#include "repo/masking_jobs.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view table =
    "name,contact,note\n"
    "Ada Lovelace,ada@example.org,pays with 4111 1111 1111 1111\n"
    "Bob,bob@example.org,call +1 212 555 0123\n";

class MaskingTest : public testing::Test {
 protected:
  MaskingTest() : data_(hub_.create("ada", "lab/people", Visibility::public_, RepoType::dataset)) {
    put("people.csv", std::string(table));
    put("README.md", "---\nlicense: mit\n---\nWrite to ada@example.org\n");
    put("clean.txt", "nothing of anybody\n");
    put("bytes.bin", std::string("ada@example.org\0x", 17));
  }
  void put(const std::string& path, const std::string& text) {
    TestHub::require_value(hub_.commit(hub_.caller("ada"), data_, path, text));
  }
  std::string read(const std::string& path, std::string_view revision) {
    const auto objects = TestHub::require_value(hub_.hub().storage.open(data_.id));
    const auto found =
        TestHub::require_value(find_revision(hub_.hub().publisher, objects, data_.id, revision));
    const auto file = TestHub::require_value(hub_.hub().browser.find(data_, objects, found.commit, path));
    return file ? TestHub::require_value(objects.read_blob(file->id, 1 << 20)) : std::string();
  }
  Result<MaskingReport> mask(const MaskingWish& wish) {
    return mask_revision(hub_.hub(), hub_.content(), hub_.caller("ada"), data_, wish, "key", {});
  }

  TestHub hub_;
  Repository data_;
};

TEST_F(MaskingTest, TheMaskedRevisionScansCleanAndTheOldOneStays) {
  const MaskingReport report = TestHub::require_value(mask({}));
  EXPECT_EQ(report.left_findings, 0U);
  EXPECT_GE(report.findings, 4U);
  EXPECT_NE(report.commit, report.from);
  for (const char* path : {"people.csv", "README.md"}) {
    const std::string text = read(path, "masked");
    EXPECT_TRUE(scan::find_personal(text, scan::shape_of_name(path), text.substr(0, text.find('\n'))).empty())
        << text;
    EXPECT_EQ(text.find("ada@example.org"), std::string::npos) << text;
    EXPECT_NE(read(path, "main").find("ada@example.org"), std::string::npos) << "main is as it was";
  }
  EXPECT_NE(read("README.md", "masked").find("license: mit"), std::string::npos);
  EXPECT_EQ(read("clean.txt", "masked"), "nothing of anybody\n");
  ASSERT_EQ(report.unread.size(), 1U);
  EXPECT_EQ(report.unread[0].first, "bytes.bin");
  const MaskingReport again = TestHub::require_value(mask({.revision = "masked", .into = "twice"}));
  EXPECT_EQ(again.findings, 0U);
  EXPECT_EQ(again.commit, again.from) << "nothing to mask, no commit";
}

TEST_F(MaskingTest, ABranchThatStandsElsewhereIsNotTouched) {
  TestHub::require_value(mask({.into = "masked"}));
  const std::string before = read("people.csv", "masked");
  put("people.csv", std::string(table) + "Cleo,cleo@example.org,\n");
  const auto refused = mask({.into = "masked"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::already_exists);
  EXPECT_EQ(read("people.csv", "masked"), before);
  EXPECT_FALSE(mask({.revision = "nowhere"}).ok());
}

TEST_F(MaskingTest, LargeTextsStayLargeFiles) {
  std::string large(table);
  for (int i = 0; i < 500; ++i) large += "Nobody,none,row " + std::to_string(i) + "\n";
  const identity::Caller ada = hub_.caller("ada");
  const content::FileInfo stored = hub_.store(large);
  TestHub::require(hub_.hub().uploads.record_file(ada, stored));
  auto draft = TestHub::require_value(hub_.hub().commits.begin(ada, data_));
  TestHub::require(draft->put_large("large.csv", stored.sha256, stored.size));
  TestHub::require_value(draft->finish({.revision = "main", .parent_commit = "", .summary = "rows"}));
  const MaskingReport report = TestHub::require_value(mask({.with = scan::MaskWith::hash}));
  const auto objects = TestHub::require_value(hub_.hub().storage.open(data_.id));
  const auto file =
      TestHub::require_value(hub_.hub().browser.find(data_, objects, report.commit, "large.csv"));
  ASSERT_TRUE(file && file->large);
  EXPECT_NE(content::to_text(file->large->sha256), content::to_text(stored.sha256));
  EXPECT_EQ(report.left_findings, 0U);
}

TEST_F(MaskingTest, JobsRunOneAfterTheOtherAndSayHowTheyEnded) {
  MaskingJobs jobs({.hub = hub_.hub(),
                    .content = hub_.content(),
                    .clock = hub_.clock(),
                    .random = hub_.random(),
                    .log = hub_.log()});
  const identity::Caller ada = hub_.caller("ada");
  const auto over = [&](int64_t id) {
    while (true) {
      MaskingJob job = TestHub::require_value(jobs.find(data_.id, id));
      if (job.state == MaskingJob::State::done || job.state == MaskingJob::State::failed) return job;
      std::this_thread::yield();
    }
  };
  const MaskingJob first = TestHub::require_value(jobs.start(ada, data_, {}));
  const MaskingJob second = TestHub::require_value(jobs.start(ada, data_, {.revision = "nowhere"}));
  const MaskingJob done = over(first.id), failed = over(second.id);
  ASSERT_TRUE(done.report.has_value()) << done.failure;
  EXPECT_EQ(done.report->left_findings, 0U);
  EXPECT_EQ(failed.state, MaskingJob::State::failed);
  EXPECT_NE(failed.failure.find("nowhere"), std::string::npos) << failed.failure;
  EXPECT_EQ(jobs.find(RepoId{data_.id.raw + 1}, first.id).error().code, Code::not_found);
}

}  // namespace
}  // namespace holdfast::repo
