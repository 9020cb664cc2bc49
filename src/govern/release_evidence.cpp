// The half of Releases that takes and gives evidence.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "govern/comparison.h"
#include "govern/evaluation_rows.h"
#include "govern/releases.h"
#include "govern/rows.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr size_t body_bytes_max = 1 << 20, rows_bytes_max = 16 << 20;
constexpr std::array<std::string_view, 4> by_anyone = {"evaluation", "load", "bias", "triggers"};
constexpr std::array<std::string_view, 4> by_role = {"security", "legal", "compliance", "privacy"};

std::string hex_digest(std::string_view text) { return codec::to_hex(codec::sha256(as_bytes(text))); }

// What the digest covers: the body and, by their own digest, the rows.
std::string digest_of(std::string_view kind, std::string_view body, std::string_view rows_digest) {
  return hex_digest(fmt::format("{}\n{}\n{}\n", kind, body, rows_digest));
}

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

Status check_evaluation(const ReleaseParts& parts, const identity::Caller& caller, const Release& release,
                        const NewEvidence& wish) {
  for (const char* field : {"model", "revision", "dataset", "dataset_revision", "began", "metric_code"})
    TRY_DONE(codec::json_text(wish.body, field));
  TRY(const std::string_view model, codec::json_text(wish.body, "model"));
  TRY(const std::string_view revision, codec::json_text(wish.body, "revision"));
  if (model != release.model || revision != release.revision)
    return fail(Reason::bad_request,
                fmt::format("'revision': the evaluation is of {}@{}, the release is {}@{}", model, revision,
                            release.model, release.revision));
  TRY(const std::string_view began, codec::json_text(wish.body, "began"));
  TRY_DONE(parse_time(began));
  TRY(const std::string_view dataset, codec::json_text(wish.body, "dataset"));
  TRY(const std::string_view dataset_revision, codec::json_text(wish.body, "dataset_revision"));
  TRY_DONE(parts.check_dataset(caller, dataset, dataset_revision));
  return check_evaluation_rows(wish.body, wish.rows);
}

}  // namespace

Status Releases::insert_evidence(sql::Transaction& tx, const std::string& record, Evidence& evidence,
                                 const std::string& rows) const {
  TRY(evidence.at, parts_.decisions.now(tx));
  const std::string body = codec::to_text(evidence.body);
  evidence.rows_digest = hex_digest(rows);
  evidence.digest = digest_of(evidence.kind, body, evidence.rows_digest);
  TRY_DONE(
      tx.query("INSERT INTO govern_evidence (record, release, kind, digest, body, rows_digest, rows_count, "
               "rows_text, at, author) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
               {record, evidence.release, evidence.kind, evidence.digest, body, evidence.rows_digest,
                evidence.rows, rows, milliseconds(evidence.at), evidence.by},
               [&](const sql::Row& row) {
                 evidence.id = row.integer(0);
                 return true;
               }));
  return parts_.decisions.append(tx, {.actor = evidence.by,
                                      .action = "evidence.added",
                                      .record = record,
                                      .release = evidence.release,
                                      .details = {{"kind", evidence.kind},
                                                  {"evidence", std::to_string(evidence.id)},
                                                  {"digest", evidence.digest}}});
}

Result<Evidence> Releases::add_evidence(const identity::Caller& caller, const std::string& record,
                                        int64_t number, const NewEvidence& wish, const AlsoKept& also) {
  TRY(const StoredRecord stored, parts_.access.seen(parts_.database, caller, record));
  const bool signed_by_role = holds(by_role, wish.kind);
  if (!signed_by_role && !holds(by_anyone, wish.kind))
    return fail(
        Reason::bad_request,
        fmt::format("'kind': {} is evaluation, load, bias, triggers, security, legal, compliance or privacy; "
                    "licence, scan, card, comparison and golden are found out by the server",
                    wish.kind));
  if (!signed_by_role) TRY_DONE(parts_.access.check_change(caller, stored.record.ns()));
  json::array rows;
  for (const json::object& row : wish.rows) rows.emplace_back(row);
  const std::string rows_text = codec::to_text(rows);
  if (rows_text.size() > rows_bytes_max || codec::to_text(wish.body).size() > body_bytes_max)
    return fail(Reason::body_too_large, "evidence has at most 1 MiB, its rows 16 MiB");
  Evidence evidence{.release = number,
                    .kind = wish.kind,
                    .by = caller.name,
                    .rows = static_cast<int64_t>(wish.rows.size()),
                    .body = wish.body};
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const Facts facts, facts_of(tx, record, number, now));
    if (facts.release.state == ReleaseState::retired)
      return fail(Code::conflict, "a retired release takes no evidence");
    if (signed_by_role) TRY_DONE(check_approver(tx, caller, facts, wish.kind));
    return Done{};
  }));
  if (wish.kind == "evaluation") {
    TRY(const Release release, parts_.database.read<Release>([&](sql::Transaction& tx) {
      return release_numbered(tx, record, number);
    }));
    TRY_DONE(check_evaluation(parts_.parts, caller, release, wish));
  } else if (wish.kind != "load") {
    TRY_DONE(codec::json_text(wish.body, "verdict"));
  }
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(insert_evidence(tx, record, evidence, rows_text));
    if (wish.kind == "evaluation") TRY_DONE(compare(tx, record, evidence, rows));
    return also ? also(tx, evidence) : Status(Done{});
  }));
  return evidence;
}

