#include "govern/records.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "repo/repositories.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

constexpr size_t source_bytes_max = 64 << 10, reason_bytes_max = 2000;

Status write_row(sql::Transaction& tx, const StoredRecord& stored) {
  const std::string body = codec::to_text(record_json(stored.record));
  TRY_DONE(
      tx.run("INSERT INTO govern_records (id, repo, body, source, digest, changed, changed_by) "
             "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET repo = excluded.repo, body = "
             "excluded.body, source = excluded.source, digest = excluded.digest, changed = "
             "excluded.changed, changed_by = excluded.changed_by",
             {stored.record.id, stored.repository, body, stored.source, stored.digest,
              milliseconds(stored.changed), stored.changed_by}));
  TRY_DONE(tx.run("DELETE FROM govern_features WHERE record = ?", {stored.record.id}));
  for (const std::string& feature : stored.record.features)
    TRY_DONE(tx.run("INSERT INTO govern_features (feature, record) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    {feature, stored.record.id}));
  return Done{};
}

}  // namespace

Status check_reason(std::string_view reason) {
  if (reason.empty()) return fail(Reason::bad_request, "'reason' is missing: the decision log keeps it");
  if (reason.size() > reason_bytes_max) return fail(Reason::bad_request, "'reason' is too long");
  return Done{};
}

Result<PutRecord> Records::put(const identity::Caller& caller, const std::string& id, std::string_view text) {
  if (text.size() > source_bytes_max) return fail(Reason::body_too_large, "a record has at most 64 KiB");
  PutRecord put;
  TRY(ReadRecord read, read_record_text(text));
  put.problems = std::move(read.problems);
  if (!read.record.id.empty() && read.record.id != id)
    put.problems.push_back({"record", fmt::format("is '{}', not '{}'", read.record.id, id)});
  StoredRecord stored{
      .record = std::move(read.record), .source = std::string(text), .changed_by = caller.name};
  const auto name = repo::parse_repo_name(repo::RepoType::model, stored.record.model);
  std::optional<repo::Repository> model;
  if (name.ok()) {
    TRY(model, repositories_.find(repo::RepoType::model, name.value().ns, name.value().name));
  }
  if (!stored.record.model.empty() && (!model || !rights_.may_see(caller, *model)))
    put.problems.push_back({"model", "there is no such model here"});
  TRY_DONE(access_.check_change(caller, stored.record.ns()));
  if (!put.problems.empty()) return put;
  if (!rights_.may_write(caller, *model))
    return fail(Reason::forbidden, "a record is made by those who may write to its model");
  stored.repository = model->id.raw;
  const std::string body = codec::to_text(record_json(stored.record));
  stored.digest = codec::to_hex(codec::sha256(as_bytes(body)));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    const auto before = record_named(tx, id);
    if (!before.ok() && before.error().code != Code::not_found) return before.error();
    put.created = !before.ok();
    if (before.ok()) TRY_DONE(check_live(tx, before.value(), stored.record));
    TRY(stored.changed, decisions_.now(tx));
    TRY_DONE(write_row(tx, stored));
    return decisions_.append(tx, {.actor = caller.name,
                                  .action = put.created ? "record.created" : "record.changed",
                                  .record = id,
                                  .details = {{"digest", stored.digest},
                                              {"tier", std::string(tier_name(stored.record.tier))},
                                              {"before", before.ok() ? before.value().digest : ""}}});
  }));
  if (!put.created) {
    TRY(stored, find(caller, id));
  }
  put.stored = std::move(stored);
  return put;
}

