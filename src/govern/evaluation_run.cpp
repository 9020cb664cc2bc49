// The half of Evaluations that runs one: on the thread that calls run_next.
#include <fmt/format.h>

#include "base/guarded.h"
#include "base/reason.h"
#include "govern/evaluation_result.h"
#include "govern/evaluations.h"
#include "govern/registry.h"
#include "identity/user_caller.h"
#include "io/disk.h"
#include "repo/hub.h"

namespace holdfast::govern {
namespace {

constexpr uint64_t split_bytes_max = 128 << 20;
constexpr size_t rows_max = 100'000;  // More would not fit into the evidence.
// How long one row is tried again while the model is loaded, its worker restarts or others go first.
constexpr std::chrono::minutes row_patience{5};
constexpr std::chrono::milliseconds retry_pause{250};

// A file in memory, up to a bound.
class TextFile final : public io::WriteFile {
 public:
  explicit TextFile(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  Status append(ByteView bytes) override {
    if (bytes.size() > bytes_max_ - text_.size())
      return fail(Reason::body_too_large,
                  fmt::format("the split has more than {} MiB", split_bytes_max >> 20));
    text_.append(as_text(bytes));
    return Done{};
  }
  Status write_at(uint64_t, ByteView) override { return fail(Code::internal, "a file is only appended to"); }
  Status truncate(uint64_t) override { return fail(Code::internal, "a file is only appended to"); }
  Status sync() override { return Done{}; }
  uint64_t size() const override { return text_.size(); }
  std::string take() { return std::move(text_); }

 private:
  const uint64_t bytes_max_;
  std::string text_;
};

}  // namespace

// Who started it, with the rights they have by now: a browser's session or a token may be gone meanwhile.
Result<identity::Caller> Evaluations::caller_of(const EvaluationJob& job) const {
  return identity::user_caller(parts_.accounts, job.by);
}

Result<std::vector<measure::LabelledRow>> Evaluations::rows_of(const EvaluationJob& job) const {
  const serve::ServedModel data{job.dataset_repository, job.dataset, job.dataset_revision};
  TRY(const std::vector<serve::FileSource::File> files, parts_.files.list(data));
  std::vector<std::string> paths;
  for (const serve::FileSource::File& file : files) paths.push_back(file.path);
  uint64_t bytes_left = split_bytes_max;
  TRY(auto rows,
      measure::read_split(paths, job.split, job.columns, [&](const std::string& path) -> Result<std::string> {
        TextFile file(bytes_left);
        TRY_DONE(parts_.files.copy(data, path, file));
        bytes_left -= file.size();
        return file.take();
      }));
  if (rows.empty()) return fail(Reason::bad_request, fmt::format("the split {} has no rows", job.split));
  if (rows.size() > rows_max)
    return fail(Reason::bad_request,
                fmt::format("the split {} has {} rows, and {} are taken", job.split, rows.size(), rows_max));
  return rows;
}

Status Evaluations::go_on(const std::stop_token& stop) const {
  if (stop.stop_requested()) return fail(Reason::shutting_down, "the server stops");
  std::lock_guard lock(mutex_);
  if (running_.cancelled) return fail(Code::conflict, "it was cancelled");
  return Done{};
}

Result<AskedRow> Evaluations::ask(ReleaseAsker& asker, const std::string& text, const std::stop_token& stop) {
  const auto began = parts_.ticks.now();
  Context context;
  context.stop = stop;
  while (true) {
    TRY_DONE(go_on(stop));
    auto answer = asker.ask(context, text);
    if (answer.ok()) return answer;
    const bool again = reason_row(answer.error().code, answer.error().reason).retryable;
    if (!again || parts_.ticks.now() - began > row_patience) return answer;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, retry_pause, [this] { return running_.cancelled; });
  }
}

Status Evaluations::run(const EvaluationJob& job, ReleaseAskers& askers, const std::stop_token& stop) {
  TRY(const identity::Caller caller, caller_of(job));
  TRY_DONE(parts_.registry.access.changeable(parts_.database, caller, job.record));
  TRY_DONE(find_dataset(caller, job.dataset, job.dataset_revision));
  TRY(const Facts facts, parts_.registry.releases.facts(caller, job.record, job.release));
  TRY(const auto rows, rows_of(job));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t changed,
        tx.run("UPDATE govern_evaluations SET rows_count = ? WHERE id = ? AND state = 'running'",
               {static_cast<int64_t>(rows.size()), job.id}));
    return changed == 1 ? Status(Done{}) : fail(Code::conflict, "it was cancelled");
  }));
  TRY(const auto asker, askers.open(facts.release, caller));
  {
    std::lock_guard lock(mutex_);
    running_.rows_total = static_cast<int64_t>(rows.size());
    running_.first_asked = parts_.ticks.now();
  }
  std::vector<measure::RowAnswer> answers;
  std::vector<std::string> labels;
  for (const measure::LabelledRow& row : rows) {
    TRY(AskedRow asked, ask(*asker, row.text, stop));
    if (answers.empty()) {
      labels = std::move(asked.labels);
      if (!labels.empty()) TRY_DONE(measure::check_labels(rows, labels));
    }
    answers.push_back(std::move(asked.answer));
    std::lock_guard lock(mutex_);
    ++running_.rows_done;
  }
  TRY(const measure::AnsweredRows answered, measure::number_answers(rows, answers, std::move(labels)));
  const NewEvidence found = evaluation_evidence({.model = facts.release.model,
                                                 .revision = facts.release.revision,
                                                 .dataset = job.dataset,
                                                 .dataset_revision = job.dataset_revision,
                                                 .split = job.split,
                                                 .criteria = job.criteria,
                                                 .seed = job.seed,
                                                 .began = format_time(job.at),
                                                 .metric_code = parts_.metric_code},
                                                rows, answered);
  const auto ended = [&](sql::Transaction& tx, const Evidence& evidence) -> Status {
    TRY(const int64_t changed, tx.run("UPDATE govern_evaluations SET state = 'done', ended = ?, evidence = ? "
                                      "WHERE id = ? AND state = 'running'",
                                      {milliseconds(evidence.at), evidence.id, job.id}));
    return changed == 1 ? Status(Done{}) : fail(Code::conflict, "it was cancelled");
  };
  TRY_DONE(parts_.registry.releases.add_evidence(caller, job.record, job.release, found, ended));
  return Done{};
}

