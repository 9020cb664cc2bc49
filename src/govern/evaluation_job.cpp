#include "govern/evaluation_job.h"

#include <fmt/format.h>

#include "govern/rows.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

constexpr std::string_view columns =
    "id, record, release, state, dataset, dataset_repo, dataset_revision, split, text_column, label_column, "
    "criteria, seed, user_name, at, ended, attempts, rows_count, evidence, why";
constexpr int listed_max = 20;

JobState state_of(std::string_view name) {
  for (const JobState state : {JobState::waiting, JobState::running, JobState::done, JobState::cancelled})
    if (job_state_name(state) == name) return state;
  return JobState::failed;
}

EvaluationJob job_row(const sql::Row& row) {
  return {.id = row.integer(0),
          .record = row.text(1),
          .release = row.integer(2),
          .state = state_of(row.text(3)),
          .dataset = row.text(4),
          .dataset_revision = row.text(6),
          .split = row.text(7),
          .dataset_repository = row.integer(5),
          .columns = {row.text(8), row.text(9)},
          .criteria = row.integer(10),
          .seed = row.integer(11),
          .by = row.text(12),
          .at = time_of(row.integer(13)),
          .ended = time_of(row.integer(14)),
          .attempts = row.integer(15),
          .rows = row.integer(16),
          .evidence = row.integer(17),
          .why = row.text(18)};
}

Result<std::vector<EvaluationJob>> select(sql::Transaction& tx, std::string_view where,
                                          std::initializer_list<sql::Value> values) {
  std::vector<EvaluationJob> jobs;
  TRY_DONE(tx.query(fmt::format("SELECT {} FROM govern_evaluations WHERE {}", columns, where), values,
                    [&](const sql::Row& row) {
                      jobs.push_back(job_row(row));
                      return true;
                    }));
  return jobs;
}

}  // namespace

std::string_view job_state_name(JobState state) {
  switch (state) {
    case JobState::waiting:
      return "waiting";
    case JobState::running:
      return "running";
    case JobState::done:
      return "done";
    case JobState::failed:
      return "failed";
    case JobState::cancelled:
      return "cancelled";
  }
  return "";
}

Result<EvaluationJob> job_numbered(sql::Transaction& tx, int64_t id) {
  TRY(std::vector<EvaluationJob> jobs, select(tx, "id = ?", {id}));
  if (jobs.empty()) return fail(Code::not_found, fmt::format("there is no evaluation {}", id));
  return std::move(jobs.front());
}

Result<std::vector<EvaluationJob>> jobs_of(sql::Transaction& tx, const std::string& record, int64_t release) {
  return select(tx, fmt::format("record = ? AND release = ? ORDER BY id DESC LIMIT {}", listed_max),
                {record, release});
}

Result<std::optional<EvaluationJob>> oldest_waiting(sql::Transaction& tx) {
  TRY(std::vector<EvaluationJob> jobs, select(tx, "state = 'waiting' ORDER BY id LIMIT 1", {}));
  if (jobs.empty()) return std::optional<EvaluationJob>();
  return std::optional(std::move(jobs.front()));
}

Result<int64_t> count_unfinished(sql::Transaction& tx) {
  int64_t count = 0;
  TRY_DONE(tx.query("SELECT COUNT(*) FROM govern_evaluations WHERE state IN ('waiting', 'running')", {},
                    [&](const sql::Row& row) {
                      count = row.integer(0);
                      return false;
                    }));
  return count;
}

Result<int64_t> insert_job(sql::Transaction& tx, const EvaluationJob& job) {
  int64_t id = 0;
  TRY_DONE(
      tx.query("INSERT INTO govern_evaluations (record, release, state, dataset, dataset_repo, "
               "dataset_revision, split, text_column, label_column, criteria, seed, user_name, at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
               {job.record, job.release, job_state_name(job.state), job.dataset, job.dataset_repository,
                job.dataset_revision, job.split, job.columns.text, job.columns.label, job.criteria, job.seed,
                job.by, milliseconds(job.at)},
               [&](const sql::Row& row) {
                 id = row.integer(0);
                 return true;
               }));
  return id;
}

}  // namespace holdfast::govern
