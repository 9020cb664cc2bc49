#include "govern/decisions.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "identity/audit.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

constexpr int64_t listed_max = 10'000;

std::vector<std::pair<std::string, std::string>> details_of(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> details;
  const auto object = codec::parse_json_object(text);
  if (!object.ok()) return details;
  for (const auto& [key, value] : object.value())
    if (value.is_string()) details.emplace_back(key, value.get_string());
  return details;
}

// A cell of a table: one line without its separator.
std::string cell(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '|') out += '\\';
    out += letter == '\n' || letter == '\r' ? ' ' : letter;
  }
  return out;
}

}  // namespace

Result<WallTime> Decisions::now(sql::Transaction& tx) const {
  int64_t latest = 0;
  TRY_DONE(tx.query("SELECT latest FROM govern_state WHERE one = 1", {}, [&](const sql::Row& row) {
    latest = row.integer(0);
    return false;
  }));
  return std::max(clock_.wall(), WallTime{std::chrono::milliseconds{latest}});
}

Status Decisions::append(sql::Transaction& tx, const Made& made) const {
  TRY(const WallTime at, now(tx));
  TRY_DONE(
      tx.run("UPDATE govern_state SET latest = ? WHERE one = 1", {int64_t{at.time_since_epoch().count()}}));
  const std::string subject =
      made.release == 0 ? "record:" + made.record : fmt::format("release:{}/{}", made.record, made.release);
  TRY_DONE(audit_.append(
      tx, {.actor = made.actor, .action = made.action, .subject = subject, .details = made.details}));
  TRY_DONE(
      tx.run("INSERT INTO govern_decisions (number, record, release) "
             "SELECT MAX(number), ?, ? FROM identity_audit",
             {made.record, made.release}));
  return raise_generation(tx);
}

Result<std::vector<Decision>> Decisions::list(const std::string& record,
                                              std::optional<int64_t> release) const {
  std::vector<Decision> decisions;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    decisions.clear();
    return tx.query(
        "SELECT a.number, a.at, a.actor, a.action, a.subject, d.record, d.release, a.details, a.hash "
        "FROM govern_decisions d JOIN identity_audit a ON a.number = d.number "
        "WHERE d.record = ? AND (? < 0 OR d.release = ?) ORDER BY d.number LIMIT ?",
        {record, release.value_or(-1), release.value_or(-1), listed_max}, [&](const sql::Row& row) {
          decisions.push_back({.number = row.integer(0),
                               .at = WallTime{std::chrono::milliseconds{row.integer(1)}},
                               .actor = row.text(2),
                               .action = row.text(3),
                               .subject = row.text(4),
                               .record = row.text(5),
                               .release = row.integer(6),
                               .details = details_of(row.text(7)),
                               .hash = codec::to_hex(row.blob(8))});
          return true;
        });
  }));
  return decisions;
}

boost::json::object decision_json(const Decision& decision) {
  boost::json::object details;
  for (const auto& [name, value] : decision.details) details[name] = value;
  return {
      {"number", decision.number},
      {"at", format_time(decision.at)},
      {"actor", decision.actor},
      {"action", decision.action},
      {"subject", decision.subject},
      {"record", decision.record},
      {"release", decision.release == 0 ? boost::json::value(nullptr) : boost::json::value(decision.release)},
      {"details", std::move(details)},
      {"hash", decision.hash}};
}

std::string decisions_markdown(const std::string& record, const std::vector<Decision>& decisions) {
  std::string page = fmt::format(
      "# Decisions about {}\n\nEach row is part of a hash-chained log; `holdfast audit verify` checks it.\n\n"
      "| number | when | who | what | release | why | more |\n|---|---|---|---|---|---|---|\n",
      record);
  for (const Decision& decision : decisions) {
    std::string reason, more;
    for (const auto& [name, value] : decision.details) {
      if (name == "reason")
        reason = value;
      else
        more += (more.empty() ? "" : "; ") + name + " " + value;
    }
    page +=
        fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", decision.number, format_time(decision.at),
                    cell(decision.actor), cell(decision.action),
                    decision.release == 0 ? "" : std::to_string(decision.release), cell(reason), cell(more));
  }
  return page;
}

Status raise_generation(sql::Transaction& tx) {
  TRY_DONE(tx.run("UPDATE govern_state SET generation = generation + 1 WHERE one = 1"));
  return Done{};
}

Result<int64_t> read_generation(sql::Transaction& tx) {
  int64_t generation = 0;
  TRY_DONE(tx.query("SELECT generation FROM govern_state WHERE one = 1", {}, [&](const sql::Row& row) {
    generation = row.integer(0);
    return false;
  }));
  return generation;
}

}  // namespace holdfast::govern
