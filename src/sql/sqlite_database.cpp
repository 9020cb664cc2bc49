#include "sql/sqlite_database.h"

#include "sql/pool.h"
#include "sql/spoiled_transaction.h"
#include "sql/sqlite_connection.h"

namespace holdfast::sql {
namespace {

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(const std::string& path)
      : writers_(1, write_wait_max, [path] { return SqliteConnection::open(path, SqliteAccess::write); }),
        readers_(readers_max, read_wait_max,
                 [path] { return SqliteConnection::open(path, SqliteAccess::read); }) {}

  Engine engine() const override { return Engine::sqlite; }

  // IMMEDIATE: waits for the write lock of other processes here, not in the middle of the work.
  Status write(const std::function<Status(Transaction&)>& work) override {
    return transact(writers_, "BEGIN IMMEDIATE", work);
  }
  Status read(const std::function<Status(Transaction&)>& work) override {
    return transact(readers_, "BEGIN DEFERRED", work);
  }
  Status copy_to(const std::string& path) override {
    TRY(auto reader, readers_.take());
    return reader->copy_to(path);
  }
  // Makes the file before anybody reads it, and finds what is wrong with it at start.
  Status check() {
    TRY(auto writer, writers_.take());
    return writer->query("SELECT count(*) FROM sqlite_schema", {}, [](const Row&) { return true; });
  }

 private:
  static Status transact(Pool<SqliteConnection>& pool, std::string_view begin,
                         const std::function<Status(Transaction&)>& work) {
    TRY(auto connection, pool.take());
    TRY_DONE(connection->execute(begin));
    SpoiledTransaction<SqliteConnection> transaction(*connection);
    TRY_DONE(work(transaction));
    return transaction.commit();
  }

  Pool<SqliteConnection> writers_, readers_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path) {
  if (path.empty() || path == ":memory:" || path.find('\0') != std::string::npos)
    return fail(Reason::bad_request, "a SQLite database needs the path of a file: sqlite:PATH");
  auto database = std::make_unique<SqliteDatabase>(path);
  TRY_DONE(database->check());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace holdfast::sql
