#include "repo/masking_jobs.h"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/guarded.h"
#include "codec/json.h"
#include "repo/hub.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr int64_t waiting_max = 8, kept_max = 200;
constexpr std::chrono::seconds retry_step{5};  // Where the database did not answer.
constexpr std::string_view columns =
    "id, repo, actor, token, revision, into_branch, way, state, started, ended, report, failure";

std::optional<MaskingJob::State> state_of(std::string_view name) {
  using State = MaskingJob::State;
  for (const State state : {State::waiting, State::running, State::done, State::failed})
    if (state_name(state) == name) return state;
  return std::nullopt;
}

std::string report_text(const MaskingReport& report) {
  json::array masked, unread;
  for (const MaskedFile& each : report.masked)
    masked.push_back(json::array{json::value(each.path), json::value(each.findings)});
  for (const auto& [path, why] : report.unread)
    unread.push_back(json::array{json::value(path), json::value(why)});
  return codec::to_text(json::object{{"from", report.from.hex()},
                                     {"commit", report.commit.hex()},
                                     {"files", report.files},
                                     {"findings", report.findings},
                                     {"left", report.left_findings},
                                     {"masked", std::move(masked)},
                                     {"unread", std::move(unread)}});
}

Result<MaskingReport> parse_report(std::string_view text) {
  const auto count = [](int64_t number) { return static_cast<uint64_t>(number); };
  TRY(const json::object body, codec::parse_json_object(text, {.bytes_max = 64 << 20}));
  MaskingReport out;
  TRY(const std::string_view from, codec::json_text(body, "from"));
  TRY(out.from, git::ObjectId::parse(from));
  TRY(const std::string_view commit, codec::json_text(body, "commit"));
  TRY(out.commit, git::ObjectId::parse(commit));
  TRY(const int64_t files, codec::json_integer(body, "files"));
  TRY(const int64_t findings, codec::json_integer(body, "findings"));
  TRY(const int64_t left, codec::json_integer(body, "left"));
  out.files = count(files);
  out.findings = count(findings);
  out.left_findings = count(left);
  TRY(const json::array* masked, codec::json_array(body, "masked"));
  for (const json::value& each : *masked)
    if (each.is_array() && each.get_array().size() == 2 && each.get_array()[0].is_string())
      out.masked.push_back({.path = std::string(each.get_array()[0].get_string()),
                            .findings = each.get_array()[1].to_number<uint64_t>()});
  TRY(const json::array* unread, codec::json_array(body, "unread"));
  for (const json::value& each : *unread)
    if (each.is_array() && each.get_array().size() == 2 && each.get_array()[0].is_string() &&
        each.get_array()[1].is_string())
      out.unread.emplace_back(each.get_array()[0].get_string(), each.get_array()[1].get_string());
  return out;
}

MaskingJob job_of(const sql::Row& row) {
  MaskingJob job{.id = row.integer(0),
                 .repository = RepoId{row.integer(1)},
                 .wish = {.revision = row.text(4),
                          .into = row.text(5),
                          .with = scan::mask_with_name(row.text(6)).value_or(scan::MaskWith::kind)},
                 .by = row.text(2),
                 .token = identity::TokenId{row.integer(3)},
                 .state = state_of(row.text(7)).value_or(MaskingJob::State::failed),
                 .started = WallTime(std::chrono::milliseconds(row.integer(8))),
                 .ended = WallTime(std::chrono::milliseconds(row.integer(9))),
                 .failure = row.text(11)};
  if (const std::string text = row.text(10); !text.empty()) {
    auto report = parse_report(text);
    if (report.ok()) job.report = std::move(report).value();
  }
  return job;
}

}  // namespace

std::string_view state_name(MaskingJob::State state) {
  switch (state) {
    case MaskingJob::State::waiting:
      return "waiting";
    case MaskingJob::State::running:
      return "running";
    case MaskingJob::State::done:
      return "done";
    case MaskingJob::State::failed:
      return "failed";
  }
  return "";
}

