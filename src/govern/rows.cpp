#include "govern/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 4> exception_states = {"proposed", "live", "expired", "ended"};
constexpr std::string_view record_columns =
    "body, repo, source, digest, changed, changed_by, frozen, frozen_why, frozen_by, frozen_at";
constexpr std::string_view release_columns =
    "record, number, state, repo, model, revision, digest, parts, note, author, authors, at, since, percent, "
    "exception";
constexpr std::string_view exception_columns =
    "id, record, release, state, reason, proposed_by, confirmed_by, at, expires";
constexpr int64_t listed_max = 10'000;

Result<StoredRecord> record_of(const sql::Row& row) {
  StoredRecord stored;
  TRY(const json::object body, codec::parse_json_object(row.text(0)));
  ReadRecord read = read_record(body);
  stored.record = std::move(read.record);
  stored.repository = row.integer(1);
  stored.source = row.text(2);
  stored.digest = row.text(3);
  stored.changed = time_of(row.integer(4));
  stored.changed_by = row.text(5);
  if (row.integer(6) != 0) stored.freeze = Freeze{row.text(7), row.text(8), time_of(row.integer(9))};
  return stored;
}

Result<Release> release_of(const sql::Row& row) {
  Release release{.record = row.text(0), .number = row.integer(1)};
  const auto state = state_of(row.text(2));
  if (!state) return fail(Reason::data_corrupt, "a stored release has an unknown state");
  release.state = *state;
  release.repository = row.integer(3);
  release.model = row.text(4);
  release.revision = row.text(5);
  release.digest = row.text(6);
  TRY(release.parts, codec::parse_json_object(row.text(7)));
  release.note = row.text(8);
  release.author = row.text(9);
  TRY(const json::value authors, codec::parse_json(row.text(10)));
  if (authors.is_array())
    for (const json::value& author : authors.get_array())
      if (author.is_string()) release.authors.emplace_back(author.get_string());
  release.at = time_of(row.integer(11));
  release.since = time_of(row.integer(12));
  release.percent = row.real(13);
  release.exception = row.integer(14);
  return release;
}

Result<Exception> exception_of(const sql::Row& row) {
  Exception exception{.id = row.integer(0),
                      .release = row.integer(2),
                      .record = row.text(1),
                      .reason = row.text(4),
                      .proposed_by = row.text(5),
                      .confirmed_by = row.text(6)};
  for (size_t i = 0; i < exception_states.size(); ++i)
    if (exception_states[i] == row.text(3)) exception.state = static_cast<ExceptionState>(i);
  exception.at = time_of(row.integer(7));
  exception.expires = time_of(row.integer(8));
  return exception;
}

// Reads all rows by `read`, and stops with the first that cannot be read.
template <class T>
Result<std::vector<T>> select(sql::Transaction& tx, const std::string& sql,
                              std::initializer_list<sql::Value> values, Result<T> (*read)(const sql::Row&)) {
  std::vector<T> out;
  Status broken = Done{};
  TRY_DONE(tx.query(sql, values, [&](const sql::Row& row) {
    auto one = read(row);
    if (one.ok())
      out.push_back(std::move(one).value());
    else
      broken = std::move(one).error();
    return broken.ok();
  }));
  TRY_DONE(std::move(broken));
  return out;
}

Result<Criterion> criterion_of(const json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "'metrics' holds objects");
  const json::object& object = value.get_object();
  Criterion criterion;
  TRY(criterion.metric, codec::json_text(object, "name"));
  TRY(criterion.at_least, codec::json_number_if(object, "at_least"));
  TRY(criterion.at_most, codec::json_number_if(object, "at_most"));
  TRY(criterion.margin, codec::json_number_if(object, "margin"));
  TRY(const auto slice, codec::json_text_if(object, "slice"));
  criterion.slice = slice.value_or("");
  if (!criterion.at_least && !criterion.at_most && !criterion.margin)
    return fail(Reason::bad_request, fmt::format("'{}' needs at_least, at_most or margin", criterion.metric));
  if (criterion.margin && !(*criterion.margin > 0 && *criterion.margin < 1))
    return fail(Reason::bad_request, "'margin' is between 0 and 1");
  return criterion;
}

}  // namespace

int64_t milliseconds(WallTime time) { return time.time_since_epoch().count(); }
WallTime time_of(int64_t milliseconds) { return WallTime{std::chrono::milliseconds{milliseconds}}; }

std::string_view exception_state_name(ExceptionState state) {
  return exception_states[static_cast<size_t>(state)];
}

