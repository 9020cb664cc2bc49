#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/database.h"

namespace holdfast::sql {

enum class SqliteAccess : uint8_t { read, write };

// One sqlite3 handle with its prepared statements, used by one thread at a time.
class SqliteConnection {
 public:
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, SqliteAccess access);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Status query(std::string_view sql, std::span<const Value> values,
               const std::function<bool(const Row&)>& each);
  Result<int64_t> run(std::string_view sql, std::span<const Value> values);
  Status execute(std::string_view sql);  // Without parameters or rows.
  // Ends a transaction without keeping it, if one is open.
  void roll_back() noexcept;
  Status copy_to(const std::string& path);
  // Whether the file is where it was opened, and begins as a database does.
  Status check_file();
  bool usable() const { return sqlite3_get_autocommit(handle_) != 0; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  struct Cached {
    Statement statement;
    uint64_t used = 0;
  };
  static constexpr size_t statements_max = 128;

  explicit SqliteConnection(sqlite3* handle) : handle_(handle) {}
  Status configure(SqliteAccess access);
  // Statements are taken out while they run, so that a query inside of a query's callback gets its own.
  Result<Statement> take(std::string_view sql);
  void give_back(std::string_view sql, Statement statement);
  Status bind(sqlite3_stmt* statement, std::span<const Value> values);
  Error failure(int code) const;

  sqlite3* handle_;
  std::map<std::string, Cached, std::less<>> statements_;
  uint64_t uses_ = 0;
};

// What SQLite's result code means to callers; `system_error` is errno of the failed call, if any.
Error sqlite_error(int extended_code, int system_error, std::string_view detail);

}  // namespace holdfast::sql
