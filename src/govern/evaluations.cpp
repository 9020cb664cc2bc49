#include "govern/evaluations.h"

#include <fmt/format.h>

#include <algorithm>

#include "git/object_id.h"
#include "govern/registry.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::govern {
namespace {

constexpr int64_t unfinished_max = 32;
constexpr int64_t attempts_max = 3;

Refusal refused(std::string message, Missing missing) { return {std::move(message), {std::move(missing)}}; }

}  // namespace

Result<Evaluations::Dataset> Evaluations::find_dataset(const identity::Caller& caller, std::string_view name,
                                                       std::string_view revision) const {
  const Error missing = fail(Reason::repo_not_found, fmt::format("there is no data set {} here", name));
  const auto place = repo::parse_repo_name(repo::RepoType::dataset, name);
  if (!place.ok()) return missing;
  TRY(auto found,
      parts_.hub.repositories.find(repo::RepoType::dataset, place.value().ns, place.value().name));
  if (!found || found->disabled || !parts_.hub.rights.may_see(caller, *found)) return missing;
  TRY(const bool past_gate, parts_.hub.rights.may_read_files(caller, *found));
  if (!past_gate) return fail(Reason::forbidden, fmt::format("{} is gated, and not open to you", name));
  TRY(const git::Repository objects, parts_.hub.storage.open(found->id));
  TRY(const repo::Revision at, repo::find_revision(parts_.hub.publisher, objects, found->id, revision));
  return Dataset{std::move(*found), at.commit.hex()};
}

Result<Evaluations::Started> Evaluations::start(const identity::Caller& caller, const std::string& record,
                                                int64_t release, const Wish& wish) {
  TRY(const StoredRecord stored, parts_.registry.access.changeable(parts_.database, caller, record));
  TRY(const Facts facts, parts_.registry.releases.facts(caller, record, release));
  if (facts.release.state == ReleaseState::retired)
    return fail(Code::conflict, "a retired release takes no evidence");
  if (facts.criteria.empty())
    return Started(
        refused(fmt::format("{} has no criteria yet: what it must reach is fixed before the run", record),
                {"evaluation", "criteria", "what it must reach, before the run", "set_criteria"}));
  if (stored.record.dataset.empty())
    return Started(refused(fmt::format("the record {} names no data for its evaluation", record),
                           {"record", "evaluation", "the data set that it is evaluated on", "edit_record"}));
  TRY(const Dataset dataset,
      find_dataset(caller, stored.record.dataset, wish.revision.empty() ? "main" : wish.revision));
  EvaluationJob job{.record = record,
                    .release = release,
                    .dataset = stored.record.dataset,
                    .dataset_revision = dataset.commit,
                    .split = stored.record.split.empty() ? "test" : stored.record.split,
                    .dataset_repository = dataset.repository.id.raw,
                    .columns = {stored.record.text.empty() ? "text" : stored.record.text,
                                stored.record.label.empty() ? "label" : stored.record.label},
                    .criteria = facts.criteria.back().number,
                    .seed = wish.seed,
                    .by = caller.name};
  TRY(const int64_t id, parts_.database.write<int64_t>([&](sql::Transaction& tx) -> Result<int64_t> {
    TRY(const std::vector<EvaluationJob> others, jobs_of(tx, record, release));
    for (const EvaluationJob& other : others)
      if (!other.over())
        return fail(Code::conflict, fmt::format("evaluation {} of this release is under way", other.id));
    TRY(const int64_t unfinished, count_unfinished(tx));
    if (unfinished >= unfinished_max)
      return fail(Reason::queue_full, fmt::format("{} evaluations wait already", unfinished));
    TRY(job.at, parts_.registry.decisions.now(tx));
    TRY(const int64_t made, insert_job(tx, job));
    TRY_DONE(parts_.registry.decisions.append(tx, {.actor = caller.name,
                                                   .action = "evaluation.started",
                                                   .record = record,
                                                   .release = release,
                                                   .details = {{"evaluation", std::to_string(made)}}}));
    return made;
  }));
  {
    std::lock_guard lock(mutex_);
    stirred_ = true;
  }
  wake_.notify_all();
  TRY(EvaluationJob made, find(caller, id));
  return Started(std::move(made));
}

Result<std::vector<EvaluationJob>> Evaluations::list(const identity::Caller& caller,
                                                     const std::string& record, int64_t release) const {
  TRY_DONE(parts_.registry.access.seen(parts_.database, caller, record));
  return parts_.database.read<std::vector<EvaluationJob>>(
      [&](sql::Transaction& tx) -> Result<std::vector<EvaluationJob>> {
        TRY_DONE(release_numbered(tx, record, release));
        return jobs_of(tx, record, release);
      });
}

Result<EvaluationJob> Evaluations::find(const identity::Caller& caller, int64_t id) const {
  TRY(EvaluationJob job,
      parts_.database.read<EvaluationJob>([&](sql::Transaction& tx) { return job_numbered(tx, id); }));
  if (!parts_.registry.access.seen(parts_.database, caller, job.record).ok())
    return fail(Code::not_found, fmt::format("there is no evaluation {}", id));
  return job;
}

Result<EvaluationJob> Evaluations::cancel(const identity::Caller& caller, int64_t id) {
  TRY(const EvaluationJob job, find(caller, id));
  TRY_DONE(parts_.registry.access.changeable(parts_.database, caller, job.record));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.registry.decisions.now(tx));
    TRY(const int64_t changed, tx.run("UPDATE govern_evaluations SET state = 'cancelled', ended = ? WHERE id "
                                      "= ? AND state IN ('waiting', 'running')",
                                      {milliseconds(now), id}));
    if (changed == 0) return fail(Code::conflict, fmt::format("evaluation {} is over", id));
    return parts_.registry.decisions.append(tx, {.actor = caller.name,
                                                 .action = "evaluation.cancelled",
                                                 .record = job.record,
                                                 .release = job.release,
                                                 .details = {{"evaluation", std::to_string(id)}}});
  }));
  {
    std::lock_guard lock(mutex_);
    if (running_.id == id) running_.cancelled = true;
  }
  wake_.notify_all();
  return find(caller, id);
}

std::optional<EvaluationProgress> Evaluations::progress(int64_t id) const {
  std::lock_guard lock(mutex_);
  if (running_.id != id) return std::nullopt;
  EvaluationProgress out{.rows_done = running_.rows_done, .rows_total = running_.rows_total};
  const std::chrono::duration<double> took = parts_.ticks.now() - running_.first_asked;
  if (running_.rows_done == 0 || took.count() <= 0) return out;
  out.rows_per_second = static_cast<double>(running_.rows_done) / took.count();
  out.seconds_left = static_cast<double>(running_.rows_total - running_.rows_done) / out.rows_per_second;
  return out;
}

Status Evaluations::resume() {
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.registry.decisions.now(tx));
    TRY_DONE(
        tx.run("UPDATE govern_evaluations SET state = 'failed', ended = ?, why = 'the server ended "
               "each time while it ran' WHERE state = 'running' AND attempts >= ?",
               {milliseconds(now), attempts_max}));
    TRY_DONE(tx.run("UPDATE govern_evaluations SET state = 'waiting' WHERE state = 'running'"));
    return Done{};
  });
}

void Evaluations::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, std::chrono::seconds(1), [this] { return stirred_; });
  stirred_ = false;
}

}  // namespace holdfast::govern
