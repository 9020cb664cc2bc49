#include <fcntl.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "sql/database_fixture.h"
#include "sql/sqlite_connection.h"

namespace holdfast::sql {
namespace {

std::unique_ptr<Database> open_at(const std::filesystem::path& path) {
  auto opened = open_database("sqlite:" + path.string());
  EXPECT_TRUE(opened.ok()) << opened.error().message;
  return opened.ok() ? std::move(opened).value() : nullptr;
}

Status execute(Database& database, std::string_view sql, std::initializer_list<Value> values = {}) {
  return database.write([&](Transaction& tx) -> Status {
    TRY([[maybe_unused]] int64_t rows, tx.run(sql, values));
    return Done{};
  });
}

int64_t number(Database& database, std::string_view sql) {
  int64_t found = -1;
  const Status status = database.read([&](Transaction& tx) {
    return tx.query(sql, {}, [&](const Row& row) {
      found = row.integer(0);
      return true;
    });
  });
  EXPECT_TRUE(status.ok());
  return found;
}

// The child tells the number of each row after it is committed, and is killed in the middle of its work.
TEST(Sqlite, WhatWasCommittedSurvivesAKill) {
  const io::TemporaryFolder folder;
  const auto path = folder.path() / "kill.db";
  int64_t told = 0;
  for (int round = 0; round < 3; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto opened = open_database("sqlite:" + path.string());
      if (!opened.ok()) ::_exit(1);
      Database& database = *opened.value();
      (void)execute(database, "CREATE TABLE IF NOT EXISTS t (n BIGINT PRIMARY KEY, half BIGINT)");
      for (int64_t n = told + 1;; ++n) {
        const Status done = database.write([&](Transaction& tx) -> Status {
          TRY_DONE(tx.run("INSERT INTO t (n) VALUES (?)", {n}));
          TRY_DONE(tx.run("UPDATE t SET half = n / 2 WHERE n = ?", {n}));
          return Done{};
        });
        if (!done.ok() || ::write(ends[1], &n, sizeof n) != sizeof n) ::_exit(1);
      }
    }
    ASSERT_GT(child, 0);
    ::close(ends[1]);
    const int64_t goal = told + 20 + round * 7;
    int64_t n = 0;
    while (told < goal && ::read(ends[0], &n, sizeof n) == sizeof n) told = n;
    ::kill(child, SIGKILL);
    while (::read(ends[0], &n, sizeof n) == sizeof n) told = n;  // What it said before it died.
    ::close(ends[0]);
    ::waitpid(child, nullptr, 0);
    ASSERT_GE(told, goal);

    const auto database = open_at(path);
    ASSERT_NE(database, nullptr);
    const int64_t rows = number(*database, "SELECT count(*) FROM t");
    EXPECT_GE(rows, told);
    EXPECT_LE(rows, told + 1);  // One may have been committed and not yet told.
    EXPECT_EQ(number(*database, "SELECT count(*) FROM t WHERE half IS NULL"), 0);
    EXPECT_EQ(number(*database, "SELECT max(n) FROM t"), rows);
    told = rows;
  }
}

TEST(Sqlite, AFileThatIsMovedOrOverwrittenUnderItIsTold) {
  const io::TemporaryFolder folder;
  const auto path = folder.path() / "a.db", away = folder.path() / "away.db";
  const auto database = open_at(path);
  ASSERT_TRUE(execute(*database, "CREATE TABLE t (n BIGINT)").ok());
  EXPECT_TRUE(database->check().ok());
  std::filesystem::rename(path, away);
  EXPECT_EQ(database->check().error().reason, Reason::dependency_failed);
  std::filesystem::rename(away, path);
  EXPECT_TRUE(database->check().ok());
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary) << "nothing of the kind";
  EXPECT_EQ(database->check().error().reason, Reason::data_corrupt);
  // It stays told, also where a part of it is whole again.
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).write("SQLite format 3\0", 16);
  EXPECT_FALSE(database->check().ok());
}

TEST(Sqlite, DurabilityAndKeysAreSwitchedOn) {
  const io::TemporaryFolder folder;
  const auto database = open_at(folder.path() / "a.db");
  EXPECT_EQ(number(*database, "PRAGMA synchronous"), 2);
  EXPECT_EQ(number(*database, "PRAGMA foreign_keys"), 1);
  const Status status = database->write([](Transaction& tx) {
    return tx.query("PRAGMA synchronous", {}, [](const Row& row) {
      EXPECT_EQ(row.integer(0), 2);
      return true;
    });
  });
  EXPECT_TRUE(status.ok());
}

