#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/database.h"

namespace holdfast::sql {

// One libpq connection with its prepared statements, used by one thread at a time.
class PostgresConnection {
 public:
  static Result<std::unique_ptr<PostgresConnection>> open(const std::string& url);

  Status query(std::string_view sql, std::span<const Value> values,
               const std::function<bool(const Row&)>& each);
  Result<int64_t> run(std::string_view sql, std::span<const Value> values);
  Status execute(const char* sql);  // Without parameters or rows.
  void roll_back() noexcept;
  // Whether the server asks for the whole transaction to be tried again: it would have broken
  // serialisability, or a deadlock. Until the next `execute`.
  bool wants_retry() const { return wants_retry_; }
  // Connected and between transactions.
  bool usable() const;

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using Answer = std::unique_ptr<PGresult, Clear>;
  static constexpr size_t statements_max = 256;

  explicit PostgresConnection(PGconn* handle) : handle_(handle) {}
  Result<Answer> ask(std::string_view sql, std::span<const Value> values);
  Result<std::string> prepare(std::string_view sql);  // The statement's name.
  Result<Answer> checked(PGresult* raw);

  std::unique_ptr<PGconn, Finish> handle_;
  std::map<std::string, std::string, std::less<>> statements_;  // SQL → name
  uint64_t names_ = 0;
  bool wants_retry_ = false;
};

// What a SQLSTATE means to callers.
Error postgres_error(std::string_view state, std::string_view detail);

}  // namespace holdfast::sql
