#include "cli/administration.h"

#include <fmt/format.h>

#include "base/data_layout.h"
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
Status check_there(const std::string& data, WhenMissing when_missing) {
  TRY(UserFiles files, UserFiles::open());
  const io::Path folder = files.path(data);
  if (when_missing != WhenMissing::being_restored && files.disk().stat(folder / data_layout::restoring).ok())
    return fail(Code::conflict,
                fmt::format("a restore into '{}' has not ended: run `holdfast restore` again", data));
  if (when_missing != WhenMissing::create && !files.disk().stat(folder / data_layout::instance_key).ok())
    return fail(
        Code::not_found,
        fmt::format("there is no instance in '{}': `holdfast serve --data {}` makes one", data, data));
  return Done{};
}

}  // namespace

Result<std::unique_ptr<Administration>> Administration::open(const InstanceOptions& options,
                                                             WhenMissing when_missing, const Clock& clock,
                                                             Random& random) {
  std::unique_ptr<Administration> opened(new Administration(clock));
  TRY_DONE(check_there(options.data, when_missing));
  TRY(opened->disk_, io::open_posix_disk(options.data));
  TRY(opened->key_, identity::open_instance_key(*opened->disk_, random));
  opened->database_url_ = !options.database.empty()
                              ? options.database
                              : "sqlite:" + opened->disk_->absolute(data_layout::database).string();
  TRY(opened->database_, sql::open_database(opened->database_url_));
  TRY_DONE(sql::migrate(*opened->database_, identity::migrations(), clock.wall().time_since_epoch().count()));
  opened->accounts_ = std::make_unique<identity::Accounts>(
      *opened->database_, opened->audit_, clock,
      identity::AccountsOptions{.reserved_names = identity::reserved_name_list()});
  opened->tokens_ = identity::make_tokens(*opened->database_, opened->audit_, clock, random, opened->key_);
  opened->sessions_ =
      identity::make_sessions(*opened->database_, opened->audit_, clock, random, opened->key_);
  return opened;
}

std::function<int(World&, std::span<const std::string_view>)> administers(
    const CommandLine& line, Status (*run)(const AdministrationRun&), WhenMissing when_missing) {
  return [line, run, when_missing](World& world, std::span<const std::string_view> words) {
    const auto arguments = Arguments::parse(line, words);
    if (!arguments.ok()) return report(world, arguments.error());
    const Output output = arguments.value().has("--json") ? Output::json : Output::people;
    const InstanceOptions options{
        .data = setting(world, arguments.value(), "--data", "HOLDFAST_DATA", "./data"),
        .database = setting(world, arguments.value(), "--database", "HOLDFAST_DATABASE", "")};
    const auto opened = Administration::open(options, when_missing, world.clock(), world.random());
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
