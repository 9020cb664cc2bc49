#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <span>
#include <string_view>

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

// What becomes of a table when an instance leaves as plain files (docs/formats/instance-export.md).
enum class TableFate : uint8_t {
  exported,    // Its rows, as JSON lines.
  made_again,  // Follows from the rest, or is of no use elsewhere.
  secret,      // Stays here.
};
struct TableRule {
  std::string_view name;
  TableFate fate = TableFate::exported;
};

// Changes a row on its way out or in: what one instance's keys sealed is opened, what another's are to keep
// is sealed. Called inside a transaction.
using ChangeRow = std::function<Status(std::string_view table, boost::json::object& row)>;

// Every table of the schema, in an order in which rows can be put in; both directions share it.
struct ExportRules {
  std::span<const TableRule> tables;
  ChangeRow change;
};

struct ExportSource {
  io::Disk& data;  // The instance's data folder; a server may be running on it.
  sql::Database& database;
  content::Store& content;
};

// Writes everything that people put into an instance to the empty folder `target`: plain bare git
// repositories with their large files where git-lfs keeps them, and JSON lines. The rows are read as of one
// moment, then what they name, as a backup does. The manifest is written last; on any error the target is
// emptied again.
Result<CopyProgress> export_instance(const ExportSource& source, const ExportRules& rules, io::Disk& target,
                                     const Clock& clock, const EachCopied& each);

struct ImportTarget {
  io::Disk& data;
  sql::Database& database;  // Migrated; already_exists when it holds anything already.
  content::Store& content;
};

// Takes an export in. Every digest is checked before it counts: of each file, of each large file, and that
// every reference names a commit that is there. All rows come in one transaction, the last step but for the
// references, which the caller lays (Publisher::repair). corrupt: a damaged or unfinished export.
Result<CopyProgress> import_instance(io::Disk& exported, const ExportRules& rules, const ImportTarget& target,
                                     const EachCopied& each);

}  // namespace holdfast::repo
