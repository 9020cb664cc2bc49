// An instance that leaves as plain files and comes back elsewhere: the same, or not at all.
#include "repo/instance_export.h"

#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <sstream>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "io/temporary_folder.h"
#include "repo/hub_test_kit.h"
#include "repo/table_rows.h"

namespace holdfast::repo {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto made_again = TableFate::made_again;
constexpr std::array tables = {
    TableRule{"identity_names"},
    TableRule{"identity_users"},
    TableRule{"identity_organisations"},
    TableRule{"identity_members"},
    TableRule{"identity_token_ages"},
    TableRule{"identity_tokens", TableFate::secret},
    TableRule{"identity_sessions", TableFate::secret},
    TableRule{"identity_sign_in_links", TableFate::secret},
    TableRule{"identity_secrets", TableFate::secret},
    TableRule{"identity_generation", made_again},
    TableRule{"identity_audit"},
    TableRule{"identity_private_reads", made_again},
    TableRule{"content_xorbs", made_again},
    TableRule{"content_xorb_tables", made_again},
    TableRule{"content_chunks", made_again},
    TableRule{"content_files", made_again},
    TableRule{"content_file_terms", made_again},
    TableRule{"content_uses", made_again},
    TableRule{"content_trash", made_again},
    TableRule{"content_hold", made_again},
    TableRule{"repo_repositories"},
    TableRule{"repo_redirects"},
    TableRule{"repo_tombstones"},
    TableRule{"repo_refs"},
    TableRule{"repo_events"},
    TableRule{"repo_objects"},
    TableRule{"repo_uploads", made_again},
    TableRule{"repo_cards"},
    TableRule{"repo_tensor_counts", made_again},
    TableRule{"repo_tags"},
    TableRule{"repo_likes"},
    TableRule{"repo_gate_requests"},
    TableRule{"repo_discussions"},
    TableRule{"repo_discussion_events"},
    TableRule{"repo_file_verdicts"},
    TableRule{"repo_verdicts"},
    TableRule{"repo_held_releases"},
    TableRule{"repo_clearances"},
    TableRule{"repo_adapter_bases"},
    TableRule{"repo_masking_jobs", TableFate::made_again},
    TableRule{"repo_collections"},
    TableRule{"repo_collection_items"},
    TableRule{"repo_file_tensors", made_again},
    TableRule{"repo_indexed_files", made_again},
    TableRule{"repo_withdrawn"},
};

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// An instance with migrated tables and nothing in them.
struct EmptyInstance {
  EmptyInstance() : metrics(make_metrics()), log(sink, clock) {
    disk = std::move(io::open_posix_disk(folder.path())).value();
    database = std::move(sql::open_database("sqlite:" + (folder.path() / "new.db").string())).value();
    std::vector<sql::Migration> steps;
    for (const auto room : {identity::migrations(), content::migrations(), migrations()})
      steps.insert(steps.end(), room.begin(), room.end());
    TestHub::require(sql::migrate(*database, steps, 1));
    content = std::move(content::open_store({}, *disk, *database, clock, random, log, *metrics)).value();
  }

