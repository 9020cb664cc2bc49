#include "job/batches.h"

#include <fmt/format.h>

#include <array>

#include "job/batch_rows.h"
#include "job/limits.h"

namespace holdfast::job {
namespace {

constexpr std::array<std::string_view, 7> names = {"validating", "in_progress", "cancelling", "completed",
                                                   "failed",     "expired",     "cancelled"};

WallTime time_of(int64_t milliseconds) { return WallTime{std::chrono::milliseconds{milliseconds}}; }

Result<std::optional<Batch>> find_row(sql::Transaction& tx, int64_t owner, const std::string& id) {
  std::optional<Batch> found;
  TRY_DONE(tx.query(fmt::format("SELECT {} FROM job_batches WHERE id = ? AND owner = ?", batch_columns),
                    {id, owner}, [&](const sql::Row& row) {
                      found = batch_of(row);
                      return false;
                    }));
  if (found) TRY_DONE(count_answers(tx, *found));
  return found;
}

Error no_such_batch(const std::string& id) {
  return fail(Code::not_found, fmt::format("No batch found with id '{}'.", id.substr(0, 100)));
}

Result<int64_t> count(sql::Transaction& tx, const std::string& where,
                      std::initializer_list<sql::Value> values) {
  int64_t out = 0;
  TRY_DONE(tx.query("SELECT COUNT(*) FROM job_batches WHERE " + where, values, [&](const sql::Row& row) {
    out = row.integer(0);
    return false;
  }));
  return out;
}

}  // namespace

std::string_view state_name(BatchState state) { return names[static_cast<size_t>(state)]; }

Batch batch_of(const sql::Row& row) {
  Batch out{.number = row.integer(0),
            .id = row.text(1),
            .owner = row.integer(2),
            .token = row.integer(4),
            .user = row.text(3),
            .endpoint = row.text(5),
            .input = row.text(6),
            .metadata = row.text(7),
            .errors = row.text(9),
            .output_file = row.text(10),
            .error_file = row.text(11),
            .total = row.integer(12),
            .answered = row.integer(13),
            .failed = row.integer(14),
            .tokens_read = row.integer(20),
            .tokens_written = row.integer(21),
            .worker_us = row.integer(22),
            .cost_nano = row.integer(23),
            .created = time_of(row.integer(15)),
            .expires = time_of(row.integer(16)),
            .began = time_of(row.integer(17)),
            .cancelled = time_of(row.integer(18)),
            .ended = time_of(row.integer(19))};
  const std::string state = row.text(8);
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == state) out.state = static_cast<BatchState>(i);
  return out;
}

Status count_answers(sql::Transaction& tx, Batch& batch) {
  if (batch.over() || batch.total == 0) return Done{};
  return tx.query(
      "SELECT COALESCE(SUM(CASE WHEN status > 0 AND status < 400 THEN 1 ELSE 0 END), 0), "
      "COALESCE(SUM(CASE WHEN status >= 400 THEN 1 ELSE 0 END), 0), CAST(COALESCE(SUM(tokens_read), 0) AS "
      "BIGINT), CAST(COALESCE(SUM(tokens_written), 0) AS BIGINT), CAST(COALESCE(SUM(worker_us), 0) AS "
      "BIGINT), "
      "CAST(COALESCE(SUM(cost_nano), 0) AS BIGINT) FROM job_requests WHERE batch = ?",
      {batch.id}, [&](const sql::Row& row) {
        batch.answered = row.integer(0);
        batch.failed = row.integer(1);
        batch.tokens_read = row.integer(2);
        batch.tokens_written = row.integer(3);
        batch.worker_us = row.integer(4);
        batch.cost_nano = row.integer(5);
        return false;
      });
}

Result<Batch> Batches::create(const identity::Caller& caller, const NewBatch& wish) {
  TRY_DONE(parts_.files.find(caller, wish.input));
  const WallTime now = parts_.clock.wall();
  const std::string id = "batch_" + parts_.random.hex(12);
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t all, count(tx, fmt::format("state IN {}", unfinished_states), {}));
    TRY(const int64_t own,
        count(tx, fmt::format("owner = ? AND state IN {}", unfinished_states), {caller.user.raw}));
    if (all >= unfinished_max || own >= unfinished_of_owner_max)
      return fail(Reason::queue_full, "too many batches are unfinished");
    TRY_DONE(
        tx.run("INSERT INTO job_batches (id, owner, user_name, token, endpoint, input, metadata, state, "
               "created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, 'validating', ?, ?)",
               {id, caller.user.raw, caller.name, caller.token.raw, wish.endpoint, wish.input, wish.metadata,
                milliseconds(now), milliseconds(now + window)}));
    return Done{};
  }));
  stir();
  return find(caller, id);
}

Result<Batch> Batches::find(const identity::Caller& caller, const std::string& id) const {
  TRY(std::optional<Batch> found, parts_.database.read<std::optional<Batch>>([&](sql::Transaction& tx) {
    return find_row(tx, caller.user.raw, id);
  }));
  if (!found) return no_such_batch(id);
  found->looked = parts_.clock.wall();
  return std::move(*found);
}

Result<Page<Batch>> Batches::list(const identity::Caller& caller, const PageWish& wish) const {
  return parts_.database.read<Page<Batch>>([&](sql::Transaction& tx) -> Result<Page<Batch>> {
    int64_t before = INT64_MAX;
    if (!wish.after.empty()) {
      TRY(const std::optional<Batch> found, find_row(tx, caller.user.raw, wish.after));
      if (!found) return no_such_batch(wish.after);
      before = found->number;
    }
    Page<Batch> page;
    TRY_DONE(tx.query(fmt::format("SELECT {} FROM job_batches WHERE owner = ? AND number < ? ORDER BY number "
                                  "DESC LIMIT {}",
                                  batch_columns, wish.limit + 1),
                      {caller.user.raw, before}, [&](const sql::Row& row) {
                        page.items.push_back(batch_of(row));
                        return true;
                      }));
    page.more = page.items.size() > wish.limit;
    if (page.more) page.items.pop_back();
    for (Batch& batch : page.items) {
      TRY_DONE(count_answers(tx, batch));
      batch.looked = parts_.clock.wall();
    }
    return page;
  });
}

Result<Batch> Batches::cancel(const identity::Caller& caller, const std::string& id) {
  TRY(const Batch batch, find(caller, id));
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t changed,
        tx.run("UPDATE job_batches SET state = 'cancelling', cancelled = ? WHERE id = ? AND state IN "
               "('validating', 'in_progress')",
               {milliseconds(parts_.clock.wall()), id}));
    if (changed == 0 && batch.state != BatchState::cancelling)
      return fail(Code::conflict,
                  fmt::format("Cannot cancel a batch with status '{}'.", state_name(batch.state)));
    return Done{};
  }));
  {
    std::lock_guard lock(mutex_);
    if (running_ == id) leave_.request_stop();
  }
  stir();
  return find(caller, id);
}

void Batches::stir() {
  {
    std::lock_guard lock(mutex_);
    stirred_ = true;
  }
  wake_.notify_all();
}

void Batches::wait(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, stop, std::chrono::seconds(1), [this] { return stirred_; });
  stirred_ = false;
}

}  // namespace holdfast::job