MaskingJobs::MaskingJobs(const Parts& parts) : parts_(parts) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Result<MaskingJob> MaskingJobs::start(const identity::Caller& caller, const Repository& repository,
                                      const MaskingWish& wish) {
  MaskingJob job{.repository = repository.id, .wish = wish, .by = caller.name, .token = caller.token};
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    int64_t waiting = 0;
    TRY_DONE(tx.query("SELECT COUNT(*) FROM repo_masking_jobs WHERE state = 'waiting'", {},
                      [&](const sql::Row& row) {
                        waiting = row.integer(0);
                        return false;
                      }));
    if (waiting >= waiting_max)
      return fail(Reason::queue_full, "too many masking jobs wait; ask again in a moment");
    TRY_DONE(
        tx.query("INSERT INTO repo_masking_jobs (repo, actor, token, revision, into_branch, way, state) "
                 "VALUES (?, ?, ?, ?, ?, ?, 'waiting') RETURNING id",
                 {repository.id.raw, caller.name, caller.token.raw, wish.revision, wish.into,
                  scan::mask_with_name(wish.with)},
                 [&](const sql::Row& row) {
                   job.id = row.integer(0);
                   return true;
                 }));
    TRY_DONE(tx.run("DELETE FROM repo_masking_jobs WHERE id <= ? AND state IN ('done', 'failed')",
                    {job.id - kept_max}));
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  waiting_ = true;
  changed_.notify_all();
  return job;
}

Result<MaskingJob> MaskingJobs::find(RepoId repository, int64_t id) {
  std::optional<MaskingJob> found;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    found.reset();
    return tx.query(fmt::format("SELECT {} FROM repo_masking_jobs WHERE id = ? AND repo = ?", columns),
                    {id, repository.raw}, [&](const sql::Row& row) {
                      found = job_of(row);
                      return false;
                    });
  }));
  if (found) return std::move(*found);
  return fail(Code::not_found, fmt::format("there is no masking job {} of this repository", id));
}

// The oldest that waits, which runs from now on.
Result<std::optional<MaskingJob>> MaskingJobs::next() {
  std::optional<MaskingJob> found;
  const int64_t now = parts_.clock.wall().time_since_epoch().count();
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    found.reset();
    TRY_DONE(tx.query(
        fmt::format("SELECT {} FROM repo_masking_jobs WHERE state = 'waiting' ORDER BY id LIMIT 1", columns),
        {}, [&](const sql::Row& row) {
          found = job_of(row);
          return false;
        }));
    if (!found) return Done{};
    TRY_DONE(
        tx.run("UPDATE repo_masking_jobs SET state = 'running', started = ? WHERE id = ?", {now, found->id}));
    return Done{};
  }));
  return found;
}

Result<MaskingReport> MaskingJobs::carry_out(const MaskingJob& job, const std::stop_token& stop) {
  TRY(const identity::Caller caller, parts_.caller_again(job.token, job.by));
  TRY(const auto repository, parts_.hub.repositories.find(job.repository));
  if (!repository) return fail(Reason::repo_not_found, "the repository is gone");
  // Made for this run and kept nowhere, so that nobody can try all values.
  const std::string key = parts_.random.hex(32);
  return guarded(
      [&] { return mask_revision(parts_.hub, parts_.content, caller, *repository, job.wish, key, stop); });
}

// One that the server's stop cut off waits again.
Status MaskingJobs::end(const MaskingJob& job, const Result<MaskingReport>& report) {
  const int64_t now = parts_.clock.wall().time_since_epoch().count();
  const bool stopped = !report.ok() && report.error().reason == Reason::shutting_down;
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("UPDATE repo_masking_jobs SET state = ?, ended = ?, report = ?, failure = ? WHERE id = ?",
                    {stopped       ? "waiting"
                     : report.ok() ? "done"
                                   : "failed",
                     stopped ? int64_t{0} : now, report.ok() ? report_text(report.value()) : std::string(),
                     report.ok() || stopped ? std::string() : report.error().message, job.id}));
    return Done{};
  });
}

void MaskingJobs::run(const std::stop_token& stop) {
  const auto begun = parts_.database.write([](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("UPDATE repo_masking_jobs SET state = 'waiting' WHERE state = 'running'", {}));
    return Done{};
  });
  if (!begun.ok()) parts_.log.failure("masking_not_resumed", begun.error(), {});
  while (!stop.stop_requested()) {
    const auto job = next();
    if (!job.ok() || !job.value()) {
      std::unique_lock lock(mutex_);
      if (job.ok()) {
        changed_.wait(lock, stop, [this] { return waiting_; });
      } else {
        parts_.log.failure("masking_not_read", job.error(), {});
        changed_.wait_for(lock, stop, retry_step, [] { return false; });
      }
      waiting_ = false;
      continue;
    }
    const auto report = carry_out(*job.value(), stop);
    if (!report.ok())
      parts_.log.failure("masking_failed", report.error(), {{"repo", job.value()->repository.raw}});
    const Status ended = end(*job.value(), report);
    if (!ended.ok()) parts_.log.failure("masking_not_kept", ended.error(), {{"job", job.value()->id}});
  }
}

}  // namespace holdfast::repo
