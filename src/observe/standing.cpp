#include "observe/standing.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "govern/gates.h"
#include "sql/database.h"

namespace holdfast::observe {
namespace {

using govern::Evidence;
using govern::Governed;
using govern::Release;

// The newest evaluation, where the gate that judges it passes.
const Evidence* passed_evaluation(const govern::Facts& facts) {
  if (govern::evaluation_gate(facts).state != govern::GateState::passed) return nullptr;
  const auto newest = std::find_if(facts.evidence.rbegin(), facts.evidence.rend(),
                                   [](const Evidence& one) { return one.kind == "evaluation"; });
  return newest == facts.evidence.rend() ? nullptr : &*newest;
}

std::optional<double> accuracy_of(const Evidence& evaluation) {
  const auto metrics = codec::json_object_if(evaluation.body, "metrics");
  if (!metrics.ok() || metrics.value() == nullptr) return std::nullopt;
  const auto accuracy = codec::json_object_if(*metrics.value(), "accuracy");
  if (!accuracy.ok() || accuracy.value() == nullptr) return std::nullopt;
  const auto value = codec::json_number_if(*accuracy.value(), "value");
  return value.ok() ? value.value() : std::nullopt;
}

MetricLabels labels_of(const Series& series) {
  return {{"endpoint", series.endpoint}, {"version", series.version}};
}

std::string name_of(const Release& release) { return release.record + "/" + std::to_string(release.number); }

}  // namespace

Standing::Standing(const Parts& parts)
    : parts_(parts),
      incidents_(parts.database, parts.decisions),
      audited_(parts.metrics.gauge("holdfast_licence_audited_releases",
                                   "Live releases whose licences were looked at again.")),
      pass_ratio_(parts.metrics.gauge("holdfast_licence_audit_pass_ratio",
                                      "Share of live releases whose licences allow their use now.")),
      failures_(parts.metrics.counter("holdfast_licence_audit_failures_total",
                                      "Live releases found with a licence that allows it no more.")) {
  pass_ratio_.set(1);
}

void Standing::set_accuracy(const Series& series, const char* source, double accuracy, int64_t rows) {
  MetricLabels labels = labels_of(series);
  labels.emplace_back("source", source);
  parts_.metrics
      .gauge("holdfast_serve_accuracy_ratio",
             "Share that was right: of the evaluation's rows, and of labels.", labels)
      .set(accuracy);
  parts_.metrics.gauge("holdfast_serve_accuracy_samples", "Rows or labels behind the accuracy.", labels)
      .set(static_cast<double>(rows));
}

Status Standing::count_labels(const Release& release, const Series& series) {
  int64_t predictions = 0, labels = 0, right = 0;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    return tx.query(
        "SELECT COUNT(*), COALESCE(SUM(CASE WHEN truth <> '' THEN 1 ELSE 0 END), 0), "
        "COALESCE(SUM(CASE WHEN truth = label THEN 1 ELSE 0 END), 0) FROM govern_predictions WHERE record = "
        "? AND release = ?",
        {release.record, release.number}, [&](const sql::Row& row) {
          predictions = row.integer(0);
          labels = row.integer(1);
          right = row.integer(2);
          return false;
        });
  }));
  if (predictions == 0) return Done{};
  parts_.metrics
      .gauge("holdfast_serve_label_coverage_ratio", "Share of predictions whose truth is known.",
             labels_of(series))
      .set(static_cast<double>(labels) / static_cast<double>(predictions));
  if (labels > 0)
    set_accuracy(series, "online", static_cast<double>(right) / static_cast<double>(labels), labels);
  return Done{};
}

Status Standing::refresh_one(const Governed& governed, const Release& release) {
  const Series series = parts_.names.of_release(governed.stored.record.id, release.number);
  const WallTime now = parts_.clock.wall();
  TRY(const govern::Facts facts, parts_.database.read<govern::Facts>([&](sql::Transaction& tx) {
    return govern::facts_of(tx, release.record, release.number, now);
  }));
  const Evidence* passed = passed_evaluation(facts);
  const WallTime since = passed == nullptr ? release.at : passed->at;
  parts_.metrics
      .gauge("holdfast_serve_staleness_seconds",
             "Since the newest evaluation that passed; since it was registered where none did.",
             labels_of(series))
      .set(std::max(0.0, std::chrono::duration<double>(now - since).count()));
  if (passed != nullptr)
    if (const auto accuracy = accuracy_of(*passed)) set_accuracy(series, "offline", *accuracy, passed->rows);
  return count_labels(release, series);
}

// A verdict that is for a person passes where one signed for the same; whatever else fails has its incident.
Result<bool> Standing::audit_one(const Governed& governed, const Release& release) {
  TRY(const LicenceAudit found, parts_.auditor.audit(governed.stored.record, release));
  bool passes = found.verdict == LicenceAudit::Verdict::pass;
  if (found.verdict == LicenceAudit::Verdict::review) {
    const WallTime now = parts_.clock.wall();
    TRY(const govern::Facts facts, parts_.database.read<govern::Facts>([&](sql::Transaction& tx) {
      return govern::facts_of(tx, release.record, release.number, now);
    }));
    passes = govern::signed_for(facts, found.why);
  }
  if (passes) {
    TRY_DONE(incidents_.passed(release));
  } else {
    TRY_DONE(incidents_.failed(release, found.why));
  }
  return passes;
}

Status Standing::audit(const govern::LiveSnapshot& live) {
  const bool due = parts_.clock.now() >= audit_at_;
  std::map<std::string, bool> passed;
  for (const Governed& governed : live.records)
    for (const Release& release : governed.releases) {
      if (!govern::is_live(release.state)) continue;
      const std::string name = name_of(release);
      const auto known = passed_.find(name);
      if (known != passed_.end() && !due) {
        passed.insert(*known);
        continue;
      }
      TRY(const bool passes, audit_one(governed, release));
      if (!passes && (known == passed_.end() || known->second)) {
        failures_.add();
        parts_.log.warn("licence_audit_failed",
                        {{"record", governed.stored.record.id}, {"release", release.number}});
      }
      passed[name] = passes;
    }
  if (due) audit_at_ = parts_.clock.now() + audit_step;
  passed_ = std::move(passed);
  const auto good = std::count_if(passed_.begin(), passed_.end(), [](const auto& one) { return one.second; });
  audited_.set(static_cast<double>(passed_.size()));
  pass_ratio_.set(passed_.empty() ? 1 : static_cast<double>(good) / static_cast<double>(passed_.size()));
  return Done{};
}

Status Standing::refresh() {
  TRY(const auto live, parts_.live.look());
  for (const Governed& governed : live->records)
    for (const Release& release : governed.releases)
      if (govern::is_live(release.state)) TRY_DONE(refresh_one(governed, release));
  return audit(*live);
}

}  // namespace holdfast::observe