TEST(Sqlite, TheFileIsTheOwnersAlone) {
  const io::TemporaryFolder folder;
  const auto database = open_at(folder.path() / "a.db");
  ASSERT_TRUE(execute(*database, "CREATE TABLE t (n BIGINT)").ok());
  for (const char* name : {"a.db", "a.db-wal", "a.db-shm"}) {
    struct stat status{};
    ASSERT_EQ(::stat((folder.path() / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600) << name;
  }
}

TEST(Sqlite, ACopyIsWholeWhileWritesGoOn) {
  const io::TemporaryFolder folder;
  const auto database = open_at(folder.path() / "a.db");
  ASSERT_TRUE(execute(*database, "CREATE TABLE t (n BIGINT)").ok());
  for (int64_t n = 0; n < 50; ++n) ASSERT_TRUE(execute(*database, "INSERT INTO t VALUES (?)", {n}).ok());
  const std::string copy = (folder.path() / "copy.db").string();
  // Inside of a write that is not committed: the copy does not have it and does not wait for it.
  const Status status = database->write([&](Transaction& tx) -> Status {
    TRY_DONE(tx.run("INSERT INTO t VALUES (50)"));
    return database->copy_to(copy);
  });
  ASSERT_TRUE(status.ok()) << status.error().message;
  const auto copied = open_at(copy);
  EXPECT_EQ(number(*copied, "SELECT count(*) FROM t"), 50);
  EXPECT_EQ(number(*database, "SELECT count(*) FROM t"), 51);
  const Status again = database->copy_to(copy);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().reason, Reason::already_exists);
}

TEST(Sqlite, AFullDiskIsSaidAndNothingIsLost) {
  const io::TemporaryFolder folder;
  const auto database = open_at(folder.path() / "a.db");
  ASSERT_TRUE(execute(*database, "CREATE TABLE t (body TEXT)").ok());
  ASSERT_TRUE(execute(*database, "INSERT INTO t VALUES ('kept')").ok());
  // max_page_count makes SQLite itself say SQLITE_FULL, as the kernel's ENOSPC does.
  const Status status = database->write([&](Transaction& tx) -> Status {
    TRY_DONE(tx.query("PRAGMA max_page_count = 10", {}, [](const Row&) { return true; }));
    const std::string large(1 << 20, 'x');
    TRY_DONE(tx.run("INSERT INTO t VALUES (?)", {large}));
    return Done{};
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, Reason::disk_full);
  EXPECT_EQ(number(*database, "SELECT count(*) FROM t"), 1);
  EXPECT_TRUE(execute(*database, "INSERT INTO t VALUES ('more')").ok());
}

TEST(Sqlite, ResultCodesBecomeReasons) {
  struct Case {
    int code, system_error;
    Code expected;
    Reason reason;
  };
  for (const auto& [code, system_error, expected, reason] : {
           Case{SQLITE_CONSTRAINT_UNIQUE, 0, Code::conflict, Reason::already_exists},
           Case{SQLITE_CONSTRAINT_PRIMARYKEY, 0, Code::conflict, Reason::already_exists},
           Case{SQLITE_FULL, 0, reason_row(Reason::disk_full).code, Reason::disk_full},
           Case{SQLITE_IOERR_WRITE, ENOSPC, reason_row(Reason::disk_full).code, Reason::disk_full},
           Case{SQLITE_IOERR_WRITE, EIO, reason_row(Reason::dependency_failed).code,
                Reason::dependency_failed},
           Case{SQLITE_BUSY_SNAPSHOT, 0, reason_row(Reason::dependency_failed).code,
                Reason::dependency_failed},
           Case{SQLITE_CORRUPT, 0, Code::corrupt, Reason::data_corrupt},
           Case{SQLITE_CONSTRAINT_NOTNULL, 0, Code::internal, Reason::none},
           Case{SQLITE_ERROR, 0, Code::internal, Reason::none},
       }) {
    const Error error = sqlite_error(code, system_error, "detail");
    EXPECT_EQ(error.code, expected) << code;
    EXPECT_EQ(error.reason, reason) << code;
  }
}

TEST(Sqlite, WhatIsNoDatabaseIsRefused) {
  const io::TemporaryFolder folder;
  std::ofstream(folder.path() / "text.db") << std::string(8192, 'x');
  const auto damaged = open_database("sqlite:" + (folder.path() / "text.db").string());
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().reason, Reason::data_corrupt);
  EXPECT_FALSE(open_database("sqlite:" + (folder.path() / "missing" / "a.db").string()).ok());
  EXPECT_FALSE(open_database("sqlite::memory:").ok());
  EXPECT_FALSE(open_database("mysql://x").ok());
}

}  // namespace
}  // namespace holdfast::sql
