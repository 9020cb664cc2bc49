#include "cli/instance.h"

#include <fmt/format.h>

#include "base/data_layout.h"
#include "content/schema.h"
#include "govern/schema.h"
#include "identity/instance_key.h"
#include "identity/reserved_names.h"
#include "identity/schema.h"
#include "repo/schema.h"

namespace holdfast::cli {

Status migrate_all(sql::Database& database, const Clock& clock) {
  const int64_t now = clock.wall().time_since_epoch().count();
  TRY_DONE(sql::migrate(database, identity::migrations(), now));
  TRY_DONE(sql::migrate(database, content::migrations(), now));
  TRY_DONE(sql::migrate(database, repo::migrations(), now));
  return sql::migrate(database, govern::migrations(), now);
}

Status expect_no_restore(io::Disk& disk, const io::Path& folder, std::string_view shown) {
  if (!disk.stat(folder / data_layout::restoring).ok()) return Done{};
  return fail(Code::conflict,
              fmt::format("a restore into '{}' has not ended: run `holdfast restore` again", shown));
}

Result<std::unique_ptr<Instance>> Instance::open(const InstanceOptions& options, WhenMissing when_missing,
                                                 const Clock& clock, Random& random, Log& log) {
  std::unique_ptr<Instance> instance(new Instance(clock));
  TRY(instance->disk_, io::open_posix_disk(options.data));
  if (when_missing != WhenMissing::being_restored)
    TRY_DONE(expect_no_restore(*instance->disk_, ".", options.data));
  if (when_missing != WhenMissing::create && !instance->disk_->stat(data_layout::instance_key).ok())
    return fail(Code::not_found,
                fmt::format("there is no instance in '{}': `holdfast serve --data {}` makes one",
                            options.data, options.data));
  TRY_DONE(instance->disk_->make_directories(data_layout::run));
  instance->metrics_ = make_metrics();
  instance->database_url_ = !options.database.empty()
                                ? options.database
                                : "sqlite:" + instance->disk_->absolute(data_layout::database).string();
  TRY(instance->database_, sql::open_database(instance->database_url_));
  TRY_DONE(migrate_all(*instance->database_, clock));
  TRY_DONE(instance->disk_->sync_directory("."));  // SQLite syncs its files, not the name of a new one.
  TRY(instance->key_, identity::open_instance_key(*instance->disk_, random));
  identity::AccountsOptions accounts = options.accounts;
  if (accounts.reserved_names.empty()) accounts.reserved_names = identity::reserved_name_list();
  instance->accounts_ = std::make_unique<identity::Accounts>(*instance->database_, instance->audit_, clock,
                                                             std::move(accounts));
  instance->tokens_ =
      identity::make_tokens(*instance->database_, instance->audit_, clock, random, instance->key_);
  instance->sessions_ =
      identity::make_sessions(*instance->database_, instance->audit_, clock, random, instance->key_);
  content::StoreOptions store;
  store.folder = data_layout::content;
  TRY(instance->content_, content::open_store(store, *instance->disk_, *instance->database_, clock, random,
                                              log, *instance->metrics_));
  return instance;
}

}  // namespace holdfast::cli
