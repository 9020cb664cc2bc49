#include "cli/instance_transfer.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "cli/export_rules.h"
#include "cli/instance_command.h"
#include "cli/progress.h"
#include "codec/json.h"
#include "identity/instance_key.h"
#include "repo/instance_export.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

int tell(World& world, const Arguments& arguments, const repo::CopyProgress& moved, std::string_view words) {
  if (output_of(arguments) == Output::json) {
    world.print(codec::to_text(json::object{{"files", moved.files}, {"bytes", moved.bytes}}) + "\n");
  } else {
    world.print(fmt::format("{} files, {}: {}\n", moved.files, format_bytes(moved.bytes), words));
  }
  return exit_done;
}

Status note(Instance& instance, std::string action, const repo::CopyProgress& moved) {
  return instance.database().write([&](sql::Transaction& tx) {
    return instance.audit().append(
        tx, {.actor = std::string(command_line_actor),
             .action = action,
             .subject = "instance",
             .details = {{"bytes", std::to_string(moved.bytes)}, {"files", std::to_string(moved.files)}}});
  });
}

Result<int> export_(World& world, const Arguments& arguments) {
  TRY(OpenedInstance opened, open_instance(world, arguments));
  Instance& instance = *opened.instance;
  TRY(std::unique_ptr<io::Disk> target, io::open_posix_disk(io::Path(arguments.positionals()[0])));
  ExportRules rules(instance.database(), instance.key(), world.random());
  TRY(const repo::ExportRules outward, rules.outward());
  Progress progress(world, "written");
  TRY(repo::CopyProgress written,
      repo::export_instance({instance.disk(), instance.database(), instance.content()}, outward, *target,
                            world.clock(),
                            [&](const repo::CopyProgress& so_far) { progress.bytes(so_far.bytes, 0); }));
  progress.end();
  TRY_DONE(note(instance, "instance.exported", written));
  return tell(world, arguments, written,
              "passwords, access tokens, stored secrets and the tokens of attached engines stayed here");
}

Result<int> import(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> from, io::open_posix_disk(io::Path(arguments.positionals()[0])));
  TRY(std::unique_ptr<io::Disk> data,
      io::open_posix_disk(io::Path(std::string(arguments.value_or("--data", "data")))));
  Progress progress(world, "taken in");
  const auto work = [&]() -> Result<repo::CopyProgress> {
    TRY([[maybe_unused]] const Secret key, identity::open_instance_key(*data, world.random()));
    TRY(OpenedInstance opened, open_instance(world, arguments, WhenMissing::being_restored));
    Instance& instance = *opened.instance;
    ExportRules rules(instance.database(), instance.key(), world.random());
    TRY(const repo::ExportRules inward, rules.inward());
    TRY(repo::CopyProgress taken,
        repo::import_instance(*from, inward, {instance.disk(), instance.database(), instance.content()},
                              [&](const repo::CopyProgress& so_far) { progress.bytes(so_far.bytes, 0); }));
    TRY([[maybe_unused]] const size_t laid, open_hub(opened, world)->publisher.repair());
    TRY_DONE(note(instance, "instance.imported", taken));
    return taken;
  };
  TRY(repo::CopyProgress taken, repo::fill_data_folder(*data, work));
  progress.end();
  return tell(world, arguments, taken,
              "every digest checked; people sign in by `holdfast user sign-in-link` and make new tokens");
}

}  // namespace

std::vector<Command> instance_commands() {
  return {
      instance_command(
          "instance export", "FOLDER [--data DIR] [--json]",
          "Writes everything people put in as plain git repositories, files and JSON lines, while it "
          "runs.",
          "holdfast instance export /mnt/export --data /srv/holdfast", {data_flag, database_flag, json_flag},
          1, export_),
      instance_command("instance import", "FOLDER --data DIR [--json]",
                       "Takes an export into an empty data folder, with new keys.",
                       "holdfast instance import /mnt/export --data /srv/holdfast",
                       {data_flag, database_flag, json_flag}, 1, import),
  };
}

}  // namespace holdfast::cli
