#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "content/schema.h"
#include "content/store.h"
#include "identity/accounts.h"
#include "identity/permission.h"
#include "identity/schema.h"
#include "identity/sessions.h"
#include "identity/tokens.h"
#include "repo/hub.h"
#include "repo/schema.h"
#include "sql/database_fixture.h"

namespace holdfast::repo {

// A temporary folder of its own, gone with it.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast_repo_XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A whole hub on a real disk and SQLite, for tests: users ada and bob, organisation lab with ada as admin,
// cleo contributor and rea reader.
class TestHub {
 public:
  TestHub()
      : disk_(std::move(io::open_posix_disk(folder_.path())).value()),
        database_(std::move(sql::open_database(sql::test_database_url(folder_.path()))).value()),
        log_(sink_, clock_),
        metrics_(make_metrics()) {
    std::vector<sql::Migration> steps;
    for (const auto room : {identity::migrations(), content::migrations(), migrations()})
      steps.insert(steps.end(), room.begin(), room.end());
    require(sql::migrate(*database_, steps, 1));
    audit_ = std::make_unique<identity::Audit>(clock_);
    accounts_ = std::make_unique<identity::Accounts>(*database_, *audit_, clock_);
    tokens_ = identity::make_tokens(*database_, *audit_, clock_, random_, Secret(std::string(64, 'a')));
    sessions_ = identity::make_sessions(*database_, *audit_, clock_, random_, Secret(std::string(64, 'a')));
    content_ =
        std::move(content::open_store({}, *disk_, *database_, clock_, random_, log_, *metrics_)).value();
    hub_ = std::make_unique<Hub>(HubParts{.database = *database_,
                                          .disk = *disk_,
                                          .content = *content_,
                                          .permission = permission_,
                                          .audit = *audit_,
                                          .clock = clock_,
                                          .random = random_,
                                          .log = log_});
    for (const char* name : {"ada", "bob", "cleo", "rea"}) add_user(name);
    require_value(accounts_->create_organisation("(test)", {.name = "lab", .fullname = "The Lab"}));
    require(accounts_->set_member("(test)", "lab", "ada", identity::OrgRole::admin));
    require(accounts_->set_member("(test)", "lab", "cleo", identity::OrgRole::contributor));
    require(accounts_->set_member("(test)", "lab", "rea", identity::OrgRole::read));
  }

  static void require(const Status& status) {
    if (!status.ok()) ADD_FAILURE() << status.error().message << " at line " << status.error().where.line();
  }
  template <class T>
  static T require_value(Result<T> result) {
    if (!result.ok()) {
      ADD_FAILURE() << result.error().message << " at line " << result.error().where.line();
      std::abort();
    }
    return std::move(result).value();
  }

  void add_user(const std::string& name) {
    require_value(accounts_->create_user("(test)", {.name = name, .fullname = "", .email = ""}));
  }
  std::string token(const std::string& user, identity::TokenRole role = identity::TokenRole::write,
                    std::vector<identity::Scope> scopes = {}) {
    auto issued = require_value(tokens_->create(
        "(test)", {.user = user, .label = "test", .role = role, .scopes = std::move(scopes)}));
    return issued.value.reveal();
  }
  identity::Caller caller(const std::string& user, identity::TokenRole role = identity::TokenRole::write) {
    return require_value(tokens_->authenticate(token(user, role)));
  }

  Repository create(const std::string& user, const std::string& name,
                    Visibility visibility = Visibility::public_, RepoType type = RepoType::model) {
    const RepoName place = require_value(parse_repo_name(type, name));
    return require_value(hub().repositories.create(
        caller(user),
        {.type = type, .ns = place.ns, .name = place.name, .visibility = visibility, .sdk = ""}));
  }
  // One regular file as a commit to main.
  Result<CommitDone> commit(const identity::Caller& who, const Repository& where, const std::string& path,
                            const std::string& text, CommitTarget target = {}) {
    TRY(auto draft, hub().commits.begin(who, where));
    TRY_DONE(draft->put_file(path, as_bytes(text)));
    if (target.revision.empty()) target.revision = "main";
    if (target.summary.empty()) target.summary = "change " + path;
    return draft->finish(target);
  }
  content::FileInfo store(const std::string& bytes) { return require_value(content_->put(as_bytes(bytes))); }

  // Every file under a folder of the hub's disk.
  std::vector<io::Path> files_below(const io::Path& folder) {
    std::vector<io::Path> out;
    for (const io::Entry& entry : require_value(disk_->list(folder))) {
      if (!entry.is_directory) {
        out.push_back(folder / entry.name);
        continue;
      }
      const auto within = files_below(folder / entry.name);
      out.insert(out.end(), within.begin(), within.end());
    }
    return out;
  }

  Hub& hub() { return *hub_; }
  io::Disk& disk() { return *disk_; }
  sql::Database& database() { return *database_; }
  content::Store& content() { return *content_; }
  identity::Accounts& accounts() { return *accounts_; }
  identity::Tokens& tokens() { return *tokens_; }
  identity::Sessions& sessions() { return *sessions_; }
  identity::Permission& permission() { return permission_; }
  identity::Audit& audit() { return *audit_; }
  ManualClock& clock() { return clock_; }
  Random& random() { return random_; }
  Log& log() { return log_; }
  Metrics& metrics() { return *metrics_; }

 private:
  TestFolder folder_;
  ManualClock clock_;
  SeededRandom random_{7};
  MemoryLogSink sink_;
  std::unique_ptr<io::Disk> disk_;
  std::unique_ptr<sql::Database> database_;
  Log log_;
  std::unique_ptr<Metrics> metrics_;
  identity::Permission permission_;
  std::unique_ptr<identity::Audit> audit_;
  std::unique_ptr<identity::Accounts> accounts_;
  std::unique_ptr<identity::Tokens> tokens_;
  std::unique_ptr<identity::Sessions> sessions_;
  std::unique_ptr<content::Store> content_;
  std::unique_ptr<Hub> hub_;
};

}  // namespace holdfast::repo
