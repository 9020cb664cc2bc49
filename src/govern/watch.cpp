#include "govern/watch.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <map>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

namespace json = boost::json;

constexpr int64_t samples_max = 50;           // Failing samples that an incident names.
constexpr int64_t latency_requests_min = 50;  // Fewer say nothing about a percentile.
constexpr int64_t labels_min = 10;            // Of the canary, before it may be called worse.
constexpr std::string_view watcher = "(watch)";

Status count_requests(sql::Transaction& tx, const std::string& record, WallTime since, SideFigures& side) {
  TRY_DONE(
      tx.query("SELECT COUNT(*), COALESCE(SUM(CASE WHEN status >= 500 THEN 1 ELSE 0 END), 0) FROM "
               "govern_requests WHERE record = ? AND release = ? AND at >= ?",
               {record, side.release, milliseconds(since)}, [&](const sql::Row& row) {
                 side.requests = row.integer(0);
                 side.errors = row.integer(1);
                 return false;
               }));
  if (side.requests == 0) return Done{};
  const int64_t rank = (side.requests * 95 + 99) / 100 - 1;
  return tx.query(
      "SELECT took FROM govern_requests WHERE record = ? AND release = ? AND at >= ? ORDER BY took "
      "LIMIT 1 OFFSET ?",
      {record, side.release, milliseconds(since), rank}, [&](const sql::Row& row) {
        side.p95_ms = row.integer(0);
        return false;
      });
}

using Shares = std::map<std::string, int64_t>;

Status count_predictions(sql::Transaction& tx, const std::string& record, WallTime since, SideFigures& side,
                         Shares& labels) {
  double score = 0;
  int64_t all = 0;
  TRY_DONE(
      tx.query("SELECT label, COUNT(*), SUM(score), SUM(CASE WHEN truth <> '' THEN 1 ELSE 0 END), "
               "SUM(CASE WHEN truth = label THEN 1 ELSE 0 END) FROM govern_predictions "
               "WHERE record = ? AND release = ? AND at >= ? GROUP BY label",
               {record, side.release, milliseconds(since)}, [&](const sql::Row& row) {
                 labels[row.text(0)] += row.integer(1);
                 all += row.integer(1);
                 score += row.real(2);
                 side.labels += row.integer(3);
                 side.correct += row.integer(4);
                 return true;
               }));
  side.mean_confidence = all == 0 ? 0 : score / static_cast<double>(all);
  return Done{};
}

double total_variation(const Shares& left, const Shares& right) {
  double left_all = 0, right_all = 0, sum = 0;
  for (const auto& [label, count] : left) left_all += static_cast<double>(count);
  for (const auto& [label, count] : right) right_all += static_cast<double>(count);
  if (left_all == 0 || right_all == 0) return 0;
  Shares all = left;
  all.insert(right.begin(), right.end());
  for (const auto& [label, ignored] : all) {
    const auto of = [&](const Shares& shares, double total) {
      const auto found = shares.find(label);
      return found == shares.end() ? 0 : static_cast<double>(found->second) / total;
    };
    sum += std::abs(of(left, left_all) - of(right, right_all));
  }
  return sum / 2;
}

SplitFigures split_by_labels(const WatchFigures& figures) {
  return {.stable = figures.stable.labels,
          .stable_wrong = figures.stable.labels - figures.stable.correct,
          .canary = figures.canary.labels,
          .canary_wrong = figures.canary.labels - figures.canary.correct};
}

void decide(const Record& record, const Release& canary, WatchFigures& figures) {
  const double share = canary.percent / 100;
  figures.threshold = 1 / record.false_alarms_max;
  const SplitFigures labels = split_by_labels(figures);
  figures.statistic = canary_evidence(labels, share);
  const double drop = labels.stable_share() - labels.canary_share();
  const auto worse = [&](std::string cause) {
    figures.decided = WatchFigures::Decided::worse;
    figures.cause = std::move(cause);
  };
  if (figures.statistic >= figures.threshold && labels.canary >= labels_min &&
      drop > record.accuracy_drop_max)
    return worse(fmt::format("accuracy fell from {:.1f} % to {:.1f} %", 100 * labels.stable_share(),
                             100 * labels.canary_share()));
  const SplitFigures errors{.stable = figures.stable.requests,
                            .stable_wrong = figures.stable.errors,
                            .canary = figures.canary.requests,
                            .canary_wrong = figures.canary.errors};
  if (canary_evidence(errors, share) >= figures.threshold && figures.canary.errors >= 3)
    return worse(fmt::format("{} of {} requests failed", figures.canary.errors, figures.canary.requests));
  if (record.p95_ms_max && figures.canary.p95_ms && figures.canary.requests >= latency_requests_min &&
      static_cast<double>(*figures.canary.p95_ms) > *record.p95_ms_max)
    return worse(fmt::format("p95 is {} ms, above {:.0f}", *figures.canary.p95_ms, *record.p95_ms_max));
}

