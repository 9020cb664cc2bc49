// The half of Batches that runs them: on the thread that calls run_next.
#include <fmt/format.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>
#include <thread>

#include "base/guarded.h"
#include "codec/json.h"
#include "codec/ndjson.h"
#include "identity/tokens.h"
#include "identity/user_caller.h"
#include "job/batch_rows.h"
#include "job/batches.h"
#include "job/limits.h"

namespace holdfast::job {
namespace {

namespace json = boost::json;

constexpr size_t errors_shown = 100;
// How long a turn waits for room for a request before other batches have theirs.
constexpr std::chrono::milliseconds patience{10'000}, retry_pause{100};
constexpr int expired_status = 410;

// What is wrong with the lines of an input.
class Errors {
 public:
  void add(size_t line, std::string_view code, std::string message) {
    if (list_.size() < errors_shown)
      list_.push_back(
          json::object{{"code", code}, {"line", line}, {"message", std::move(message)}, {"param", nullptr}});
  }
  bool none() const { return list_.empty(); }
  std::string text() && { return codec::to_text(json::array(std::move(list_))); }

 private:
  json::array list_;
};

std::string one_error(std::string_view code, std::string message) {
  json::array list;
  list.push_back(
      json::object{{"code", code}, {"line", nullptr}, {"message", std::move(message)}, {"param", nullptr}});
  return codec::to_text(list);
}

struct Line {
  std::string custom_id, body;
};

Result<Line> read_line(std::string_view text, const std::string& endpoint) {
  TRY(const json::object line, codec::parse_json_object(text));
  TRY(const std::string_view id, codec::json_text(line, "custom_id"));
  if (id.empty() || id.size() > custom_id_bytes_max)
    return fail(Reason::bad_request, fmt::format("'custom_id' has 1 to {} bytes", custom_id_bytes_max));
  TRY(const auto method, codec::json_text_if(line, "method"));
  if (method.value_or("POST") != "POST") return fail(Reason::bad_request, "'method' is POST");
  TRY(const std::string_view url, codec::json_text(line, "url"));
  if (url != endpoint)
    return fail(Reason::bad_request, fmt::format("'url' is the batch's endpoint {}", endpoint));
  TRY(const json::object* body, codec::json_object(line, "body"));
  TRY(const auto streams, codec::json_flag_if(*body, "stream"));
  if (streams.value_or(false)) return fail(Reason::bad_request, "'stream' is not for batches");
  return Line{std::string(id), codec::to_text(*body)};
}

}  // namespace

Result<std::optional<Batch>> Batches::next() {
  int64_t last = 0;
  {
    std::lock_guard lock(mutex_);
    last = last_;
  }
  return parts_.database.read<std::optional<Batch>>(
      [&](sql::Transaction& tx) -> Result<std::optional<Batch>> {
        std::optional<Batch> found;
        const auto take = [&](const sql::Row& row) {
          found = batch_of(row);
          return false;
        };
        const std::string after =
            fmt::format("SELECT {} FROM job_batches WHERE number > ? AND state IN {} ORDER BY number LIMIT 1",
                        batch_columns, unfinished_states);
        TRY_DONE(tx.query(after, {last}, take));
        if (!found && last > 0) TRY_DONE(tx.query(after, {int64_t{0}}, take));
        return found;
      });
}

// By the token that made it, if it is still good; a browser's session stands for its user.
Result<identity::Caller> Batches::caller_of(const Batch& batch) const {
  if (batch.token > 0) return parts_.tokens.caller(identity::TokenId{batch.token});
  return identity::user_caller(parts_.accounts, batch.user);
}

Status Batches::give_up(const Batch& batch, BatchState as, const std::string& errors) {
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(fmt::format("UPDATE job_batches SET state = ?, ended = ?, errors = ? WHERE id = ? AND "
                                "state IN {}",
                                unfinished_states),
                    {state_name(as), milliseconds(parts_.clock.wall()), errors, batch.id}));
    return Done{};
  });
}

