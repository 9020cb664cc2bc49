#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/arguments.h"
#include "base/secret.h"
#include "cli/command.h"
#include "identity/accounts.h"
#include "identity/audit.h"
#include "identity/sessions.h"
#include "identity/tokens.h"
#include "io/disk.h"
#include "sql/database.h"

namespace holdfast::cli {

struct InstanceOptions {
  std::string data;      // The data folder.
  std::string database;  // "postgresql://…", or empty: SQLite in the data folder.
};

// refuse: a folder that holds no instance is not_found, so that a mistyped --data does not start an empty
// one.
enum class WhenMissing : uint8_t {
  create,
  refuse,
  being_restored,  // As refuse, and for `restore` itself: others do not open the folder until it has ended.
};

// What the commands on users, organisations, tokens and the audit log need of an instance: its database and
// key, nothing of its content. Beside a running server it is one more process on the same database. Used by
// one thread.
class Administration {
 public:
  static Result<std::unique_ptr<Administration>> open(const InstanceOptions& options,
                                                      WhenMissing when_missing, const Clock& clock,
                                                      Random& random);

  io::Disk& disk() { return *disk_; }
  sql::Database& database() { return *database_; }
  const std::string& database_url() const { return database_url_; }
  const Secret& key() const { return key_; }
  identity::Audit& audit() { return audit_; }
  identity::Accounts& accounts() { return *accounts_; }
  identity::Tokens& tokens() { return *tokens_; }
  identity::Sessions& sessions() { return *sessions_; }

 private:
  explicit Administration(const Clock& clock) : audit_(clock) {}

  // In the order they are opened; destroyed in reverse.
  std::unique_ptr<io::Disk> disk_;
  Secret key_;
  std::string database_url_;
  std::unique_ptr<sql::Database> database_;
  identity::Audit audit_;
  std::unique_ptr<identity::Accounts> accounts_;
  std::unique_ptr<identity::Tokens> tokens_;
  std::unique_ptr<identity::Sessions> sessions_;
};

// Who did it, in the audit log.
inline constexpr std::string_view command_line_actor = "(command line)";

// One run of such a command. `output` says how to answer.
struct AdministrationRun {
  World& world;
  const Arguments& arguments;
  Administration& instance;
  Output output;

  std::string_view positional(size_t index) const { return arguments.positionals()[index]; }
};

// The flags that all of these commands share; each puts them first in its own table.
inline constexpr FlagRow data_flag{"--data", "DIR", "The data folder; HOLDFAST_DATA, else ./data."};
inline constexpr FlagRow database_flag{"--database", "URL",
                                       "postgresql://…; HOLDFAST_DATABASE, else SQLite in the data folder."};
inline constexpr FlagRow json_flag{"--json", "", "Answer in JSON."};

// For Command::run: reads the words by `line` (whose flags are a static table), opens the instance, runs,
// reports an error if there is one.
std::function<int(World&, std::span<const std::string_view>)> administers(
    const CommandLine& line, Status (*run)(const AdministrationRun&),
    WhenMissing when_missing = WhenMissing::refuse);

// The first line of standard input, for secrets, which do not belong on a command line.
Result<Secret> read_secret(World& world, std::string_view what);

}  // namespace holdfast::cli
