#include "identity/audit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "base/utf8.h"
#include "codec/sha256.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr int64_t batch_rows = 1000;
constexpr std::string_view columns = "number, at, actor, action, subject, details, hash";

// Text that a database and JSON can both hold: what is not UTF-8, and the zero byte, become '?'. Names of
// files and refs come from users.
std::string storable(std::string_view text) {
  std::string escaped;
  append_json_escaped(escaped, text);
  if (escaped == text) return escaped;
  std::string out;
  while (!text.empty()) {
    const size_t length = std::max<size_t>(utf8_length(text), 1);
    const bool good = utf8_length(text) != 0 && text.front() != '\0';
    out += good ? text.substr(0, length) : "?";
    text.remove_prefix(length);
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  append_json_escaped(out, text);
  out += '"';
  return out;
}

std::string details_json(const AuditEntry& entry) {
  auto details = entry.details;
  std::sort(details.begin(), details.end());
  std::string out = "{";
  for (const auto& [name, value] : details)
    out += (out.size() == 1 ? "" : ",") + quoted(storable(name)) + ":" + quoted(storable(value));
  return out + "}";
}

// What a row's hash covers, after the 32 bytes of the row before it.
std::string canonical(const AuditRow& row) {
  return fmt::format(R"({{"number":{},"at":{},"actor":{},"action":{},"subject":{},"details":{}}})",
                     row.number, row.at.time_since_epoch().count(), quoted(row.actor), quoted(row.action),
                     quoted(row.subject), row.details);
}

AuditHash hash_of(const AuditHash& before, const AuditRow& row) {
  codec::Sha256 hash;
  hash.update(before);
  hash.update(as_bytes(canonical(row)));
  return hash.finish();
}

// A hash of another length than 32 bytes is no hash: all zeros, which nothing matches.
AuditHash hash_column(const sql::Row& row, int column) {
  const Bytes stored = row.blob(column);
  AuditHash hash{};
  if (stored.size() == hash.size()) std::copy(stored.begin(), stored.end(), hash.begin());
  return hash;
}

AuditRow audit_row(const sql::Row& row) {
  return AuditRow{.number = row.integer(0),
                  .at = WallTime{std::chrono::milliseconds{row.integer(1)}},
                  .actor = row.text(2),
                  .action = row.text(3),
                  .subject = row.text(4),
                  .details = row.text(5),
                  .hash = hash_column(row, 6)};
}

Result<AuditCheckpoint> last_row(sql::Transaction& tx) {
  AuditCheckpoint last;
  TRY_DONE(tx.query("SELECT number, hash FROM identity_audit ORDER BY number DESC LIMIT 1", {},
                    [&](const sql::Row& row) {
                      last = {row.integer(0), hash_column(row, 1)};
                      return false;
                    }));
  return last;
}

// Checks one row after the other; what it saw last is where the next batch goes on.
class ChainReader {
 public:
  explicit ChainReader(const std::optional<AuditCheckpoint>& checkpoint) : checkpoint_(checkpoint) {}

  void read(const AuditRow& row) {
    const int64_t expected = last_.number + 1;
    if (row.number != expected) return broken(expected, "the row is missing");
    if (row.hash != hash_of(last_.hash, row)) return broken(row.number, "the row is not what was written");
    if (checkpoint_ && checkpoint_->number == row.number && checkpoint_->hash != row.hash)
      return broken(row.number, "the row differs from the checkpoint");
    last_ = {row.number, row.hash};
    ++verdict_.rows;
  }
  void end() {
    if (verdict_.sound() && checkpoint_ && checkpoint_->number > last_.number)
      broken(last_.number + 1, "the log ends before the checkpoint");
  }
  int64_t last() const { return last_.number; }
  const AuditVerdict& verdict() const { return verdict_; }

 private:
  void broken(int64_t number, std::string why) {
    verdict_.first_broken = number;
    verdict_.why = std::move(why);
  }
  std::optional<AuditCheckpoint> checkpoint_;
  AuditCheckpoint last_;
  AuditVerdict verdict_;
};

}  // namespace

Status Audit::append(sql::Transaction& tx, const AuditEntry& entry) const {
  TRY(const AuditCheckpoint before, last_row(tx));
  AuditRow row{.number = before.number + 1,
               .at = clock_.wall(),
               .actor = storable(entry.actor),
               .action = storable(entry.action),
               .subject = storable(entry.subject),
               .details = details_json(entry)};
  row.hash = hash_of(before.hash, row);
  TRY_DONE(
      tx.run("INSERT INTO identity_audit (number, at, actor, action, subject, details, hash) VALUES (?, ?, "
             "?, ?, ?, ?, ?)",
             {row.number, int64_t{row.at.time_since_epoch().count()}, row.actor, row.action, row.subject,
              row.details, ByteView(row.hash)}));
  return Done{};
}

Result<AuditCheckpoint> Audit::head(sql::Database& database) const {
  return database.read<AuditCheckpoint>([](sql::Transaction& tx) { return last_row(tx); });
}

Result<std::vector<AuditRow>> Audit::list(sql::Database& database, int64_t after, int64_t rows_max) const {
  std::vector<AuditRow> rows;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    return tx.query(
        fmt::format("SELECT {} FROM identity_audit WHERE number > ? ORDER BY number LIMIT ?", columns),
        {after, rows_max}, [&](const sql::Row& row) {
          rows.push_back(audit_row(row));
          return true;
        });
  }));
  return rows;
}

Result<AuditVerdict> Audit::verify(sql::Database& database,
                                   const std::optional<AuditCheckpoint>& checkpoint) const {
  ChainReader chain(checkpoint);
  while (chain.verdict().sound()) {
    TRY(const std::vector<AuditRow> rows, list(database, chain.last(), batch_rows));
    if (rows.empty()) break;
    for (const AuditRow& row : rows)
      if (chain.verdict().sound()) chain.read(row);
  }
  chain.end();
  return chain.verdict();
}

}  // namespace holdfast::identity
