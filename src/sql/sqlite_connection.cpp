#include "sql/sqlite_connection.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "base/check.h"

namespace holdfast::sql {
namespace {

constexpr int busy_timeout_ms = 10'000;

class SqliteRow final : public Row {
 public:
  explicit SqliteRow(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const override {
    return sqlite3_column_type(statement_, in(column)) == SQLITE_NULL;
  }
  int64_t integer(int column) const override { return sqlite3_column_int64(statement_, in(column)); }
  double real(int column) const override { return sqlite3_column_double(statement_, in(column)); }
  std::string text(int column) const override {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, in(column)));
    return text == nullptr ? std::string() : std::string(text, length(column));
  }
  Bytes blob(int column) const override {
    const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(statement_, in(column)));
    return bytes == nullptr ? Bytes() : Bytes(bytes, bytes + length(column));
  }

 private:
  int in(int column) const {
    CHECK(column >= 0 && column < sqlite3_column_count(statement_));
    return column;
  }
  size_t length(int column) const { return static_cast<size_t>(sqlite3_column_bytes(statement_, column)); }
  sqlite3_stmt* statement_;
};

int bind_one(sqlite3_stmt* statement, int index, const Value& value) {
  switch (value.index()) {
    case 1:
      return sqlite3_bind_int64(statement, index, std::get<int64_t>(value));
    case 2:
      return sqlite3_bind_double(statement, index, std::get<double>(value));
    case 3: {
      const auto text = std::get<std::string_view>(value);
      // A view without storage would be bound as NULL.
      return sqlite3_bind_text64(statement, index, text.data() == nullptr ? "" : text.data(), text.size(),
                                 SQLITE_STATIC, SQLITE_UTF8);
    }
    case 4: {
      const auto bytes = std::get<ByteView>(value);
      if (bytes.empty()) return sqlite3_bind_zeroblob(statement, index, 0);
      return sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_STATIC);
    }
    default:
      return sqlite3_bind_null(statement, index);
  }
}

// The file holds hashes of passwords and tokens, so it is the owner's alone; SQLite gives its companions the
// same mode. The folder is synced so that the name survives a power cut.
Status create_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) {
    if (errno == ENOSPC || errno == EDQUOT)
      return fail(Reason::disk_full, "there is no space for the database");
    return fail(Reason::dependency_failed, "the database file cannot be opened");
  }
  ::close(file);
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return fail(Reason::dependency_failed, "the database's folder cannot be opened");
  const int synced = ::fsync(directory);
  ::close(directory);
  if (synced != 0) return fail(Reason::dependency_failed, "the database's folder cannot be made durable");
  return Done{};
}

}  // namespace

Error sqlite_error(int extended_code, int system_error, std::string_view detail) {
  if (extended_code == SQLITE_CONSTRAINT_UNIQUE || extended_code == SQLITE_CONSTRAINT_PRIMARYKEY ||
      extended_code == SQLITE_CONSTRAINT_ROWID)
    return fail(Reason::already_exists, "it exists already");
  switch (extended_code & 0xff) {
    case SQLITE_FULL:
      return fail(Reason::disk_full, "there is no space left for the database");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(Reason::dependency_failed, "the database is busy");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(Reason::data_corrupt, "the database file is damaged");
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EDQUOT)
        return fail(Reason::disk_full, "there is no space left for the database");
      return fail(Reason::dependency_failed, "the database file cannot be read or written");
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return fail(Reason::dependency_failed, "the database file cannot be opened for writing");
    default:
      return fail(Code::internal, fmt::format("SQLite {}: {}", extended_code, detail));
  }
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path,
                                                                 SqliteAccess access) {
  if (access == SqliteAccess::write) TRY_DONE(create_file(path));
  sqlite3* handle = nullptr;
  // NOMUTEX: the pool hands a connection to one thread at a time.
  const int code = sqlite3_open_v2(
      path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  if (handle == nullptr) return fail(Code::internal, "SQLite has no memory for a connection");
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(handle));
  if (code != SQLITE_OK) return connection->failure(code);
  TRY_DONE(connection->configure(access));
  return connection;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close_v2(handle_);
}

// By SQLite's own descriptor: closing one of ours would drop the locks of this process on the file.
Status SqliteConnection::check_file() {
  int moved = 0;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
      sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, static_cast<void*>(&file)) !=
          SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr)
    return fail(Reason::dependency_failed, "the database file cannot be looked at");
  if (moved != 0) return fail(Reason::dependency_failed, "the database file is not where it was opened");
  static constexpr std::string_view magic("SQLite format 3\0", 16);
  std::array<char, magic.size()> begin{};
  if (file->pMethods->xRead(file, begin.data(), static_cast<int>(begin.size()), 0) != SQLITE_OK)
    return fail(Reason::dependency_failed, "the database file cannot be read");
  if (std::string_view(begin.data(), begin.size()) != magic)
    return fail(Reason::data_corrupt, "the database file is damaged");
  return Done{};
}

