#include "cli/administration.h"

#include <fmt/format.h>

#include "base/data_layout.h"
#include "cli/instance.h"
#include "cli/user_files.h"
#include "identity/instance_key.h"
#include "identity/reserved_names.h"
#include "identity/schema.h"

namespace holdfast::cli {
namespace {

constexpr size_t secret_bytes_max = 4096;

std::string setting(World& world, const Arguments& arguments, std::string_view flag,
                    const std::string& variable, std::string_view fallback) {
  if (const auto given = arguments.value(flag)) return std::string(*given);
  return world.environment(variable).value_or(std::string(fallback));
}

// Looked for from outside: opening a folder as a disk would make it.
Status check_there(const std::string& data) {
  TRY(UserFiles files, UserFiles::open());
  if (!files.disk().stat(files.path(data) / data_layout::instance_key).ok())
    return fail(
        Code::not_found,
        fmt::format("there is no instance in '{}': `holdfast serve --data {}` makes one", data, data));
  return expect_no_restore(files.disk(), files.path(data), data);
}

}  // namespace

Result<std::unique_ptr<Administration>> Administration::open(const std::string& data,
                                                             const std::string& database, MissingData missing,
                                                             World& world) {
  std::unique_ptr<Administration> opened(new Administration(world.clock()));
  if (missing == MissingData::refuse) TRY_DONE(check_there(data));
  TRY(opened->disk_, io::open_posix_disk(data));
  TRY(const Secret key, identity::open_instance_key(*opened->disk_, world.random()));
  TRY(opened->database_,
      sql::open_database(
          database.empty() ? "sqlite:" + opened->disk_->absolute(data_layout::database).string() : database));
  TRY_DONE(sql::migrate(*opened->database_, identity::migrations(),
                        world.clock().wall().time_since_epoch().count()));
  opened->accounts_ = std::make_unique<identity::Accounts>(
      *opened->database_, opened->audit_, world.clock(),
      identity::AccountsOptions{.reserved_names = identity::reserved_name_list()});
  opened->tokens_ =
      identity::make_tokens(*opened->database_, opened->audit_, world.clock(), world.random(), key);
  opened->sessions_ =
      identity::make_sessions(*opened->database_, opened->audit_, world.clock(), world.random(), key);
  return opened;
}

std::function<int(World&, std::span<const std::string_view>)> administers(
    const CommandLine& line, Status (*run)(const AdministrationRun&), MissingData missing) {
  return [line, run, missing](World& world, std::span<const std::string_view> words) {
    const auto arguments = Arguments::parse(line, words);
    if (!arguments.ok()) return report(world, arguments.error());
    const Output output = arguments.value().has("--json") ? Output::json : Output::people;
    const auto opened = Administration::open(
        setting(world, arguments.value(), "--data", "HOLDFAST_DATA", "./data"),
        setting(world, arguments.value(), "--database", "HOLDFAST_DATABASE", ""), missing, world);
    if (!opened.ok()) return report(world, opened.error(), output);
    const Status done = run({world, arguments.value(), *opened.value(), output});
    return done.ok() ? exit_done : report(world, done.error(), output);
  };
}

Result<Secret> read_secret(World& world, std::string_view what) {
  TRY(auto line, world.read_line(secret_bytes_max));
  if (!line || line->empty()) return fail(Reason::bad_request, fmt::format("standard input has no {}", what));
  if (line->back() == '\r') line->pop_back();
  return Secret(std::move(*line));
}

}  // namespace holdfast::cli