Result<StoredRecord> record_named(sql::Transaction& tx, const std::string& id) {
  TRY(std::vector<StoredRecord> found,
      select<StoredRecord>(tx, fmt::format("SELECT {} FROM govern_records WHERE id = ?", record_columns),
                           {id}, record_of));
  if (found.empty()) return fail(Code::not_found, fmt::format("there is no record '{}'", id));
  return std::move(found.front());
}

Result<std::vector<StoredRecord>> all_records(sql::Transaction& tx) {
  return select<StoredRecord>(
      tx, fmt::format("SELECT {} FROM govern_records ORDER BY id LIMIT ?", record_columns), {listed_max},
      record_of);
}

Result<Release> release_numbered(sql::Transaction& tx, const std::string& record, int64_t number) {
  TRY(std::vector<Release> found,
      select<Release>(
          tx, fmt::format("SELECT {} FROM govern_releases WHERE record = ? AND number = ?", release_columns),
          {record, number}, release_of));
  if (found.empty()) return fail(Code::not_found, fmt::format("{} has no release {}", record, number));
  return std::move(found.front());
}

Result<std::vector<Release>> releases_of(sql::Transaction& tx, const std::string& record) {
  return select<Release>(
      tx,
      fmt::format("SELECT {} FROM govern_releases WHERE record = ? ORDER BY number DESC LIMIT ?",
                  release_columns),
      {record, listed_max}, release_of);
}

Result<std::optional<Release>> release_in(sql::Transaction& tx, const std::string& record,
                                          ReleaseState state) {
  TRY(std::vector<Release> found,
      select<Release>(tx,
                      fmt::format("SELECT {} FROM govern_releases WHERE record = ? AND state = ? "
                                  "ORDER BY since DESC, number DESC LIMIT 1",
                                  release_columns),
                      {record, state_name(state)}, release_of));
  return found.empty() ? std::optional<Release>() : std::optional(std::move(found.front()));
}

Status set_state(sql::Transaction& tx, const Release& release, ReleaseState to, WallTime now, double percent,
                 int64_t exception) {
  TRY_DONE(
      tx.run("UPDATE govern_releases SET state = ?, since = ?, percent = ?, exception = ? "
             "WHERE record = ? AND number = ?",
             {state_name(to), milliseconds(now), percent, exception, release.record, release.number}));
  return Done{};
}

Result<Criteria> parse_criteria(const json::object& body) {
  Criteria criteria;
  TRY(const json::array* metrics, codec::json_array_if(body, "metrics"));
  if (metrics != nullptr) {
    if (metrics->size() > 200) return fail(Reason::bad_request, "these are too many criteria");
    for (const json::value& value : *metrics) {
      TRY(Criterion criterion, criterion_of(value));
      criteria.metrics.push_back(std::move(criterion));
    }
  }
  TRY(const auto rows, codec::json_integer_if(body, "rows_min"));
  criteria.rows_min = std::max<int64_t>(rows.value_or(0), 0);
  TRY(const json::object* categories, codec::json_object_if(body, "categories_min"));
  if (categories != nullptr)
    for (const auto& [name, value] : *categories) {
      TRY(const int64_t least, codec::json_integer(*categories, name));
      criteria.categories_min.emplace_back(name, least);
    }
  if (criteria.metrics.empty() && criteria.rows_min == 0 && criteria.categories_min.empty())
    return fail(Reason::bad_request, "criteria ask for something: 'metrics', 'rows_min' or 'categories_min'");
  return criteria;
}

json::object criteria_json(const Criteria& criteria) {
  json::array metrics;
  for (const Criterion& criterion : criteria.metrics) {
    json::object one{{"name", criterion.metric}};
    if (criterion.at_least) one["at_least"] = *criterion.at_least;
    if (criterion.at_most) one["at_most"] = *criterion.at_most;
    if (criterion.margin) one["margin"] = *criterion.margin;
    if (!criterion.slice.empty()) one["slice"] = criterion.slice;
    metrics.push_back(std::move(one));
  }
  json::object categories;
  for (const auto& [name, least] : criteria.categories_min) categories[name] = least;
  return {{"metrics", std::move(metrics)},
          {"rows_min", criteria.rows_min},
          {"categories_min", std::move(categories)}};
}

