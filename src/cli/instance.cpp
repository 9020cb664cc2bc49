#include "cli/instance.h"

#include "base/data_layout.h"
#include "content/schema.h"
#include "exchange/schema.h"
#include "govern/schema.h"
#include "identity/schema.h"
#include "job/schema.h"
#include "observe/schema.h"
#include "repo/schema.h"
#include "serve/schema.h"

namespace holdfast::cli {

Status migrate_all(sql::Database& database, const Clock& clock) {
  const int64_t now = clock.wall().time_since_epoch().count();
  TRY_DONE(sql::migrate(database, identity::migrations(), now));
  TRY_DONE(sql::migrate(database, content::migrations(), now));
  TRY_DONE(sql::migrate(database, repo::migrations(), now));
  TRY_DONE(sql::migrate(database, exchange::migrations(), now));
  TRY_DONE(sql::migrate(database, job::migrations(), now));
  TRY_DONE(sql::migrate(database, serve::migrations(), now));
  TRY_DONE(sql::migrate(database, govern::migrations(), now));
  return sql::migrate(database, observe::migrations(), now);
}

Result<std::unique_ptr<Instance>> Instance::open(const InstanceOptions& options, WhenMissing when_missing,
                                                 const Clock& clock, Random& random, Log& log) {
  std::unique_ptr<Instance> instance(new Instance());
  TRY(instance->base_, Administration::open(options, when_missing, clock, random));
  io::Disk& disk = instance->disk();
  TRY_DONE(disk.make_directories(data_layout::run));
  TRY_DONE(migrate_all(instance->database(), clock));
  TRY_DONE(disk.sync_directory("."));  // SQLite syncs its files, not the name of a new one.
  instance->metrics_ = make_metrics();
  content::StoreOptions store;
  store.folder = data_layout::content;
  TRY(instance->content_,
      content::open_store(store, disk, instance->database(), clock, random, log, *instance->metrics_));
  return instance;
}

}  // namespace holdfast::cli
