#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "cli/command.h"
#include "content/store.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "identity/permission.h"
#include "identity/sessions.h"
#include "identity/tokens.h"
#include "io/disk.h"
#include "sql/database.h"

namespace holdfast::cli {

struct InstanceOptions {
  std::string data;      // The data folder.
  std::string database;  // "postgresql://…", or empty: SQLite in the data folder.
  identity::AccountsOptions accounts;
};

enum class WhenMissing : uint8_t {
  create,
  refuse,
  being_restored,  // As refuse, and for `restore` itself: others do not open the folder until it has ended.
};

// The parts of an instance that `serve` and the commands beside it share: folder, database at its newest
// schema, keys, accounts, content. Used by one thread while it is opened; the parts say for themselves.
class Instance {
 public:
  // refuse: a folder that holds no instance is not_found, so that a mistyped --data does not start an empty
  // one.
  static Result<std::unique_ptr<Instance>> open(const InstanceOptions& options, WhenMissing when_missing,
                                                const Clock& clock, Random& random, Log& log);

  io::Disk& disk() { return *disk_; }
  sql::Database& database() { return *database_; }
  const Secret& key() const { return key_; }
  Metrics& metrics() { return *metrics_; }
  identity::Audit& audit() { return audit_; }
  identity::Accounts& accounts() { return *accounts_; }
  identity::Tokens& tokens() { return *tokens_; }
  identity::Sessions& sessions() { return *sessions_; }
  identity::Permission& permission() { return permission_; }
  content::Store& content() { return *content_; }
  const std::string& database_url() const { return database_url_; }

 private:
  explicit Instance(const Clock& clock) : audit_(clock) {}

  // In the order they are opened; destroyed in reverse.
  std::unique_ptr<io::Disk> disk_;
  std::unique_ptr<Metrics> metrics_;
  std::string database_url_;
  std::unique_ptr<sql::Database> database_;
  Secret key_;
  identity::Audit audit_;
  identity::Permission permission_;
  std::unique_ptr<identity::Accounts> accounts_;
  std::unique_ptr<identity::Tokens> tokens_;
  std::unique_ptr<identity::Sessions> sessions_;
  std::unique_ptr<content::Store> content_;
};

// conflict while `folder` holds a restore that has not ended. `shown`: how the caller names the folder.
Status expect_no_restore(io::Disk& disk, const io::Path& folder, std::string_view shown);

// Brings every room's tables up to date.
Status migrate_all(sql::Database& database, const Clock& clock);

}  // namespace holdfast::cli