Status Batches::read_input(const Batch& batch) {
  TRY(const std::string text, parts_.files.read(batch.input));
  Errors errors;
  std::vector<Line> lines;
  std::set<std::string> ids;
  size_t number = 0;
  const auto take = [&](std::string_view given) -> Status {
    ++number;
    auto line = read_line(given, batch.endpoint);
    if (!line.ok())
      errors.add(number, "invalid_request", line.error().message);
    else if (!ids.insert(line.value().custom_id).second)
      errors.add(number, "duplicate_custom_id", "'custom_id' is there twice");
    else if (lines.size() == requests_max)
      return fail(Reason::bad_request, fmt::format("a batch has up to {} requests", requests_max));
    else
      lines.push_back(std::move(line).value());
    return Done{};
  };
  codec::LineSplitter splitter(file_bytes_max);
  Status read = splitter.update(text, take);
  if (read.ok()) read = splitter.finish(take);
  if (!read.ok()) errors.add(number, "invalid_file", read.error().message);
  if (errors.none() && lines.empty()) errors.add(0, "empty_file", "the input has no requests");
  if (!errors.none()) return give_up(batch, BatchState::failed, std::move(errors).text());
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t changed,
        tx.run("UPDATE job_batches SET state = 'in_progress', began = ?, total = ? WHERE id = ? AND state = "
               "'validating'",
               {milliseconds(parts_.clock.wall()), static_cast<int64_t>(lines.size()), batch.id}));
    if (changed == 0) return Done{};  // It was cancelled meanwhile.
    int64_t line = 0;
    for (const Line& each : lines)
      TRY_DONE(tx.run("INSERT INTO job_requests (batch, line, custom_id, body) VALUES (?, ?, ?, ?)",
                      {batch.id, line++, each.custom_id, each.body}));
    return Done{};
  });
}

Status Batches::keep(const Batch& batch, const Request& request, const Asked& asked) {
  const std::string answer = fmt::format(
      R"({{"id":"batch_req_{}","custom_id":{},"response":{{"status_code":{},"request_id":"{}","body":{}}},"error":null}})",
      parts_.random.hex(12), codec::to_text(json::value(request.custom_id)), asked.status,
      parts_.random.hex(16), asked.body);
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(
        tx.run("UPDATE job_requests SET status = ?, answer = ?, size = ?, body = '', tokens_read = ?, "
               "tokens_written = ?, worker_us = ?, cost_nano = ? WHERE batch = ? AND line = ? AND status = 0",
               {int64_t{asked.status}, answer, static_cast<int64_t>(answer.size() + 1), asked.tokens_read,
                asked.tokens_written, asked.worker_us, asked.cost_nano, batch.id, request.line}));
    return Done{};
  });
}

Status Batches::answer(const Batch& batch, const identity::Caller& caller, const Request& request,
                       RequestAsker& asker, const std::stop_token& stop) {
  const auto began = parts_.clock.now();
  while (!stop.stop_requested()) {
    Context context;
    context.trace_id = parts_.random.hex(16);
    context.stop = stop;
    Asked asked = asker.ask(context, caller, batch.endpoint, request.body);
    if (stop.stop_requested() && asked.status >= 400) return Done{};  // Cut, not refused.
    if (asked.body.size() > answer_bytes_max)
      asked = {
          .status = 500,
          .body =
              R"({"error":{"message":"the answer is too large for a batch","type":"server_error","param":null,"code":"too_large"}})"};
    if (!asked.later || request.tries + 1 >= tries_max) return keep(batch, request, asked);
    if (parts_.clock.now() - began >= patience)
      return parts_.database.write([&](sql::Transaction& tx) -> Status {
        TRY_DONE(tx.run("UPDATE job_requests SET tries = tries + 1 WHERE batch = ? AND line = ?",
                        {batch.id, request.line}));
        return Done{};
      });
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, retry_pause, [] { return false; });
  }
  return Done{};
}

Status Batches::run_slice(const Batch& batch, RequestAsker& asker, const std::stop_token& stop) {
  auto caller = caller_of(batch);
  if (!caller.ok())
    return give_up(batch, BatchState::failed,
                   one_error("invalid_token", "the token that made the batch is not good any more"));
  std::vector<Request> requests;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    requests.clear();
    return tx.query(fmt::format("SELECT line, tries, custom_id, body FROM job_requests WHERE batch = ? AND "
                                "status = 0 ORDER BY tries, line LIMIT {}",
                                slice_requests),
                    {batch.id}, [&](const sql::Row& row) {
                      requests.push_back({row.integer(0), row.integer(1), row.text(2), row.text(3)});
                      return true;
                    });
  }));
  if (requests.empty()) return finish(batch, BatchState::completed);
  std::atomic<size_t> taken = 0;
  std::mutex failed_mutex;
  std::optional<Error> failed;  // Guarded by failed_mutex.
  const auto work = [&] {
    for (size_t at = taken++; at < requests.size() && !stop.stop_requested(); at = taken++) {
      const Status done = guarded([&] { return answer(batch, caller.value(), requests[at], asker, stop); });
      if (done.ok()) continue;
      std::lock_guard lock(failed_mutex);
      failed = done.error();
      return;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < std::min(asked_at_once, requests.size()); ++i) threads.emplace_back(work);
  }
  if (failed) return *failed;
  return Done{};
}

