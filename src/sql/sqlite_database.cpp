#include "sql/sqlite_database.h"

#include <atomic>

#include "sql/commit_mark.h"
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
                 [path] { return SqliteConnection::open(path, SqliteAccess::read); }),
        mark_([path] { return SqliteConnection::open(path, SqliteAccess::read); }) {}

  Engine engine() const override { return Engine::sqlite; }

  // IMMEDIATE: waits for the write lock of other processes here, not in the middle of the work.
  Status write(const std::function<Status(Transaction&)>& work) override {
    Status written = transact(writers_, "BEGIN IMMEDIATE", work);
    mark_.committed();  // Also after a failure: of one in the middle of a commit nobody knows.
    return written;
  }
  Status read(const std::function<Status(Transaction&)>& work) override {
    return transact(readers_, "BEGIN DEFERRED", work);
  }
  Status copy_to(const std::string& path) override {
    TRY(auto reader, readers_.take());
    return reader->copy_to(path);
  }
  std::optional<uint64_t> mark() override { return mark_.now(); }
  Status check() override {
    if (damaged_) return fail(Reason::data_corrupt, "the database file is damaged");
    TRY(auto reader, readers_.take());
    const Status looked = reader->check_file();
    // What was overwritten does not heal, also where a part of it is written once more.
    if (!looked.ok() && looked.error().reason == Reason::data_corrupt) damaged_ = true;
    return looked;
  }

  // Makes the file before anybody reads it, and finds what is wrong with it at start.
  Status prepare() {
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
  CommitMark mark_;
  std::atomic<bool> damaged_ = false;
};

}  // namespace

Result<std::unique_ptr<Database>> open_sqlite(const std::string& path) {
  if (path.empty() || path == ":memory:" || path.find('\0') != std::string::npos)
    return fail(Reason::bad_request, "a SQLite database needs the path of a file: sqlite:PATH");
  auto database = std::make_unique<SqliteDatabase>(path);
  TRY_DONE(database->prepare());
  return std::unique_ptr<Database>(std::move(database));
}

}  // namespace holdfast::sql
