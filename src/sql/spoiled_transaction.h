#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "sql/database.h"

namespace holdfast::sql {

// A transaction that is under way on a connection of either engine. The first error spoils it, as PostgreSQL
// has it, so that code does not come to rely on SQLite going on. What was not committed is rolled back on
// destruction, also when the work throws. One thread.
template <class Connection>
class SpoiledTransaction final : public Transaction {
 public:
  explicit SpoiledTransaction(Connection& connection) : connection_(connection) {}
  ~SpoiledTransaction() override { connection_.roll_back(); }
  SpoiledTransaction(const SpoiledTransaction&) = delete;
  SpoiledTransaction& operator=(const SpoiledTransaction&) = delete;

  Status query(std::string_view sql, std::span<const Value> values,
               const std::function<bool(const Row&)>& each) override {
    if (broken_) return *broken_;
    return keep(connection_.query(sql, values, each));
  }
  Result<int64_t> run(std::string_view sql, std::span<const Value> values) override {
    if (broken_) return *broken_;
    return keep(connection_.run(sql, values));
  }
  Status commit() {
    if (broken_) return *broken_;
    return connection_.execute("COMMIT");
  }

 private:
  template <class T>
  Result<T> keep(Result<T> result) {
    if (!result.ok()) broken_ = result.error();
    return result;
  }

  Connection& connection_;
  std::optional<Error> broken_;
};

}  // namespace holdfast::sql