  io::TemporaryFolder folder;
  ManualClock clock;
  SeededRandom random{7};
  std::unique_ptr<Metrics> metrics;
  MemoryLogSink sink;
  Log log;
  std::unique_ptr<io::Disk> disk;
  std::unique_ptr<sql::Database> database;
  std::unique_ptr<content::Store> content;
};

class InstanceExportTest : public testing::Test {
 protected:
  void SetUp() override {
    ada_ = hub_.caller("ada");
    model_ = hub_.create("ada", "lab/model");
    data_ = hub_.create("ada", "ada/rows", Visibility::private_, RepoType::dataset);
    TestHub::require_value(hub_.commit(ada_, model_, "a.txt", "one\n"));
    TestHub::require_value(hub_.commit(ada_, model_, "a.txt", "two\n"));
    TestHub::require_value(hub_.commit(ada_, data_, "rows.csv", "text,label\n\xc3\xa4,1\n"));
    large_ = std::string(300'000, 'x') + "the end";
    const content::FileInfo stored = hub_.store(large_);
    TestHub::require(hub_.hub().uploads.record_file(ada_, stored));
    auto draft = TestHub::require_value(hub_.hub().commits.begin(ada_, model_));
    TestHub::require(draft->put_large("model.bin", stored.sha256, stored.size));
    CommitTarget target;
    target.revision = "main";
    target.summary = "weights";
    TestHub::require_value(draft->finish(target));
  }

  Result<CopyProgress> out(const EachCopied& each = {}) {
    return export_instance({hub_.disk(), hub_.database(), hub_.content()}, rules_, *exported_, hub_.clock(),
                           each);
  }
  Result<CopyProgress> in(EmptyInstance& target) {
    return import_instance(*exported_, rules_, {*target.disk, *target.database, *target.content}, {});
  }
  fs::path file(const std::string& path) { return folder_.path() / "export" / path; }
  // Rewrites a line of a file and its digest in the manifest, as somebody who means harm would.
  void forge(const std::string& path, const std::string& from, const std::string& to) {
    std::string text = text_of(file(path));
    const std::string before = codec::to_hex(codec::sha256(as_bytes(text)));
    const auto bytes_before = text.size();
    ASSERT_NE(text.find(from), std::string::npos) << text;
    text.replace(text.find(from), from.size(), to);
    std::ofstream(file(path), std::ios::binary) << text;
    std::string manifest = text_of(file("manifest.jsonl"));
    const std::string line = "\"bytes\":" + std::to_string(bytes_before) + ",\"sha256\":\"" + before;
    ASSERT_NE(manifest.find(line), std::string::npos);
    manifest.replace(manifest.find(line), line.size(),
                     "\"bytes\":" + std::to_string(text.size()) + ",\"sha256\":\"" +
                         codec::to_hex(codec::sha256(as_bytes(text))));
    std::ofstream(file("manifest.jsonl"), std::ios::binary) << manifest;
  }

  TestHub hub_;
  identity::Caller ada_;
  Repository model_, data_;
  std::string large_;
  ExportRules rules_{tables, {}};
  io::TemporaryFolder folder_;
  std::unique_ptr<io::Disk> exported_ = std::move(io::open_posix_disk(folder_.path() / "export")).value();
};

TEST_F(InstanceExportTest, WhatComesBackIsWhatLeft) {
  const CopyProgress written = TestHub::require_value(out());
  EmptyInstance there;
  const CopyProgress taken = TestHub::require_value(in(there));
  EXPECT_EQ(taken.files, written.files);
  EXPECT_EQ(taken.bytes, written.bytes);

  // Exported once more from there, every file is the same: rows, git objects and large files.
  io::TemporaryFolder second_folder;
  const auto second = std::move(io::open_posix_disk(second_folder.path() / "export")).value();
  TestHub::require_value(
      export_instance({*there.disk, *there.database, *there.content}, rules_, *second, there.clock, {}));
  size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "export")) {
    if (!entry.is_regular_file() || entry.path().filename() == "manifest.jsonl") continue;
    const fs::path other =
        second_folder.path() / "export" / fs::relative(entry.path(), folder_.path() / "export");
    EXPECT_EQ(text_of(entry.path()), text_of(other)) << other;
    ++files;
  }
  EXPECT_EQ(files, written.files);
}

