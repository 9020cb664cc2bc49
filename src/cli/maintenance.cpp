#include "cli/maintenance.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "base/option_value.h"
#include "cli/instance_command.h"
#include "cli/progress.h"
#include "codec/json.h"
#include "repo/backup.h"
#include "repo/hub.h"
#include "repo/inspection.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

Result<int> fsck(World& world, const Arguments& arguments) {
  TRY(OpenedInstance opened, open_instance(world, arguments));
  const auto hub = open_hub(opened, world);
  Progress progress(world, "checking");
  const repo::InspectionParts parts{opened.instance->database(), hub->storage, opened.instance->content(),
                                    "/usr/bin/git", world.clock()};
  TRY(repo::Inspection inspection,
      repo::inspect(parts, [&](const std::string& place) { progress.say(place); }));
  TRY(identity::AuditVerdict audit, opened.instance->audit().verify(opened.instance->database()));
  if (!audit.sound())
    inspection.findings.push_back(
        {"audit_broken", "audit log", fmt::format("row {}: {}", *audit.first_broken, audit.why)});
  progress.end();
  if (output_of(arguments) == Output::json) {
    json::array findings;
    for (const repo::Finding& finding : inspection.findings)
      findings.push_back(
          json::object{{"what", finding.what}, {"place", finding.place}, {"detail", finding.detail}});
    world.print(codec::to_text(json::object{{"clean", inspection.clean()},
                                            {"repositories", inspection.repositories},
                                            {"refs", inspection.refs},
                                            {"objects", inspection.objects},
                                            {"xorbs", inspection.xorbs},
                                            {"bytes", inspection.bytes},
                                            {"audit_rows", audit.rows},
                                            {"findings", std::move(findings)}}) +
                "\n");
  } else {
    for (const repo::Finding& finding : inspection.findings)
      world.print(fmt::format("{}: {} in {}\n", finding.what, finding.detail, finding.place));
    world.print(fmt::format(
        "{} repositories, {} refs, {} large files, {} xorbs ({} bytes), {} audit rows read: {}\n",
        inspection.repositories, inspection.refs, inspection.objects, inspection.xorbs, inspection.bytes,
        audit.rows,
        inspection.clean() ? "all is well" : fmt::format("{} findings", inspection.findings.size())));
  }
  return inspection.clean() ? exit_done : exit_failed;
}

Result<int> gc(World& world, const Arguments& arguments) {
  TRY(std::chrono::milliseconds grace, parse_duration(arguments.value_or("--grace", "25h")));
  TRY(OpenedInstance opened, open_instance(world, arguments));
  const auto hub = open_hub(opened, world);
  TRY(content::Collected collected,
      opened.instance->content().collect(
          grace, [&](const content::FileInfo& file) { return hub->uploads.is_live(file); }));
  if (output_of(arguments) == Output::json)
    world.print(codec::to_text(json::object{{"files", collected.files},
                                            {"xorbs", collected.xorbs},
                                            {"temporaries", collected.temporaries},
                                            {"bytes", collected.bytes}}) +
                "\n");
  else
    world.print(fmt::format(
        "{} files and {} xorbs that nobody names are gone, {} unfinished ones too: {} bytes given back\n",
        collected.files, collected.xorbs, collected.temporaries, collected.bytes));
  return exit_done;
}

int tell_copied(World& world, const Arguments& arguments, std::string_view what,
                const repo::CopyProgress& copied) {
  if (output_of(arguments) == Output::json)
    world.print(codec::to_text(json::object{{"files", copied.files}, {"bytes", copied.bytes}}) + "\n");
  else
    world.print(
        fmt::format("{}: {} files, {} bytes, every digest checked\n", what, copied.files, copied.bytes));
  return exit_done;
}

Result<int> backup(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> target, io::open_posix_disk(io::Path(arguments.positionals()[0])));
  Progress progress(world, "copied");
  const auto each = [&](const repo::CopyProgress& copied) { progress.bytes(copied.bytes, 0); };
  if (arguments.has("--verify")) {
    TRY(repo::CopyProgress read, repo::verify_backup(*target, each));
    progress.end();
    return tell_copied(world, arguments, "backup is sound", read);
  }
  TRY(OpenedInstance opened, open_instance(world, arguments));
  Instance& instance = *opened.instance;
  const auto with_copied_store = [&](const std::string& url,
                                     const std::function<Status(content::Store&)>& use) -> Status {
    TRY(std::unique_ptr<sql::Database> database, sql::open_database(url));
    content::StoreOptions options;
    TRY(std::unique_ptr<content::Store> store,
        content::open_store(options, instance.disk(), *database, world.clock(), world.random(), *opened.log,
                            instance.metrics()));
    return use(*store);
  };
  const repo::BackupSource source{instance.disk(), instance.database(), instance.content(),
                                  with_copied_store};
  TRY(repo::CopyProgress copied, repo::back_up(source, *target, world.clock(), each));
  progress.end();
  return tell_copied(world, arguments, "backup written", copied);
}

Result<int> restore(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> from, io::open_posix_disk(io::Path(arguments.positionals()[0])));
  TRY(std::unique_ptr<io::Disk> target,
      io::open_posix_disk(io::Path(std::string(arguments.value_or("--data", "data")))));
  Progress progress(world, "copied");
  // A backup holds the refs in the database only; on disk they are laid again, as a start of the server
  // would.
  const auto lay_refs = [&]() -> Status {
    TRY(OpenedInstance opened, open_instance(world, arguments, WhenMissing::being_restored));
    TRY([[maybe_unused]] const uint64_t laid, open_hub(opened, world)->publisher.repair());
    return Done{};
  };
  TRY(repo::CopyProgress copied,
      repo::restore(
          *from, *target, [&](const repo::CopyProgress& so_far) { progress.bytes(so_far.bytes, 0); },
          lay_refs));
  progress.end();
  return tell_copied(world, arguments, "restored", copied);
}

}  // namespace

std::vector<Command> maintenance_commands() {
  return {
      instance_command("fsck", "[--data DIR] [--json]", "Reads everything again and names what is wrong.",
                       "holdfast fsck --data /srv/holdfast", {data_flag, database_flag, json_flag}, 0, fsck),
      instance_command(
          "gc", "[--grace 25h] [--data DIR] [--json]",
          "Removes bytes that no repository and no recent upload names.", "holdfast gc --data /srv/holdfast",
          {{"--grace", "SPAN", "Younger bytes stay [25h]; below 24h running uploads may lose theirs."},
           data_flag,
           database_flag,
           json_flag},
          0, gc),
      instance_command(
          "backup", "FOLDER [--verify] [--data DIR] [--json]",
          "Copies the instance as of one moment, while it runs; or checks a copy.",
          "holdfast backup /mnt/backup/today --data /srv/holdfast",
          {{"--verify", {}, "Read FOLDER through and compare every digest instead."}, data_flag, json_flag},
          1, backup),
      instance_command("restore", "FOLDER --data DIR [--json]", "Lays a backup out as a data folder.",
                       "holdfast restore /mnt/backup/today --data /srv/holdfast", {data_flag, json_flag}, 1,
                       restore),
  };
}

}  // namespace holdfast::cli
