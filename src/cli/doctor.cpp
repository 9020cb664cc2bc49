#include "cli/doctor.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <optional>
#include <thread>

#include "base/data_layout.h"
#include "cli/connection.h"
#include "cli/instance_command.h"
#include "cli/progress.h"
#include "cli/version.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "process/run.h"
#include "tensor/isa.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr uint64_t free_bytes_failed = 1'000'000'000, free_bytes_warned = 10'000'000'000;
constexpr milliseconds slow_sync{50};
constexpr uint64_t open_files_min = 4096;
constexpr std::chrono::minutes clock_slack{5};

enum class Health : uint8_t { good, warning, bad, skipped };
std::string_view health_name(Health health) {
  switch (health) {
    case Health::good:
      return "ok";
    case Health::warning:
      return "warning";
    case Health::bad:
      return "failed";
    case Health::skipped:
      return "skipped";
  }
  return "";
}

// What one look found; `remedy` says what to do about it.
struct Look {
  Health health = Health::good;
  std::string found, remedy{};
};

// What the looks share: the instance when it opened.
struct Patient {
  World& world;
  const Arguments& arguments;
  std::optional<OpenedInstance> opened{};
  std::string why_not{};
};

Look unopened(const Patient& patient) { return {Health::skipped, "needs the instance: " + patient.why_not}; }

Look look_at_machine(Patient&) {
  return {Health::good,
          fmt::format("holdfast {}, {} hardware threads, {} kernels", program_version(),
                      std::thread::hardware_concurrency(), tensor::isa_name(tensor::best_isa()))};
}

Look look_at_git(Patient& patient) {
  process::SpawnOptions options;
  options.program = "/usr/bin/git";
  options.arguments = {"--version"};
  const auto ran = process::run(std::move(options), {.timeout = milliseconds(10'000)}, patient.world.clock());
  if (!ran.ok() || !ran.value().exit.clean())
    return {Health::bad, "/usr/bin/git does not run", "install git: clone, fetch and push need it"};
  return {Health::good, trimmed(ran.value().output)};
}

Look look_at_open_files(Patient&) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {Health::skipped, "the limit cannot be read"};
  const auto files = static_cast<uint64_t>(limit.rlim_cur);
  if (limit.rlim_cur == RLIM_INFINITY) return {Health::good, "no limit"};
  if (files >= open_files_min) return {Health::good, fmt::format("{} files may be open at once", files)};
  return {Health::warning, fmt::format("only {} files may be open at once", files),
          fmt::format("raise it: `ulimit -n {}`, or LimitNOFILE= of the service", open_files_min)};
}

Look look_at_instance(Patient& patient) {
  if (!patient.opened)
    return {Health::bad, patient.why_not,
            "is --data (or HOLDFAST_DATA) the right folder, and yours to read?"};
  const std::string& url = patient.opened->instance->database_url();
  return {Health::good, fmt::format("it opens, its tables are up to date; the database is {}",
                                    url.starts_with("sqlite:") ? "SQLite" : "PostgreSQL")};
}

Look look_at_database(Patient& patient) {
  if (!patient.opened) return unopened(patient);
  sql::Database& database = patient.opened->instance->database();
  int64_t users = 0;
  const milliseconds began = patient.world.clock().now();
  const Status read = database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT COUNT(*) FROM identity_users", {}, [&](const sql::Row& row) {
      users = row.integer(0);
      return false;
    });
  });
  if (!read.ok()) return {Health::bad, "it cannot be read: " + read.error().message, "look at its own log"};
  const Status written = database.write([](sql::Transaction&) -> Status { return Done{}; });
  if (!written.ok())
    return {Health::bad, "it cannot be written: " + written.error().message,
            "is the disk full, or another holding it?"};
  return {Health::good, fmt::format("read and written in {} ms; {} users",
                                    (patient.world.clock().now() - began).count(), users)};
}

Look look_at_space(Patient& patient) {
  if (!patient.opened) return unopened(patient);
  const auto bytes = patient.opened->instance->disk().free_bytes();
  if (!bytes.ok()) return {Health::bad, bytes.error().message};
  const std::string free = format_bytes(bytes.value()) + " free";
  if (bytes.value() < free_bytes_failed)
    return {Health::bad, free, "make room (`holdfast gc`): below 1 GB the server says that it is not ready"};
  if (bytes.value() < free_bytes_warned)
    return {Health::warning, free, "make room: `holdfast gc`, or a larger disk"};
  return {Health::good, free};
}