TEST_F(InstanceExportTest, HoldsPlainGitWithItsLargeFilesAndNoToken) {
  const std::string value = hub_.token("ada");
  TestHub::require_value(out());
  const auto git = git::Repository::open(file("repositories/models/lab/model.git"));
  ASSERT_TRUE(git.ok()) << git.error().message;
  const std::string refs = text_of(file("repositories/models/lab/model.git/packed-refs"));
  EXPECT_NE(refs.find("refs/heads/main"), std::string::npos) << refs;
  const std::string sha256 = content::to_text(codec::sha256(as_bytes(large_)));
  EXPECT_EQ(text_of(file("repositories/models/lab/model.git/lfs/objects/" + sha256.substr(0, 2) + "/" +
                         sha256.substr(2, 2) + "/" + sha256)),
            large_);
  EXPECT_TRUE(fs::exists(file("repositories/datasets/ada/rows.git/HEAD")));
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "export"))
    if (entry.is_regular_file())
      EXPECT_EQ(text_of(entry.path()).find(value), std::string::npos) << entry.path();
  EXPECT_FALSE(fs::exists(file("tables/identity_tokens.jsonl")));
}

TEST_F(InstanceExportTest, IsRefusedWhereAnythingIsAlready) {
  TestHub::require_value(out());
  const auto again = out();
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::already_exists);
  EmptyInstance there;
  TestHub::require_value(in(there));
  const auto twice = in(there);
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().reason, Reason::already_exists);
}

TEST_F(InstanceExportTest, ATableWithoutARuleIsAnErrorAndNotForgotten) {
  rules_.tables = rules_.tables.subspan(1);
  const auto outcome = out();
  ASSERT_FALSE(outcome.ok());
  EXPECT_NE(outcome.error().message.find("identity_names"), std::string::npos) << outcome.error().message;
  EXPECT_TRUE(TestHub::require_value(exported_->list(".")).empty());
}

TEST_F(InstanceExportTest, ARepositoryThatGoesMeanwhileIsAnError) {
  bool done = false;
  const auto outcome = out([&](const CopyProgress& so_far) {
    if (done || so_far.files < 5) return;
    done = true;
    fs::remove_all(hub_.hub().storage.folder(data_.id));
  });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, Code::busy) << outcome.error().message;
  EXPECT_TRUE(TestHub::require_value(exported_->list(".")).empty());
}

TEST_F(InstanceExportTest, NothingOfADamagedExportIsTakenIn) {
  TestHub::require_value(out());
  const std::string sha256 = content::to_text(codec::sha256(as_bytes(large_)));
  const std::string large = "repositories/models/lab/model.git/lfs/objects/" + sha256.substr(0, 2) + "/" +
                            sha256.substr(2, 2) + "/" + sha256;
  const std::string main_before =
      TestHub::require_value(hub_.hub().publisher.ref(model_.id, "refs/heads/main"))->hex();
  struct Case {
    const char* name;
    std::function<void()> damage;
    const char* words;
  };
  const Case cases[] = {
      {"no manifest", [&] { fs::remove(file("manifest.jsonl")); }, "no manifest.jsonl"},
      {"a large file with another byte",
       [&] {
         std::fstream edit(file(large), std::ios::in | std::ios::out | std::ios::binary);
         edit.put('y');
       },
       "is not what the manifest says"},
      {"a large file that is gone", [&] { fs::remove(file(large)); }, ""},
      {"a row for a large file that no line has",
       [&] { forge("tables/repo_objects.jsonl", sha256, std::string(64, 'a')); }, "does not hold it"},
      {"a reference to a commit that is not there",
       [&] { forge("tables/repo_refs.jsonl", main_before, std::string(40, 'b')); }, "does not hold it"},
      {"a name that leads outside",
       [&] { forge("tables/repo_repositories.jsonl", "\"ns\":\"lab\"", "\"ns\":\"../up\""); }, ""},
      {"a column that is no column",
       [&] { forge("tables/identity_users.jsonl", "\"email\"", "\"email) VALUES (1); --\""); }, "no column"},
      {"a number where text belongs",
       [&] { forge("tables/identity_users.jsonl", "\"name\":\"ada\"", "\"name\":17"); }, "another kind"},
      {"a table that the manifest does not name, with rows of somebody's own",
       [&] {
         std::string manifest = text_of(file("manifest.jsonl")), kept;
         int64_t files = -1;  // The head and the last line are no files, the table's line goes.
         for (size_t at = 0; at < manifest.size();) {
           const size_t end = manifest.find('\n', at) + 1;
           const std::string line = manifest.substr(at, end - at);
           at = end;
           if (line.find("tables/identity_members.jsonl") != std::string::npos) continue;
           if (line.find("\"complete\"") != std::string::npos)
             kept += "{\"complete\":true,\"files\":" + std::to_string(files) + "}\n";
           else
             kept += line;
           ++files;
         }
         std::ofstream(file("manifest.jsonl"), std::ios::binary) << kept;
       },
       "does not name the table identity_members"},
      {"no JSON", [&] { forge("tables/repo_refs.jsonl", "{", "["); }, "line 1"},
  };
  fs::copy(folder_.path() / "export", folder_.path() / "good", fs::copy_options::recursive);
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    fs::remove_all(folder_.path() / "export");
    fs::copy(folder_.path() / "good", folder_.path() / "export", fs::copy_options::recursive);
    exported_ = std::move(io::open_posix_disk(folder_.path() / "export")).value();
    each.damage();
    EmptyInstance there;
    const auto outcome = in(there);
    ASSERT_FALSE(outcome.ok());
    EXPECT_NE(outcome.error().message.find(each.words), std::string::npos) << outcome.error().message;
    int64_t rows = 0;
    for (const char* table : {"identity_users", "repo_repositories", "repo_refs", "repo_objects"})
      TestHub::require(there.database->read([&](sql::Transaction& tx) {
        return tx.query(std::string("SELECT count(*) FROM ") + table, {}, [&](const sql::Row& row) {
          rows += row.integer(0);
          return true;
        });
      }));
    EXPECT_EQ(rows, 0);
  }
}