Incident incident_of(const sql::Row& row) {
  Incident incident{.id = row.integer(0),
                    .record = row.text(1),
                    .state = row.text(2),
                    .cause = row.text(3),
                    .opened = time_of(row.integer(4)),
                    .closed = time_of(row.integer(5))};
  auto body = codec::parse_json_object(row.text(6));
  if (body.ok()) incident.body = std::move(body).value();
  return incident;
}
constexpr std::string_view incident_columns = "id, record, state, cause, opened, closed, body";

json::object side_json(const SideFigures& side) {
  return {{"release", side.release},
          {"requests", side.requests},
          {"errors", side.errors},
          {"labels", side.labels},
          {"correct", side.correct},
          {"accuracy", side.labels == 0 ? json::value(nullptr)
                                        : json::value(static_cast<double>(side.correct) /
                                                      static_cast<double>(side.labels))},
          {"mean_confidence", side.mean_confidence},
          {"p95_ms", side.p95_ms ? json::value(*side.p95_ms) : json::value(nullptr)}};
}

json::object moment(WallTime at, std::string what) {
  return {{"at", format_time(at)}, {"what", std::move(what)}};
}

// The newest wrong answers of the canary.
Result<json::array> failing_samples(sql::Transaction& tx, const Release& canary) {
  json::array samples;
  TRY_DONE(tx.query(
      "SELECT request, item, label, truth FROM govern_predictions WHERE record = ? AND release = ? AND "
      "truth <> '' AND truth <> label AND at >= ? ORDER BY labelled DESC LIMIT ?",
      {canary.record, canary.number, milliseconds(canary.since), samples_max}, [&](const sql::Row& row) {
        samples.push_back(json::object{{"request", row.text(0)},
                                       {"item", row.integer(1)},
                                       {"label", row.text(2)},
                                       {"truth", row.text(3)}});
        return true;
      }));
  return samples;
}

}  // namespace

json::object figures_json(const WatchFigures& figures, double false_alarms_max) {
  return {{"stable", side_json(figures.stable)},
          {"canary", side_json(figures.canary)},
          {"test",
           json::object{{"name", "mixture likelihood ratio of wrong answers by side of the split"},
                        {"statistic", figures.statistic},
                        {"threshold", figures.threshold},
                        {"decided", figures.decided == WatchFigures::Decided::worse ? "worse" : "running"},
                        {"cause", figures.cause},
                        {"false_alarms_max", false_alarms_max}}},
          {"proxies", json::object{{"confidence_shift", figures.confidence_shift},
                                   {"disagreement", figures.disagreement}}}};
}

Result<WatchFigures> Watch::measure(sql::Transaction& tx, const Record& record, const Release& stable,
                                    const Release& canary) {
  WatchFigures figures;
  figures.stable.release = stable.number;
  figures.canary.release = canary.number;
  Shares stable_labels, canary_labels;
  TRY_DONE(count_requests(tx, record.id, canary.since, figures.stable));
  TRY_DONE(count_requests(tx, record.id, canary.since, figures.canary));
  TRY_DONE(count_predictions(tx, record.id, canary.since, figures.stable, stable_labels));
  TRY_DONE(count_predictions(tx, record.id, canary.since, figures.canary, canary_labels));
  if (!stable_labels.empty() && !canary_labels.empty())
    figures.confidence_shift = figures.canary.mean_confidence - figures.stable.mean_confidence;
  figures.disagreement = total_variation(stable_labels, canary_labels);
  decide(record, canary, figures);
  return figures;
}

Result<std::optional<WatchFigures>> Watch::figures(const std::string& record) {
  TRY(const auto live, parts_.live.look());
  const Governed* governed = live->named(record);
  const Release* stable = governed == nullptr ? nullptr : governed->in(ReleaseState::deployed);
  const Release* canary = governed == nullptr ? nullptr : governed->in(ReleaseState::canary);
  if (stable == nullptr || canary == nullptr) return std::optional<WatchFigures>();
  TRY(WatchFigures figures, parts_.database.read<WatchFigures>([&](sql::Transaction& tx) {
    return measure(tx, governed->stored.record, *stable, *canary);
  }));
  return std::optional(std::move(figures));
}

Status Watch::look(const std::string& record) {
  std::lock_guard lock(mutex_);
  TRY(const auto live, parts_.live.look());
  const Governed* governed = live->named(record);
  const Release* stable = governed == nullptr ? nullptr : governed->in(ReleaseState::deployed);
  const Release* canary = governed == nullptr ? nullptr : governed->in(ReleaseState::canary);
  if (stable == nullptr || canary == nullptr) return Done{};
  TRY_DONE(parts_.requests.flush());
  TRY(const WatchFigures figures, parts_.database.read<WatchFigures>([&](sql::Transaction& tx) {
    return measure(tx, governed->stored.record, *stable, *canary);
  }));
  if (figures.decided == WatchFigures::Decided::running) return Done{};
  return take_back(*governed, *stable, *canary, figures);
}