// An evaluation is compared with the newest one of the release that answers now, on the rows that both have.
Status Releases::compare(sql::Transaction& tx, const std::string& record, const Evidence& evaluation,
                         const json::array& rows) const {
  TRY(const std::optional<Release> stable, release_in(tx, record, ReleaseState::deployed));
  if (!stable || stable->number == evaluation.release) return Done{};
  int64_t id = 0;
  std::string body_text, rows_text;
  TRY_DONE(
      tx.query("SELECT id, body, rows_text FROM govern_evidence WHERE record = ? AND release = ? AND kind = "
               "'evaluation' ORDER BY id DESC LIMIT 1",
               {record, stable->number}, [&](const sql::Row& row) {
                 id = row.integer(0);
                 body_text = row.text(1);
                 rows_text = row.text(2);
                 return false;
               }));
  if (id == 0) return Done{};
  TRY(const json::object body, codec::parse_json_object(body_text));
  TRY(const json::value baseline_rows, codec::parse_json(rows_text, {.bytes_max = rows_bytes_max + 1}));
  const auto counts = compare_rows({evaluation.body, rows}, {body, baseline_rows.as_array()});
  if (!counts) return Done{};
  Evidence comparison{.release = evaluation.release,
                      .kind = "comparison",
                      .by = "(server)",
                      .body = {{"baseline", stable->number},
                               {"baseline_evaluation", id},
                               {"evaluation", evaluation.id},
                               {"rows", counts->rows},
                               {"only_candidate", counts->only_candidate},
                               {"only_baseline", counts->only_baseline}}};
  return insert_evidence(tx, record, comparison, "[]");
}

Result<Evidence> Releases::add_golden_run(const std::string& record, int64_t number, const json::object& body,
                                          const json::array& rows, std::string_view actor) {
  const std::string rows_text = codec::to_text(rows);
  Evidence evidence{.release = number,
                    .kind = "golden",
                    .by = std::string(actor),
                    .rows = static_cast<int64_t>(rows.size()),
                    .body = body};
  TRY_DONE(parts_.database.write(
      [&](sql::Transaction& tx) { return insert_evidence(tx, record, evidence, rows_text); }));
  return evidence;
}

Result<Releases::FullEvidence> Releases::find_evidence(const identity::Caller& caller, int64_t id) const {
  FullEvidence full;
  std::string body;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query(
        "SELECT id, release, kind, digest, rows_digest, author, rows_count, at, body, rows_text, record "
        "FROM govern_evidence WHERE id = ?",
        {id}, [&](const sql::Row& row) {
          full.evidence = evidence_row(row);
          body = row.text(8);
          full.rows = row.text(9);
          full.record = row.text(10);
          return false;
        });
  }));
  if (full.evidence.id == 0) return fail(Code::not_found, fmt::format("there is no evidence {}", id));
  const auto visible = parts_.access.seen(parts_.database, caller, full.record);
  if (!visible.ok()) return fail(Code::not_found, fmt::format("there is no evidence {}", id));
  const Evidence& evidence = full.evidence;
  if (hex_digest(full.rows) != evidence.rows_digest ||
      digest_of(evidence.kind, body, evidence.rows_digest) != evidence.digest)
    return fail(Reason::data_corrupt, fmt::format("evidence {} is not what was stored", id));
  TRY(full.evidence.body, codec::parse_json_object(body));
  return full;
}

}  // namespace holdfast::govern
