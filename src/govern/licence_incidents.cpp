#include "govern/licence_incidents.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"
#include "govern/decisions.h"
#include "govern/record.h"
#include "govern/rows.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr std::string_view auditor = "(audit)", kind = "licence-audit";
constexpr size_t why_bytes_max = 2000;

struct Kept {
  int64_t id = 0;
  bool open = false, ended_by_audit = false;
  std::string why{};
  json::object body{};
};

std::string text_in(const json::object& body, std::string_view key) {
  const auto text = codec::json_text_if(body, key);
  return text.ok() && text.value() ? std::string(*text.value()) : std::string();
}

// The newest of this release.
Result<std::optional<Kept>> newest(sql::Transaction& tx, const Release& release) {
  std::optional<Kept> found;
  TRY_DONE(
      tx.query("SELECT id, state, body FROM govern_incidents WHERE record = ? ORDER BY id DESC LIMIT 500",
               {release.record}, [&](const sql::Row& row) {
                 auto body = codec::parse_json_object(row.text(2), {.bytes_max = 64 << 20});
                 if (!body.ok() || text_in(body.value(), "kind") != kind) return true;
                 const auto number = codec::json_integer(body.value(), "release");
                 if (!number.ok() || number.value() != release.number) return true;
                 found = Kept{.id = row.integer(0),
                              .open = row.text(1) == "open",
                              .ended_by_audit = body.value().contains("passes_again"),
                              .why = text_in(body.value(), "why"),
                              .body = std::move(body).value()};
                 return false;
               }));
  return found;
}

json::object moment(WallTime at, std::string what) {
  return {{"at", format_time(at)}, {"what", std::move(what)}};
}

void note(json::object& body, WallTime at, std::string what) {
  json::value* timeline = body.if_contains("timeline");
  if (timeline != nullptr && timeline->is_array())
    timeline->get_array().push_back(moment(at, std::move(what)));
}

}  // namespace

Status LicenceIncidents::failed(const Release& release, std::string_view why) {
  const std::string cause(why.substr(0, why_bytes_max));
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(auto kept, newest(tx, release));
    if (kept && kept->open && kept->why == cause) return Done{};
    if (kept && !kept->open && !kept->ended_by_audit && kept->why == cause) return Done{};
    TRY(const WallTime now, decisions_.now(tx));
    if (kept && kept->open) {  // Another cause now: the same incident tells it.
      note(kept->body, now, "the audit says: " + cause);
      kept->body["why"] = cause;
      TRY_DONE(tx.run("UPDATE govern_incidents SET cause = ?, body = ? WHERE id = ?",
                      {"licence audit: " + cause, codec::to_text(kept->body), kept->id}));
      return Done{};
    }
    const json::object body{
        {"kind", kind},
        {"release", release.number},
        {"why", cause},
        {"versions", json::object{{"stable", release.number}, {"canary", nullptr}, {"restored", nullptr}}},
        {"detected_after_ms", nullptr},
        {"restored_after_ms", nullptr},
        {"samples", json::array()},
        {"figures", nullptr},
        {"timeline", json::array{moment(now, "the audit says: " + cause)}}};
    int64_t id = 0;
    TRY_DONE(tx.query(
        "INSERT INTO govern_incidents (record, state, cause, opened, body) VALUES (?, 'open', ?, ?, ?) "
        "RETURNING id",
        {release.record, "licence audit: " + cause, milliseconds(now), codec::to_text(body)},
        [&](const sql::Row& row) {
          id = row.integer(0);
          return true;
        }));
    return decisions_.append(
        tx, {.actor = std::string(auditor),
             .action = "incident.opened",
             .record = release.record,
             .release = release.number,
             .details = {{"incident", std::to_string(id)}, {"reason", "licence audit: " + cause}}});
  });
}

Status LicenceIncidents::passed(const Release& release) {
  bool open = false;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    TRY(const auto kept, newest(tx, release));
    open = kept && kept->open;
    return Done{};
  }));
  if (!open) return Done{};
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(auto kept, newest(tx, release));
    if (!kept || !kept->open) return Done{};
    TRY(const WallTime now, decisions_.now(tx));
    note(kept->body, now, "the audit passes again");
    kept->body["passes_again"] = true;
    TRY_DONE(tx.run("UPDATE govern_incidents SET state = 'closed', closed = ?, body = ? WHERE id = ?",
                    {milliseconds(now), codec::to_text(kept->body), kept->id}));
    return decisions_.append(
        tx, {.actor = std::string(auditor),
             .action = "incident.closed",
             .record = release.record,
             .release = release.number,
             .details = {{"incident", std::to_string(kept->id)}, {"reason", "the audit passes again"}}});
  });
}

bool signed_for(const Facts& facts, std::string_view why) {
  const auto last = [&](std::string_view of) -> const Evidence* {
    const auto found = std::find_if(facts.evidence.rbegin(), facts.evidence.rend(),
                                    [&](const Evidence& one) { return one.kind == of; });
    return found == facts.evidence.rend() ? nullptr : &*found;
  };
  const Evidence *own = last("licence"), *person = last("legal");
  return own != nullptr && person != nullptr && person->at >= own->at && text_in(own->body, "why") == why &&
         text_in(person->body, "verdict") == "pass";
}

}  // namespace holdfast::govern
