#include "sql/postgres_database.h"

#include <thread>

#include "sql/pool.h"
#include "sql/postgres_connection.h"
#include "sql/spoiled_transaction.h"

namespace holdfast::sql {
namespace {

constexpr int tries_max = 8;
constexpr std::chrono::milliseconds first_pause{2};  // Doubles with each try: 0.25 s in all.

class PostgresDatabase final : public Database {
 public:
  explicit PostgresDatabase(const std::string& url)
      : writers_(1, write_wait_max, [url] { return PostgresConnection::open(url); }),
        readers_(readers_max, read_wait_max, [url] { return PostgresConnection::open(url); }) {}

  Engine engine() const override { return Engine::postgresql; }

  Status write(const std::function<Status(Transaction&)>& work) override {
    return transact(writers_, "BEGIN ISOLATION LEVEL SERIALIZABLE", work);
  }
  // Sees one moment, as a reader of SQLite's log does; never fails for the sake of others.
  Status read(const std::function<Status(Transaction&)>& work) override {
    return transact(readers_, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", work);
  }
  Status copy_to(const std::string&) override {
    return fail(Reason::not_offered, "a PostgreSQL database is copied by its own tools (pg_dump)");
  }
  Status check() override {
    TRY([[maybe_unused]] auto writer, writers_.take());
    return Done{};
  }

 private:
  using Connections = Pool<PostgresConnection>;

  // A connection in a transaction. An idle one may have died since its last use; then the next one is asked,
  // and at last a new one.
  static Result<Connections::Lease> begun(Connections& pool, const char* begin) {
    for (size_t attempt = 0;; ++attempt) {
      TRY(auto connection, pool.take());
      Status status = connection->execute(begin);
      if (status.ok()) return connection;
      if (attempt == readers_max) return std::move(status).error();
    }
  }

  static Status attempt(PostgresConnection& connection, const std::function<Status(Transaction&)>& work) {
    SpoiledTransaction<PostgresConnection> transaction(connection);
    TRY_DONE(work(transaction));
    return transaction.commit();
  }

  static Status transact(Connections& pool, const char* begin,
                         const std::function<Status(Transaction&)>& work) {
    auto pause = first_pause;
    for (int tries = 1;; ++tries, pause *= 2) {
      bool wants_retry = false;
      Status status = [&]() -> Status {
        TRY(auto connection, begun(pool, begin));
        Status done = attempt(*connection, work);
        wants_retry = connection->wants_retry();
        return done;
      }();
      if (status.ok() || !wants_retry || tries == tries_max) return status;
      std::this_thread::sleep_for(pause);
    }
  }

  Connections writers_, readers_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const std::string& url) {
  auto database = std::make_unique<PostgresDatabase>(url);
  TRY_DONE(database->check());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace holdfast::sql