// What is live was let in under the conditions of its tier: they are not taken away under it.
Status Records::check_live(sql::Transaction& tx, const StoredRecord& before, const Record& after) const {
  TRY(const std::vector<Release> releases, releases_of(tx, before.record.id));
  bool live = false;
  for (const Release& release : releases) live = live || is_live(release.state);
  if (live && after.tier < before.record.tier)
    return fail(Code::conflict,
                fmt::format("a live record does not go from {} to {}: retire its releases first",
                            tier_name(before.record.tier), tier_name(after.tier)));
  if (live && after.environment != before.record.environment)
    return fail(Code::conflict, "a live record keeps its environment: retire its releases first");
  if (!releases.empty() && after.model != before.record.model)
    return fail(Code::conflict, "a record with releases keeps its model: make another record");
  return Done{};
}

Result<StoredRecord> Records::find(const identity::Caller& caller, const std::string& id) const {
  return access_.seen(database_, caller, id);
}

Result<std::vector<StoredRecord>> Records::list(const identity::Caller& caller) const {
  TRY(std::vector<StoredRecord> all, database_.read<std::vector<StoredRecord>>(all_records));
  std::vector<StoredRecord> seen;
  for (StoredRecord& stored : all) {
    TRY(const bool visible, access_.may_see(caller, stored));
    if (visible) seen.push_back(std::move(stored));
  }
  return seen;
}

Result<Criteria> Records::add_criteria(const identity::Caller& caller, const std::string& id,
                                       const boost::json::object& body) {
  TRY(const StoredRecord stored, access_.changeable(database_, caller, id));
  TRY(Criteria criteria, parse_criteria(body));
  criteria.by = caller.name;
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const std::vector<Criteria> before, criteria_of(tx, id));
    criteria.number = before.empty() ? 1 : before.back().number + 1;
    TRY(criteria.at, decisions_.now(tx));
    const std::string text = codec::to_text(criteria_json(criteria));
    TRY_DONE(tx.run("INSERT INTO govern_criteria (record, number, body, at, author) VALUES (?, ?, ?, ?, ?)",
                    {id, criteria.number, text, milliseconds(criteria.at), caller.name}));
    return decisions_.append(tx,
                             {.actor = caller.name,
                              .action = criteria.number == 1 ? "criteria.set" : "criteria.amended",
                              .record = id,
                              .details = {{"number", std::to_string(criteria.number)}, {"criteria", text}}});
  }));
  return criteria;
}

Result<std::vector<Criteria>> Records::criteria(const identity::Caller& caller, const std::string& id) const {
  TRY_DONE(find(caller, id));
  return database_.read<std::vector<Criteria>>([&](sql::Transaction& tx) { return criteria_of(tx, id); });
}

Status Records::freeze(sql::Transaction& tx, const std::string& id, std::string_view actor,
                       std::string_view reason) const {
  TRY(const WallTime now, decisions_.now(tx));
  TRY_DONE(tx.run(
      "UPDATE govern_records SET frozen = 1, frozen_why = ?, frozen_by = ?, frozen_at = ? WHERE id = ?",
      {reason, actor, milliseconds(now), id}));
  return decisions_.append(tx, {.actor = std::string(actor),
                                .action = "record.frozen",
                                .record = id,
                                .details = {{"reason", std::string(reason)}}});
}

Status Records::set_frozen(const identity::Caller& caller, const std::string& id, Freezing what,
                           std::string_view reason) {
  TRY(const StoredRecord stored, access_.seen(database_, caller, id));
  TRY_DONE(access_.check_operate(database_, caller, stored));
  TRY_DONE(check_reason(reason));
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const StoredRecord now_is, record_named(tx, id));
    const bool freezes = what == Freezing::freeze;
    if (now_is.freeze.has_value() == freezes)
      return fail(Code::conflict, freezes ? "releases are frozen already" : "releases are not frozen");
    if (freezes) return freeze(tx, id, caller.name, reason);
    TRY_DONE(tx.run("UPDATE govern_records SET frozen = 0 WHERE id = ?", {id}));
    return decisions_.append(tx, {.actor = caller.name,
                                  .action = "record.unfrozen",
                                  .record = id,
                                  .details = {{"reason", std::string(reason)}}});
  });
}

}  // namespace holdfast::govern