Status Batches::finish(const Batch& batch, BatchState as) {
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    const WallTime now = parts_.clock.wall();
    if (as == BatchState::expired) {
      std::vector<std::pair<int64_t, std::string>> left;
      TRY_DONE(tx.query("SELECT line, custom_id FROM job_requests WHERE batch = ? AND status = 0", {batch.id},
                        [&](const sql::Row& row) {
                          left.emplace_back(row.integer(0), row.text(1));
                          return true;
                        }));
      for (const auto& [line, custom_id] : left) {
        const std::string answer = fmt::format(
            R"({{"id":"batch_req_{}","custom_id":{},"response":null,"error":{{"code":"batch_expired","message":"This request could not be executed before the completion window expired."}}}})",
            parts_.random.hex(12), codec::to_text(json::value(custom_id)));
        TRY_DONE(tx.run(
            "UPDATE job_requests SET status = ?, answer = ?, size = ?, body = '' WHERE batch = ? "
            "AND line = ?",
            {int64_t{expired_status}, answer, static_cast<int64_t>(answer.size() + 1), batch.id, line}));
      }
    }
    TRY_DONE(tx.run("DELETE FROM job_requests WHERE batch = ? AND status = 0", {batch.id}));
    Batch sums = batch;
    TRY_DONE(count_answers(tx, sums));
    int64_t counts[2] = {0, 0}, sizes[2] = {0, 0};
    std::string files[2];
    for (const int failures : {0, 1}) {
      TRY_DONE(tx.query(fmt::format("SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM "
                                    "job_requests WHERE batch = ? AND {}",
                                    failures == 1 ? "status >= 400" : "status < 400"),
                        {batch.id}, [&](const sql::Row& row) {
                          counts[failures] = row.integer(0);
                          sizes[failures] = row.integer(1);
                          return false;
                        }));
      if (counts[failures] == 0) continue;
      files[failures] = "file-" + parts_.random.hex(12);
      TRY_DONE(
          tx.run("INSERT INTO job_files (id, owner, name, purpose, size, at, batch, failures) VALUES (?, "
                 "?, ?, 'batch_output', ?, ?, ?, ?)",
                 {files[failures], batch.owner,
                  fmt::format("{}_{}.jsonl", batch.id, failures == 1 ? "error" : "output"), sizes[failures],
                  milliseconds(now), batch.id, int64_t{failures}}));
    }
    TRY_DONE(tx.run(fmt::format("UPDATE job_batches SET state = ?, ended = ?, answered = ?, failed = ?, "
                                "output_file = ?, error_file = ?, tokens_read = ?, tokens_written = ?, "
                                "worker_us = ?, cost_nano = ? WHERE id = ? AND state IN {}",
                                unfinished_states),
                    {state_name(as), milliseconds(now), counts[0], counts[1], files[0], files[1],
                     sums.tokens_read, sums.tokens_written, sums.worker_us, sums.cost_nano, batch.id}));
    return Done{};
  });
}

Result<bool> Batches::run_next(RequestAsker& asker, const std::stop_token& stop) {
  std::stop_token leave;
  std::optional<Batch> batch;
  {
    TRY(batch, next());
    if (!batch) return false;
    std::lock_guard lock(mutex_);
    last_ = batch->number;
    running_ = batch->id;
    leave_ = std::stop_source();
    leave = leave_.get_token();
  }
  std::stop_source ended;  // By either.
  const std::stop_callback on_stop(stop, [&ended] { ended.request_stop(); });
  const std::stop_callback on_leave(leave, [&ended] { ended.request_stop(); });
  const auto turn = [&]() -> Status {
    if (batch->state == BatchState::cancelling) return finish(*batch, BatchState::cancelled);
    if (parts_.clock.wall() >= batch->expires) return finish(*batch, BatchState::expired);
    if (batch->state == BatchState::validating) return read_input(*batch);
    return run_slice(*batch, asker, ended.get_token());
  };
  const Status done = guarded(turn);
  {
    std::lock_guard lock(mutex_);
    running_.clear();
  }
  TRY_DONE(done);
  return true;
}

}  // namespace holdfast::job