Result<std::optional<EvaluationJob>> Evaluations::claim() {
  return parts_.database.write<std::optional<EvaluationJob>>(
      [&](sql::Transaction& tx) -> Result<std::optional<EvaluationJob>> {
        TRY(std::optional<EvaluationJob> job, oldest_waiting(tx));
        if (!job) return job;
        TRY_DONE(
            tx.run("UPDATE govern_evaluations SET state = 'running', attempts = attempts + 1 WHERE id = ?",
                   {job->id}));
        return job;
      });
}

Result<bool> Evaluations::run_next(ReleaseAskers& askers, const std::stop_token& stop) {
  TRY(const std::optional<EvaluationJob> job, claim());
  if (!job) return false;
  {
    std::lock_guard lock(mutex_);
    running_ = {.id = job->id};
  }
  const Status ran = guarded([&] { return run(*job, askers, stop); });
  {
    std::lock_guard lock(mutex_);
    running_ = {};
  }
  if (ran.ok() || stop.stop_requested()) return true;
  parts_.log.failure("evaluation_failed", ran.error());
  const bool ours = ran.error().code == Code::internal;
  const std::string why = ours ? "the server failed; its log says why" : ran.error().message;
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const WallTime now, parts_.registry.decisions.now(tx));
    TRY_DONE(
        tx.run("UPDATE govern_evaluations SET state = 'failed', ended = ?, why = ? WHERE id = ? AND "
               "state = 'running'",
               {milliseconds(now), why, job->id}));
    return Done{};
  }));
  return true;
}

}  // namespace holdfast::govern
