#pragma once

#include <memory>
#include <string>

#include "base/log.h"
#include "base/metrics.h"
#include "base/secret.h"
#include "cli/administration.h"
#include "content/store.h"
#include "identity/permission.h"

namespace holdfast::cli {

// The parts of an instance that `serve` and the commands beside it share: what administration has, every
// room's schema, and the content. Used by one thread while it is opened; the parts say for themselves.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> open(const InstanceOptions& options, WhenMissing when_missing,
                                                const Clock& clock, Random& random, Log& log);

  io::Disk& disk() { return base_->disk(); }
  sql::Database& database() { return base_->database(); }
  const Secret& key() const { return base_->key(); }
  Metrics& metrics() { return *metrics_; }
  identity::Audit& audit() { return base_->audit(); }
  identity::Accounts& accounts() { return base_->accounts(); }
  identity::Tokens& tokens() { return base_->tokens(); }
  identity::Sessions& sessions() { return base_->sessions(); }
  identity::Permission& permission() { return permission_; }
  content::Store& content() { return *content_; }
  const std::string& database_url() const { return base_->database_url(); }

 private:
  Instance() = default;

  // In the order they are opened; destroyed in reverse.
  std::unique_ptr<Administration> base_;
  std::unique_ptr<Metrics> metrics_;
  identity::Permission permission_;
  std::unique_ptr<content::Store> content_;
};

// Brings every room's tables up to date.
Status migrate_all(sql::Database& database, const Clock& clock);

}  // namespace holdfast::cli