Status Watch::take_back(const Governed& governed, const Release& stable, const Release& canary,
                        const WatchFigures& figures) {
  const auto begin = parts_.clock.now();
  const Record& record = governed.stored.record;
  int64_t id = 0;
  json::object body;
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const Release current, release_numbered(tx, record.id, canary.number));
    TRY(const int64_t restored, parts_.releases.roll_back(tx, record, current, 0, watcher, figures.cause));
    TRY(json::array samples, failing_samples(tx, canary));
    body = {{"versions",
             json::object{{"stable", stable.number}, {"canary", canary.number}, {"restored", restored}}},
            {"percent", canary.percent},
            {"revisions", json::object{{"stable", stable.revision}, {"canary", canary.revision}}},
            {"detected_after_ms", (now - canary.since).count()},
            {"samples", std::move(samples)},
            {"figures", figures_json(figures, record.false_alarms_max)},
            {"timeline", json::array{moment(canary.since, fmt::format("release {} entered the canary at {} %",
                                                                      canary.number, canary.percent)),
                                     moment(now, "the watch called it worse: " + figures.cause),
                                     moment(now, fmt::format("traffic returned to release {}", restored))}}};
    TRY_DONE(tx.query(
        "INSERT INTO govern_incidents (record, state, cause, opened, body) VALUES (?, 'open', ?, ?, ?) "
        "RETURNING id",
        {record.id, figures.cause, milliseconds(now), codec::to_text(body)}, [&](const sql::Row& row) {
          id = row.integer(0);
          return true;
        }));
    TRY_DONE(parts_.decisions.append(
        tx, {.actor = std::string(watcher),
             .action = "incident.opened",
             .record = record.id,
             .release = canary.number,
             .details = {{"incident", std::to_string(id)}, {"reason", figures.cause}}}));
    if (governed.stored.freeze) return Done{};
    return parts_.records.freeze(tx, record.id, watcher, fmt::format("incident {}: {}", id, figures.cause));
  }));
  // From the moment the figures were seen to the one from which every request goes back.
  body["restored_after_ms"] = (parts_.clock.now() - begin).count();
  parts_.log.warn("canary_rolled_back", {{"release", canary.number}, {"incident", id}});
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("UPDATE govern_incidents SET body = ? WHERE id = ?", {codec::to_text(body), id}));
    return Done{};
  });
}

Status Watch::tick() {
  TRY_DONE(parts_.requests.flush());
  TRY_DONE(parts_.exceptions.expire());
  TRY(const auto live, parts_.live.look());
  for (const Governed& governed : live->records)
    if (governed.in(ReleaseState::canary) != nullptr) TRY_DONE(look(governed.stored.record.id));
  return Done{};
}

Result<std::vector<Incident>> Watch::incidents(const identity::Caller& caller, const std::string& record,
                                               const std::string& state) {
  std::vector<Incident> all, seen;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    all.clear();
    return tx.query(
        fmt::format("SELECT {} FROM govern_incidents WHERE (? = '' OR record = ?) AND (? = '' OR state = ?) "
                    "ORDER BY id DESC LIMIT 200",
                    incident_columns),
        {record, record, state, state}, [&](const sql::Row& row) {
          all.push_back(incident_of(row));
          return true;
        });
  }));
  for (Incident& incident : all)
    if (parts_.access.seen(parts_.database, caller, incident.record).ok())
      seen.push_back(std::move(incident));
  return seen;
}

Result<Incident> Watch::incident(const identity::Caller& caller, int64_t id) {
  std::optional<Incident> found;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    found.reset();
    return tx.query(fmt::format("SELECT {} FROM govern_incidents WHERE id = ?", incident_columns), {id},
                    [&](const sql::Row& row) {
                      found = incident_of(row);
                      return false;
                    });
  }));
  if (!found || !parts_.access.seen(parts_.database, caller, found->record).ok())
    return fail(Code::not_found, fmt::format("there is no incident {}", id));
  return std::move(*found);
}

Result<Incident> Watch::close(const identity::Caller& caller, int64_t id, std::string_view reason) {
  TRY(const Incident known, incident(caller, id));
  TRY(const StoredRecord stored, parts_.access.seen(parts_.database, caller, known.record));
  TRY_DONE(parts_.access.check_operate(parts_.database, caller, stored));
  TRY_DONE(check_reason(reason));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.decisions.now(tx));
    TRY(const int64_t changed,
        tx.run("UPDATE govern_incidents SET state = 'closed', closed = ? WHERE id = ? AND "
               "state = 'open'",
               {milliseconds(now), id}));
    if (changed == 0) return fail(Code::conflict, "the incident is closed already");
    return parts_.decisions.append(
        tx, {.actor = caller.name,
             .action = "incident.closed",
             .record = known.record,
             .details = {{"incident", std::to_string(id)}, {"reason", std::string(reason)}}});
  }));
  return incident(caller, id);
}

}  // namespace holdfast::govern
