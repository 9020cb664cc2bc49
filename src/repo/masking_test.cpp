#include "repo/masking.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "codec/parquet_rewrite.h"
#include "repo/hub_test_kit.h"
#include "repo/masked_content.h"
#include "repo/masking_jobs.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view table =
    "name,contact,note\n"
    "Ada Lovelace,ada@example.org,pays with 4111 1111 1111 1111\n"
    "Bob,bob@example.org,call +1 212 555 0123\n";

// One member of a tar archive.
std::string tar_member(std::string_view name, std::string_view bytes) {
  std::string head(512, '\0');
  const auto put = [&](size_t at, std::string_view text) { text.copy(head.data() + at, text.size()); };
  const auto octal = [&](size_t at, size_t digits, uint64_t value) {
    for (size_t i = digits; i-- > 0; value /= 8) head[at + i] = static_cast<char>('0' + value % 8);
  };
  put(0, name);
  put(100, "0000644");
  octal(124, 11, bytes.size());
  octal(136, 11, 0);
  put(148, "        ");
  put(156, "0");
  put(257, "ustar");
  put(263, "00");
  uint64_t sum = 0;
  for (const char c : head) sum += static_cast<unsigned char>(c);
  octal(148, 6, sum);
  head[154] = '\0';
  return head + std::string(bytes) + std::string((512 - bytes.size() % 512) % 512, '\0');
}

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

  MaskingJobs::Parts parts() {
    return {.database = hub_.database(),
            .hub = hub_.hub(),
            .content = hub_.content(),
            .caller_again = [this](auto, const std::string& name) -> Result<identity::Caller> {
              return hub_.caller(name);
            },
            .clock = hub_.clock(),
            .random = hub_.random(),
            .log = hub_.log()};
  }
  MaskingJob over(MaskingJobs& jobs, int64_t id) {
    while (true) {
      MaskingJob job = TestHub::require_value(jobs.find(data_.id, id));
      if (job.state == MaskingJob::State::done || job.state == MaskingJob::State::failed) return job;
      std::this_thread::yield();
    }
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

TEST_F(MaskingTest, ParquetAndArchivesAreMaskedAndWhatIsNotIsNamed) {
  std::ifstream file("tests/golden/parquet/plain.parquet", std::ios::binary);
  const std::string rows{std::istreambuf_iterator<char>(file), {}};
  const auto personal = codec::rewrite_parquet(as_bytes(rows), [](codec::ParquetLeafValues& column) {
    for (codec::ParquetValue& value : column.values)
      if (auto* text = std::get_if<std::string>(&value)) *text += " writes\tfrom ada@example.org\nas ever";
    return column.kind == codec::ParquetKind::text;
  });
  TestHub::require(personal.ok() ? Status(Done{}) : Status(personal.error()));
  const MaskedContent columns =
      mask_content("rows.parquet", as_bytes(personal.value().file), scan::MaskWith::kind, "k");
  ASSERT_TRUE(columns.instead.has_value());
  EXPECT_GT(columns.findings, 0U);
  EXPECT_EQ(columns.left_findings, 0U);
  EXPECT_EQ(columns.instead->find("ada@example.org"), std::string::npos) << "the old pages are gone";
  const auto was = codec::read_parquet(as_bytes(personal.value().file)).value();
  const auto is = codec::read_parquet(as_bytes(*columns.instead)).value();
  ASSERT_EQ(is.columns.size(), was.columns.size());
  for (size_t column = 0; column < is.columns.size(); ++column)
    for (size_t row = 0; row < is.rows; ++row) {
      codec::ParquetValue wanted = was.columns[column].values[row];
      if (auto* text = std::get_if<std::string>(&wanted))
        if (const size_t at = text->find("ada@example.org"); at != std::string::npos)
          text->replace(at, std::string_view("ada@example.org").size(), "<EMAIL_ADDRESS>");
      EXPECT_EQ(is.columns[column].values[row], wanted);
    }
  // An archive made by hand: a text with personal data and bytes that are no text.
  const std::string archive =
      tar_member("people.csv", table) + tar_member("a.bin", std::string("\0\1", 2)) + std::string(1024, '\0');
  const MaskedContent packed = mask_content("data.tar", as_bytes(archive), scan::MaskWith::kind, "k");
  ASSERT_TRUE(packed.instead.has_value());
  EXPECT_EQ(packed.left_findings, 0U);
  ASSERT_EQ(packed.unread.size(), 1U);
  EXPECT_EQ(packed.unread[0], (std::pair<std::string, std::string>("a.bin", "is no text")));
  EXPECT_EQ(mask_content("data.tar", as_bytes(*packed.instead), scan::MaskWith::kind, "k").findings, 0U);
  EXPECT_FALSE(mask_content("x.zip", as_bytes("PK no archive"), scan::MaskWith::kind, "k").looked_into);
}

TEST_F(MaskingTest, NestedColumnsAndNumbersOfParquetAreMasked) {
  std::ifstream file("tests/golden/parquet/nested.parquet", std::ios::binary);
  const std::string rows{std::istreambuf_iterator<char>(file), {}};
  const auto personal = codec::rewrite_parquet(as_bytes(rows), [](codec::ParquetLeafValues& column) {
    if (column.path == "tags") column.values[0] = "ada@example.org";
    if (column.path == "inner.k") column.values[1] = int64_t{4111111111111111};
    return column.path == "tags" || column.path == "inner.k";
  });
  ASSERT_TRUE(personal.ok());
  for (const scan::MaskWith with : {scan::MaskWith::kind, scan::MaskWith::stars, scan::MaskWith::hash}) {
    const MaskedContent masked = mask_content("rows.parquet", as_bytes(personal.value().file), with, "k");
    ASSERT_TRUE(masked.instead.has_value());
    EXPECT_EQ(masked.findings, 2U);
    EXPECT_EQ(masked.left_findings, 0U);
    EXPECT_TRUE(masked.unread.empty());
    EXPECT_EQ(masked.instead->find("ada@example.org"), std::string::npos);
    EXPECT_EQ(mask_content("rows.parquet", as_bytes(*masked.instead), with, "k").findings, 0U);
    std::vector<codec::ParquetLeafValues> leaves;
    ASSERT_TRUE(codec::look_at_parquet(as_bytes(*masked.instead), [&](const auto& leaf) {
                  leaves.push_back(leaf);
                }).ok());
    ASSERT_EQ(leaves.size(), 5U);
    EXPECT_EQ(leaves[4].values[0], codec::ParquetValue(int64_t{1})) << "a number of nobody";
    if (with == scan::MaskWith::hash) {
      const auto* hashed = std::get_if<int64_t>(&leaves[4].values[1]);
      ASSERT_NE(hashed, nullptr);
      EXPECT_LT(*hashed, 0);
    } else {
      EXPECT_EQ(leaves[4].values[1], codec::ParquetValue()) << "a number has no place for a mask";
    }
  }
}

TEST_F(MaskingTest, AJobThatWasCutOffIsGoneOnWithAfterTheNextStart) {
  const auto row = [&](std::string_view state) {
    int64_t id = 0;
    TestHub::require(hub_.database().write([&](sql::Transaction& tx) {
      return tx.query(
          "INSERT INTO repo_masking_jobs (repo, actor, token, revision, into_branch, way, state) VALUES (?, "
          "'ada', "
          "0, 'main', 'masked', 'kind', ?) RETURNING id",
          {data_.id.raw, state}, [&](const sql::Row& found) {
            id = found.integer(0);
            return true;
          });
    }));
    return id;
  };
  const int64_t cut_off = row("running"), waited = row("waiting");
  std::string commit;
  {
    MaskingJobs jobs(parts());
    for (const int64_t id : {cut_off, waited}) {
      const MaskingJob job = over(jobs, id);
      ASSERT_TRUE(job.report.has_value()) << job.failure;
      EXPECT_GT(job.report->findings, 0U);
      // The second finds what the first made, as it does after a crash between the commit and its note.
      if (!commit.empty()) EXPECT_EQ(job.report->commit.hex(), commit);
      commit = job.report->commit.hex();
    }
  }
  auto revoked = parts();
  revoked.caller_again = [](auto, const std::string&) -> Result<identity::Caller> {
    return fail(Reason::bad_credentials, "the token was revoked");
  };
  const int64_t last = row("running");
  MaskingJobs jobs(revoked);
  EXPECT_EQ(over(jobs, last).failure, "the token was revoked");
}

TEST_F(MaskingTest, JobsRunOneAfterTheOtherAndSayHowTheyEnded) {
  MaskingJobs jobs(parts());
  const identity::Caller ada = hub_.caller("ada");
  const MaskingJob first = TestHub::require_value(jobs.start(ada, data_, {}));
  const MaskingJob second = TestHub::require_value(jobs.start(ada, data_, {.revision = "nowhere"}));
  const MaskingJob done = over(jobs, first.id), failed = over(jobs, second.id);
  ASSERT_TRUE(done.report.has_value()) << done.failure;
  EXPECT_EQ(done.report->left_findings, 0U);
  EXPECT_EQ(failed.state, MaskingJob::State::failed);
  EXPECT_NE(failed.failure.find("nowhere"), std::string::npos) << failed.failure;
  EXPECT_EQ(jobs.find(RepoId{data_.id.raw + 1}, first.id).error().code, Code::not_found);
}

}  // namespace
}  // namespace holdfast::repo
