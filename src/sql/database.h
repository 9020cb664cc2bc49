#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::sql {

struct Null {};
// A parameter; borrowed until the statement has run. Bool is stored as 0 or 1.
using Value = std::variant<Null, int64_t, double, std::string_view, ByteView>;

// One row of an answer; valid until the callback returns. Columns count from 0.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual int64_t integer(int column) const = 0;  // 0 for NULL.
  virtual double real(int column) const = 0;
  virtual std::string text(int column) const = 0;  // Empty for NULL.
  virtual Bytes blob(int column) const = 0;
};

// Which database it is, for the few places where their SQL differs (full-text search).
enum class Engine : uint8_t { sqlite, postgresql };

// A transaction in progress, used by one thread. After an error every further call gives the same error and
// nothing is committed (use ON CONFLICT where a conflict is expected). SQL is the part both databases share,
// with ? for parameters; {blob} and {serial} in migrations become BLOB/BYTEA and INTEGER PRIMARY KEY
// AUTOINCREMENT/BIGSERIAL PRIMARY KEY. Errors: already_exists (conflict) on a unique constraint, disk_full,
// dependency_failed (busy or lost), internal otherwise.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // Calls `each` for every row; false from it ends the reading.
  virtual Status query(std::string_view sql, std::span<const Value> values,
                       const std::function<bool(const Row&)>& each) = 0;
  // Returns how many rows it changed.
  virtual Result<int64_t> run(std::string_view sql, std::span<const Value> values) = 0;

  Result<int64_t> run(std::string_view sql, std::initializer_list<Value> values = {}) {
    return run(sql, std::span(values.begin(), values.size()));
  }
  Status query(std::string_view sql, std::initializer_list<Value> values,
               const std::function<bool(const Row&)>& each) {
    return query(sql, std::span(values.begin(), values.size()), each);
  }
};

// How long a commit of another process may stay unseen by Database::mark.
inline constexpr std::chrono::milliseconds commits_seen_within{50};

// A step of a room's schema, forward only. Once landed it never changes (its digest is kept and checked).
struct Migration {
  std::string_view room;  // "repo"
  int number;             // 1, 2, 3 … within the room
  std::string_view sql;   // Statements separated by ';' at a line's end.
};

// Safe from any thread. Readers do not wait for the writer; there is one writer at a time, so a write inside
// of a write's work fails after a wait (dependency_failed).
class Database {
 public:
  virtual ~Database() = default;
  virtual Engine engine() const = 0;
  // Runs `work` in a transaction: committed durably when it returns ok, rolled back otherwise. `write` may
  // run the work again after a serialisation failure, so it must have no effect outside the transaction.
  virtual Status write(const std::function<Status(Transaction&)>& work) = 0;
  virtual Status read(const std::function<Status(Transaction&)>& work) = 0;
  // A consistent copy while writes go on, for backup (SQLite: one file; PostgreSQL: not_offered, use its own
  // tools).
  virtual Status copy_to(const std::string& path) = 0;
  // Whether what it lies in is there and sound, as far as a look at it tells: SQLite's file may be moved away
  // or overwritten under connections that go on. Of PostgreSQL its own answers tell.
  virtual Status check() { return Done{}; }
  // Another number than before once anything was committed: here at once, by another process soon after
  // (commits_seen_within). nullopt where nobody can tell that cheaply: PostgreSQL, or a file that cannot be
  // read.
  virtual std::optional<uint64_t> mark() { return std::nullopt; }

  // As `write` and `read`, for work that returns a value: Result<RepoId> id =
  // db.write<RepoId>([&](Transaction& tx) …).
  template <class T>
  Result<T> write(const std::function<Result<T>(Transaction&)>& work) {
    return keep<T>(work, [this](const auto& inner) { return this->write(inner); });
  }
  template <class T>
  Result<T> read(const std::function<Result<T>(Transaction&)>& work) {
    return keep<T>(work, [this](const auto& inner) { return this->read(inner); });
  }

 private:
  template <class T, class Run>
  static Result<T> keep(const std::function<Result<T>(Transaction&)>& work, const Run& run) {
    std::optional<T> kept;
    const std::function<Status(Transaction&)> inner = [&](Transaction& tx) -> Status {
      TRY(T value, work(tx));
      kept.emplace(std::move(value));
      return Done{};
    };
    TRY_DONE(run(inner));
    return std::move(*kept);
  }
};

// "sqlite:PATH" (created when missing; WAL; synchronous FULL; foreign keys on) or "postgresql://…".
Result<std::unique_ptr<Database>> open_database(const std::string& url);
// Brings the schema up to date. Refuses a database that is newer than the program or whose past steps differ.
Status migrate(Database& database, std::span<const Migration> migrations, int64_t now_unix_ms);

}  // namespace holdfast::sql