Result<std::vector<Criteria>> criteria_of(sql::Transaction& tx, const std::string& record) {
  return select<Criteria>(
      tx, "SELECT number, body, at, author FROM govern_criteria WHERE record = ? ORDER BY number", {record},
      +[](const sql::Row& row) -> Result<Criteria> {
        TRY(const json::object body, codec::parse_json_object(row.text(1)));
        TRY(Criteria criteria, parse_criteria(body));
        criteria.number = row.integer(0);
        criteria.at = time_of(row.integer(2));
        criteria.by = row.text(3);
        return criteria;
      });
}

Evidence evidence_row(const sql::Row& row) {
  return {.id = row.integer(0),
          .release = row.integer(1),
          .kind = row.text(2),
          .digest = row.text(3),
          .rows_digest = row.text(4),
          .by = row.text(5),
          .rows = row.integer(6),
          .at = time_of(row.integer(7))};
}

Result<std::vector<Evidence>> evidence_of(sql::Transaction& tx, const std::string& record, int64_t release) {
  return select<Evidence>(
      tx,
      "SELECT id, release, kind, digest, rows_digest, author, rows_count, at, body FROM "
      "govern_evidence WHERE record = ? AND release = ? ORDER BY id",
      {record, release}, +[](const sql::Row& row) -> Result<Evidence> {
        Evidence evidence = evidence_row(row);
        TRY(evidence.body, codec::parse_json_object(row.text(8)));
        return evidence;
      });
}

Result<std::vector<Approval>> approvals_of(sql::Transaction& tx, const std::string& record, int64_t release) {
  return select<Approval>(
      tx,
      "SELECT user_name, role, reason, at, newcomer FROM govern_approvals "
      "WHERE record = ? AND release = ? ORDER BY at, role",
      {record, release}, +[](const sql::Row& row) -> Result<Approval> {
        return Approval{row.text(0), row.text(1), row.text(2), time_of(row.integer(3)), row.integer(4) != 0};
      });
}

Result<Exception> exception_numbered(sql::Transaction& tx, int64_t id) {
  TRY(std::vector<Exception> found,
      select<Exception>(tx, fmt::format("SELECT {} FROM govern_exceptions WHERE id = ?", exception_columns),
                        {id}, exception_of));
  if (found.empty()) return fail(Code::not_found, fmt::format("there is no exception {}", id));
  return std::move(found.front());
}

Result<std::vector<Exception>> exceptions_of(sql::Transaction& tx, const std::string& record,
                                             std::optional<int64_t> release) {
  return select<Exception>(
      tx,
      fmt::format("SELECT {} FROM govern_exceptions WHERE record = ? AND (? < 0 OR release = ?) "
                  "ORDER BY id LIMIT ?",
                  exception_columns),
      {record, release.value_or(-1), release.value_or(-1), listed_max}, exception_of);
}

Result<std::vector<int64_t>> golden_of(sql::Transaction& tx, const std::string& record) {
  return select<int64_t>(
      tx, "SELECT id FROM govern_golden WHERE record = ? ORDER BY id", {record},
      +[](const sql::Row& row) -> Result<int64_t> { return row.integer(0); });
}

Result<Facts> facts_of(sql::Transaction& tx, const std::string& record, int64_t release, WallTime now) {
  Facts facts;
  facts.now = now;
  TRY(StoredRecord stored, record_named(tx, record));
  facts.record = std::move(stored.record);
  facts.freeze = std::move(stored.freeze);
  TRY(facts.release, release_numbered(tx, record, release));
  TRY(facts.criteria, criteria_of(tx, record));
  TRY(facts.evidence, evidence_of(tx, record, release));
  TRY(facts.approvals, approvals_of(tx, record, release));
  TRY(facts.golden, golden_of(tx, record));
  TRY(const std::optional<Release> stable, release_in(tx, record, ReleaseState::deployed));
  if (stable && stable->number != release) facts.stable = stable->number;
  TRY(std::vector<Exception> exceptions, exceptions_of(tx, record, release));
  for (Exception& exception : exceptions)
    if (exception.state == ExceptionState::live && exception.expires > now)
      facts.exception = std::move(exception);
  const std::string ns(facts.record.ns());
  TRY_DONE(tx.query("SELECT user_name, role FROM govern_roles WHERE ns = ? AND state = 'granted'", {ns},
                    [&](const sql::Row& row) {
                      const auto& authors = facts.release.authors;
                      if (std::find(authors.begin(), authors.end(), row.text(0)) == authors.end())
                        facts.roles_held.push_back(row.text(1));
                      return true;
                    }));
  return facts;
}

}  // namespace holdfast::govern
