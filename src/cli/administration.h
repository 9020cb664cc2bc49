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

enum class MissingData : uint8_t { create, refuse };

// What the commands on users, organisations, tokens and the audit log need of an instance: its database and
// key, nothing of its content. Beside a running server it is one more process on the same database. Used by
// one thread.
class Administration {
 public:
  // `database`: empty for SQLite in the data folder. refuse: a folder that holds no instance is not_found, so
  // that a mistyped --data does not start an empty one.
  static Result<std::unique_ptr<Administration>> open(const std::string& data, const std::string& database,
                                                      MissingData missing, World& world);

  io::Disk& disk() { return *disk_; }
  sql::Database& database() { return *database_; }
  identity::Audit& audit() { return audit_; }
  identity::Accounts& accounts() { return *accounts_; }
  identity::Tokens& tokens() { return *tokens_; }
  identity::Sessions& sessions() { return *sessions_; }

 private:
  explicit Administration(const Clock& clock) : audit_(clock) {}

  // In the order they are opened; destroyed in reverse.
  std::unique_ptr<io::Disk> disk_;
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
    MissingData missing = MissingData::refuse);

// The first line of standard input, for secrets, which do not belong on a command line.
Result<Secret> read_secret(World& world, std::string_view what);

}  // namespace holdfast::cli
