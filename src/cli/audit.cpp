#include "cli/audit.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "cli/administration.h"
#include "cli/user_files.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "identity/checkpoint.h"

namespace holdfast::cli {
namespace {

using Run = const AdministrationRun&;
using identity::AuditCheckpoint;
using identity::AuditRow;

constexpr int64_t batch_rows = 1000;
constexpr uint64_t checkpoint_bytes_max = 64 << 10;

// What `audit checkpoint` printed: a signed one must be signed by this instance.
Result<AuditCheckpoint> read_checkpoint(Run run, std::string_view path) {
  TRY(UserFiles files, UserFiles::open());
  TRY(const std::string text, files.read(path, checkpoint_bytes_max));
  TRY(const identity::SignedCheckpoint checkpoint, identity::parse_checkpoint(text));
  if (checkpoint.signature.empty()) return checkpoint.checkpoint;
  TRY(const identity::CheckpointKey key,
      identity::CheckpointKey::open(run.instance.disk(), run.world.random()));
  TRY_DONE(identity::verify_signature(checkpoint, run.arguments.value_or("--key", key.public_key())));
  return checkpoint.checkpoint;
}

Status verify(Run run) {
  std::optional<AuditCheckpoint> checkpoint;
  if (const auto path = run.arguments.value("--checkpoint")) {
    TRY(checkpoint, read_checkpoint(run, *path));
  }
  TRY(const identity::AuditVerdict verdict, run.instance.audit().verify(run.instance.database(), checkpoint));
  if (!verdict.sound())
    return fail(Reason::data_corrupt,
                fmt::format("the audit log is broken at row {}: {}", *verdict.first_broken, verdict.why));
  run.world.print(run.output == Output::json
                      ? codec::to_text(boost::json::object{{"sound", true}, {"rows", verdict.rows}}) + "\n"
                      : fmt::format("the audit log is sound: {} rows\n", verdict.rows));
  return Done{};
}

Status print_checkpoint(Run run) {
  TRY(const AuditCheckpoint head, run.instance.audit().head(run.instance.database()));
  TRY(const identity::CheckpointKey key,
      identity::CheckpointKey::open(run.instance.disk(), run.world.random()));
  run.world.print(identity::checkpoint_text(key.sign(head, run.world.clock().wall())));
  return Done{};
}

Status print_rows(Run run) {
  int64_t last = 0;
  while (true) {
    TRY(const std::vector<AuditRow> rows,
        run.instance.audit().list(run.instance.database(), last, batch_rows));
    if (rows.empty()) return Done{};
    for (const AuditRow& row : rows) {
      TRY(boost::json::value details, codec::parse_json(row.details));
      const boost::json::object line{
          {"number", row.number},           {"at", format_time(row.at)}, {"actor", row.actor},
          {"action", row.action},           {"subject", row.subject},    {"details", std::move(details)},
          {"hash", codec::to_hex(row.hash)}};
      run.world.print(codec::to_text(line) + "\n");
    }
    last = rows.back().number;
  }
}

constexpr FlagRow shared[] = {data_flag, database_flag, json_flag};
constexpr FlagRow verify_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    {"--checkpoint", "FILE", "What `audit checkpoint` printed, kept elsewhere."},
    {"--key", "HEX", "The public key it must be signed by [this instance's]."}};

}  // namespace

std::vector<Command> audit_commands() {
  return {
      {"audit verify", "[--checkpoint FILE] [--key HEX] [--data DIR]",
       "Check the audit log's chain, row by row.", "holdfast audit verify --checkpoint checkpoint.json",
       administers({verify_flags, 0, 0}, verify)},
      {"audit checkpoint", "[--data DIR]",
       "Print where the chain stands, signed, to be kept on another machine.",
       "holdfast audit checkpoint > checkpoint.json", administers({shared, 0, 0}, print_checkpoint)},
      {"audit export", "[--data DIR]", "Print every row as a line of JSON.",
       "holdfast audit export > audit.jsonl", administers({shared, 0, 0}, print_rows)},
  };
}

}  // namespace holdfast::cli