Status SqliteConnection::configure(SqliteAccess access) {
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  const auto ignore = [](const Row&) { return true; };
  if (access == SqliteAccess::write) {
    std::string mode;
    TRY_DONE(query("PRAGMA journal_mode = WAL", {}, [&](const Row& row) {
      mode = row.text(0);
      return true;
    }));
    if (mode != "wal")
      return fail(Reason::dependency_failed,
                  "the database's file system cannot share memory between processes");
  }
  // FULL: in WAL mode only this syncs the log at every commit.
  for (const char* pragma : {"PRAGMA synchronous = FULL", "PRAGMA foreign_keys = ON",
                             "PRAGMA trusted_schema = OFF", "PRAGMA cache_size = -4096"})
    TRY_DONE(query(pragma, {}, ignore));
  if (access == SqliteAccess::read) TRY_DONE(query("PRAGMA query_only = ON", {}, ignore));
  return Done{};
}

Error SqliteConnection::failure(int code) const {
  return sqlite_error(code, sqlite3_system_errno(handle_), sqlite3_errmsg(handle_));
}

Result<SqliteConnection::Statement> SqliteConnection::take(std::string_view sql) {
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    Statement statement = std::move(found->second.statement);
    statements_.erase(found);
    return statement;
  }
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure(code);
  const std::string_view rest(tail, static_cast<size_t>(sql.data() + sql.size() - tail));
  if (raw == nullptr || rest.find_first_not_of(" \t\r\n;") != std::string_view::npos)
    return fail(Code::internal, "a statement is empty or more than one");
  return statement;
}

void SqliteConnection::give_back(std::string_view sql, Statement statement) {
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  if (statements_.size() >= statements_max) {
    const auto oldest =
        std::min_element(statements_.begin(), statements_.end(),
                         [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
    statements_.erase(oldest);
  }
  statements_.insert_or_assign(std::string(sql), Cached{std::move(statement), ++uses_});
}

Status SqliteConnection::bind(sqlite3_stmt* statement, std::span<const Value> values) {
  if (static_cast<size_t>(sqlite3_bind_parameter_count(statement)) != values.size())
    return fail(Code::internal, "a statement got another number of values than it has parameters");
  for (size_t i = 0; i < values.size(); ++i)
    if (const int code = bind_one(statement, static_cast<int>(i) + 1, values[i]); code != SQLITE_OK)
      return failure(code);
  return Done{};
}

Status SqliteConnection::query(std::string_view sql, std::span<const Value> values,
                               const std::function<bool(const Row&)>& each) {
  TRY(Statement statement, take(sql));
  TRY_DONE(bind(statement.get(), values));
  const SqliteRow row(statement.get());
  int code = SQLITE_ROW;
  while (code == SQLITE_ROW) {
    code = sqlite3_step(statement.get());
    if (code == SQLITE_ROW && !each(row)) break;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) return failure(code);
  give_back(sql, std::move(statement));
  return Done{};
}

Result<int64_t> SqliteConnection::run(std::string_view sql, std::span<const Value> values) {
  // Schema changes leave the count of the statement before them, so it is counted by difference.
  const int64_t before = sqlite3_total_changes64(handle_);
  TRY_DONE(query(sql, values, [](const Row&) { return true; }));
  return sqlite3_total_changes64(handle_) == before ? 0 : sqlite3_changes64(handle_);
}

Status SqliteConnection::execute(std::string_view sql) {
  return query(sql, {}, [](const Row&) { return true; });
}

void SqliteConnection::roll_back() noexcept {
  if (!usable()) sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
}

Status SqliteConnection::copy_to(const std::string& path) {
  if (std::error_code ignored; std::filesystem::exists(path, ignored))
    return fail(Reason::already_exists, "the copy's file exists already");
  TRY_DONE(create_file(path));
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> copy(raw, sqlite3_close_v2);
  int code = opened;
  if (code == SQLITE_OK) {
    sqlite3_backup* backup = sqlite3_backup_init(raw, "main", handle_, "main");
    code = backup == nullptr ? sqlite3_extended_errcode(raw) : sqlite3_backup_step(backup, -1);
    const int finished = backup == nullptr ? code : sqlite3_backup_finish(backup);
    if (code == SQLITE_DONE) code = finished;
  }
  if (code == SQLITE_OK) return Done{};
  const Error error = sqlite_error(code, raw == nullptr ? 0 : sqlite3_system_errno(raw),
                                   raw == nullptr ? "no memory" : sqlite3_errmsg(raw));
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return error;
}

}  // namespace holdfast::sql
