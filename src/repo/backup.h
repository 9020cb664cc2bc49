#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"
#include "repo/copy_manifest.h"

namespace holdfast::sql {
class Database;
}
namespace holdfast::content {
class Store;
}

namespace holdfast::repo {

struct BackupSource {
  io::Disk& data;  // The instance's data folder; a server may be running on it.
  sql::Database& database;
  content::Store& content;
  // Opens the store over a copied database, on the same data folder. The copy names what must be kept.
  std::function<Status(const std::string& database_url, const std::function<Status(content::Store&)>& use)>
      with_copied_store;
};

// Copies an instance into the empty folder `target` while writes go on. The database is copied first, then
// what that copy names: git objects and xorbs never change once they are there, and deletion is held
// meanwhile, so the copy is the instance as it was at one moment. The manifest (docs/formats/backup.md) is
// written last: without it a folder is no backup. data_corrupt: something the database names is not there;
// busy: a repository was deleted meanwhile. On any error the target is emptied again, as far as that goes.
Result<CopyProgress> back_up(const BackupSource& source, io::Disk& target, const Clock& clock,
                             const EachCopied& each);

// Lays a backup out as the data folder `target`, which must be empty or hold a restore that did not end.
// Every file's digest is checked on the way; `finish` does what else belongs to it. Until then a mark
// (data_layout::restoring) keeps every program from opening the folder; on any error it is emptied again.
Result<CopyProgress> restore(io::Disk& backup, io::Disk& target, const EachCopied& each,
                             const std::function<Status()>& finish);

// Reads a backup through and compares every digest.
Result<CopyProgress> verify_backup(io::Disk& backup, const EachCopied& each);

}  // namespace holdfast::repo