Look look_at_disk(Patient& patient) {
  if (!patient.opened) return unopened(patient);
  io::Disk& disk = patient.opened->instance->disk();
  std::array<std::byte, 8> name{};
  patient.world.random().fill(name);
  const io::Path probe = fmt::format("doctor-{}", codec::to_hex(name));
  const milliseconds began = patient.world.clock().now();
  Status kept = io::publish_text(disk, probe, "holdfast doctor");
  const milliseconds took = patient.world.clock().now() - began;
  const auto back = io::read_text(disk, probe, 100);
  const Status removed = disk.remove(probe);
  if (!kept.ok())
    return {Health::bad, "it cannot be written: " + kept.error().message,
            "is it full, read only, or another user's?"};
  if (!back.ok() || back.value() != "holdfast doctor" || !removed.ok())
    return {Health::bad, "what was written did not come back", "do not use this disk"};
  if (took > slow_sync)
    return {Health::warning, fmt::format("a file is durable after {} ms", took.count()),
            "every acknowledged write waits for this: use a faster disk"};
  return {Health::good, fmt::format("a file is durable after {} ms", took.count())};
}

Look look_at_clock(Patient& patient) {
  if (!patient.opened) return unopened(patient);
  int64_t newest = 0;
  const Status read = patient.opened->instance->database().read([&](sql::Transaction& tx) {
    return tx.query("SELECT COALESCE(MAX(at), 0) FROM identity_audit", {}, [&](const sql::Row& row) {
      newest = row.integer(0);
      return false;
    });
  });
  if (!read.ok()) return {Health::skipped, read.error().message};
  const WallTime now = patient.world.clock().wall();
  if (WallTime(milliseconds(newest)) > now + clock_slack)
    return {Health::bad,
            fmt::format("it says {}, which is before the newest row of the audit log", format_time(now)),
            "set the clock (NTP): tokens, signatures and the log go by it"};
  return {Health::good, format_time(now)};
}

Look look_at_server(Patient& patient) {
  if (!patient.arguments.value("--endpoint") && !patient.world.environment("HF_ENDPOINT"))
    return {Health::skipped, "neither --endpoint nor HF_ENDPOINT names one"};
  const auto answer = ask_text(patient.world, patient.arguments, {.path = "/readyz"});
  if (answer.ok()) return {Health::good, "it is ready"};
  return {Health::bad, answer.error().message, "look at its log"};
}

struct Row {
  std::string_view name;
  std::function<Look(Patient&)> look;
};

const std::vector<Row>& looks() {
  static const std::vector<Row> all = {
      {"machine", look_at_machine},   {"git", look_at_git},           {"open files", look_at_open_files},
      {"instance", look_at_instance}, {"database", look_at_database}, {"disk", look_at_disk},
      {"space", look_at_space},       {"clock", look_at_clock},       {"server", look_at_server}};
  return all;
}

Result<int> doctor(World& world, const Arguments& arguments) {
  Patient patient{world, arguments};
  auto opened = open_instance(world, arguments);
  if (opened.ok())
    patient.opened = std::move(opened).value();
  else
    patient.why_not = opened.error().message;
  json::array list;
  bool bad = false;
  for (const Row& row : looks()) {
    const Look look = row.look(patient);
    bad = bad || look.health == Health::bad;
    if (output_of(arguments) == Output::json) {
      list.emplace_back(json::object{{"look", row.name},
                                     {"health", health_name(look.health)},
                                     {"found", look.found},
                                     {"remedy", look.remedy}});
      continue;
    }
    world.print(fmt::format("{:<8} {:<11} {}\n", health_name(look.health), row.name, look.found));
    if (!look.remedy.empty()) world.print(fmt::format("{:<20} {}\n", "", look.remedy));
  }
  if (output_of(arguments) == Output::json)
    world.print(codec::to_text(json::object{{"healthy", !bad}, {"looks", std::move(list)}}) + "\n");
  else
    world.print(bad ? "not healthy\n" : "healthy; `holdfast fsck` reads every byte as well\n");
  return bad ? exit_failed : exit_done;
}

}  // namespace

std::vector<Command> doctor_commands() {
  return {
      instance_command("doctor", "[--data DIR] [--endpoint URL] [--json]",
                       "Looks at what an instance stands on: git, limits, database, disk, space, clock, the "
                       "running server; exits 1 when something is broken.",
                       "holdfast doctor --data /srv/holdfast --endpoint http://127.0.0.1:8080",
                       {data_flag, database_flag, endpoint_flag, token_flag, json_flag}, 0, doctor)};
}

}  // namespace holdfast::cli