TEST(TableRows, GoOutAndComeBackWithEveryKindOfValue) {
  io::TemporaryFolder folder;
  const auto database = std::move(sql::open_database(sql::test_database_url(folder.path()))).value();
  const sql::Migration step{
      "kinds", 1,
      "CREATE TABLE kinds (id {serial}, share DOUBLE PRECISION, note TEXT, body {blob});\n"
      "CREATE TABLE kinds_too (id {serial}, share DOUBLE PRECISION, note TEXT, body {blob});\n"};
  TestHub::require(sql::migrate(*database, std::span(&step, 1), 1));
  std::vector<std::string> lines;
  TestHub::require(database->write([&](sql::Transaction& tx) -> Status {
    lines.clear();
    TRY(Table table, read_table(tx, database->engine(), "kinds"));
    for (const char* line : {R"({"id":3,"share":0.1,"note":"a\u0001 \u00e4","body":{"base64":"AP8="}})",
                             R"({"id":9007199254740993,"share":-1e300,"note":"","body":null})",
                             R"({"id":4,"share":null,"note":null,"body":{"base64":""}})"}) {
      TRY(json::object row, codec::parse_json_object(line));
      TRY_DONE(insert_row(tx, table, row));
    }
    TRY_DONE(raise_counter(tx, database->engine(), table));
    TRY_DONE(tx.run("INSERT INTO kinds (note) VALUES ('next')"));
    TRY(Table other, read_table(tx, database->engine(), "kinds_too"));
    TRY_DONE(visit_rows(tx, table, [&](json::object row) -> Status {
      lines.push_back(codec::to_text(row));
      return insert_row(tx, other, row);
    }));
    std::vector<std::string> second;
    TRY_DONE(visit_rows(tx, other, [&](json::object row) -> Status {
      second.push_back(codec::to_text(row));
      return Done{};
    }));
    EXPECT_EQ(lines, second);
    return Done{};
  }));
  ASSERT_EQ(lines.size(), 4);
  EXPECT_NE(lines[0].find("\"base64\":\"AP8=\""), std::string::npos) << lines[0];
  EXPECT_NE(lines[2].find("9007199254740993"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find("9007199254740994"), std::string::npos)
      << "a new row's number is above: " << lines[3];
}

}  // namespace
}  // namespace holdfast::repo
