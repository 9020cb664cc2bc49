#include <atomic>
#include <thread>

#include "sql/database_fixture.h"

namespace holdfast::sql {
namespace {

class DatabaseTest : public OnEachDatabase {
 protected:
  void SetUp() override {
    OnEachDatabase::SetUp();
    if (IsSkipped()) return;
    const Migration step{"test", 1, R"sql(
CREATE TABLE test_rows (id {serial}, name TEXT NOT NULL UNIQUE, amount BIGINT, share DOUBLE PRECISION, body {blob});
CREATE TABLE test_children (parent BIGINT NOT NULL REFERENCES test_rows (id), name TEXT NOT NULL);
)sql"};
    const Status migrated = migrate(database(), {&step, 1}, 1);
    ASSERT_TRUE(migrated.ok()) << migrated.error().message;
  }

  static Status insert(Transaction& tx, std::string_view name, int64_t amount) {
    TRY(int64_t rows, tx.run("INSERT INTO test_rows (name, amount) VALUES (?, ?)", {name, amount}));
    EXPECT_EQ(rows, 1);
    return Done{};
  }
  Status insert(std::string_view name, int64_t amount) {
    return database().write([&](Transaction& tx) { return insert(tx, name, amount); });
  }
  static Result<int64_t> number(Transaction& tx, std::string_view sql,
                                std::initializer_list<Value> values = {}) {
    int64_t found = -1;
    TRY_DONE(tx.query(sql, values, [&](const Row& row) {
      found = row.integer(0);
      return true;
    }));
    return found;
  }
  int64_t count() {
    const auto got = database().read<int64_t>(
        [](Transaction& tx) { return number(tx, "SELECT count(*) FROM test_rows"); });
    EXPECT_TRUE(got.ok()) << (got.ok() ? "" : got.error().message);
    return got.ok() ? got.value() : -1;
  }
};

TEST_P(DatabaseTest, ValuesOfEveryKindComeBackAsTheyWere) {
  const Bytes body{std::byte{0}, std::byte{255}, std::byte{'\\'}, std::byte{'\''}};
  const std::string name = "quote ' and ? and \xc3\xa9";
  const Status written = database().write([&](Transaction& tx) -> Status {
    TRY_DONE(tx.run("INSERT INTO test_rows (name, amount, share, body) VALUES (?, ?, ?, ?)",
                    {name, int64_t{-9'007'199'254'740'993}, 0.1, ByteView(body)}));
    TRY_DONE(tx.run("INSERT INTO test_rows (name, amount, share, body) VALUES (?, ?, ?, ?)",
                    {"nothing", Null{}, Null{}, Null{}}));
    TRY_DONE(tx.run("INSERT INTO test_rows (name, body) VALUES (?, ?)", {"", ByteView()}));
    return Done{};
  });
  ASSERT_TRUE(written.ok()) << written.error().message;
  int rows = 0;
  const Status read = database().read([&](Transaction& tx) {
    return tx.query("SELECT name, amount, share, body FROM test_rows ORDER BY id", {}, [&](const Row& row) {
      if (rows == 0) {
        EXPECT_EQ(row.text(0), name);
        EXPECT_EQ(row.integer(1), -9'007'199'254'740'993);
        EXPECT_EQ(row.real(2), 0.1);
        EXPECT_EQ(row.blob(3), body);
      } else if (rows == 1) {
        EXPECT_TRUE(row.is_null(1) && row.is_null(2) && row.is_null(3));
        EXPECT_EQ(row.integer(1), 0);
        EXPECT_EQ(row.text(1), "");
      } else {
        EXPECT_EQ(row.text(0), "");
        EXPECT_FALSE(row.is_null(0));
        EXPECT_FALSE(row.is_null(3));
        EXPECT_TRUE(row.blob(3).empty());
      }
      ++rows;
      return true;
    });
  });
  EXPECT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(rows, 3);
}

TEST_P(DatabaseTest, QuestionMarksInsideLiteralsAreNotParameters) {
  const auto got = database().read<std::string>([](Transaction& tx) -> Result<std::string> {
    std::string text;
    TRY_DONE(tx.query("SELECT '?''?' || CAST(? AS TEXT) /* ? */ -- ?\n", {"x"}, [&](const Row& row) {
      text = row.text(0);
      return true;
    }));
    return text;
  });
  ASSERT_TRUE(got.ok()) << got.error().message;
  EXPECT_EQ(got.value(), "?'?x");
}

TEST_P(DatabaseTest, AnErrorRollsEverythingBack) {
  const Status status = database().write([&](Transaction& tx) -> Status {
    TRY_DONE(insert(tx, "a", 1));
    return fail(Reason::quota, "no");
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, Reason::quota);
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, AnExceptionRollsEverythingBack) {
  struct Thrown {};
  EXPECT_THROW((void)database().write([&](Transaction& tx) -> Status {
    TRY_DONE(insert(tx, "a", 1));
    throw Thrown{};
  }),
               Thrown);
  EXPECT_EQ(count(), 0);
  EXPECT_TRUE(insert("b", 1).ok());
}

TEST_P(DatabaseTest, ATakenNameIsAlreadyExistsAndSpoilsTheTransaction) {
  ASSERT_TRUE(insert("a", 1).ok());
  const Status status = database().write([&](Transaction& tx) -> Status {
    TRY_DONE(insert(tx, "b", 1));
    const Status again = insert(tx, "a", 2);
    EXPECT_FALSE(again.ok());
    const Status after = tx.query("SELECT 1", {}, [](const Row&) { return true; });
    EXPECT_FALSE(after.ok());
    return Done{};  // Forgets to say that something went wrong.
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, Reason::already_exists);
  EXPECT_EQ(status.error().code, Code::conflict);
  EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, ForeignKeysHold) {
  const Status status = database().write([&](Transaction& tx) -> Status {
    TRY_DONE(tx.run("INSERT INTO test_children (parent, name) VALUES (?, ?)", {int64_t{99}, "orphan"}));
    return Done{};
  });
  EXPECT_FALSE(status.ok());
}

TEST_P(DatabaseTest, RowsChangedAreCounted) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(insert(name, 1).ok());
  const Status status = database().write([&](Transaction& tx) -> Status {
    TRY(int64_t two, tx.run("UPDATE test_rows SET amount = amount + ? WHERE name <> ?", {int64_t{1}, "a"}));
    EXPECT_EQ(two, 2);
    TRY(int64_t none, tx.run("DELETE FROM test_rows WHERE name = ?", {"z"}));
    EXPECT_EQ(none, 0);
    TRY(int64_t conflict, tx.run("INSERT INTO test_rows (name, amount) VALUES (?, ?) ON CONFLICT DO NOTHING",
                                 {"a", int64_t{5}}));
    EXPECT_EQ(conflict, 0);
    TRY(int64_t id, number(tx, "INSERT INTO test_rows (name) VALUES (?) RETURNING id", {"d"}));
    EXPECT_GT(id, 3);
    return Done{};
  });
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(count(), 4);
}

TEST_P(DatabaseTest, AQueryInsideOfTheSameQueryGetsItsOwnStatement) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(insert(name, 1).ok());
  const std::string_view all = "SELECT name FROM test_rows ORDER BY name";
  std::string seen;
  const Status status = database().read([&](Transaction& tx) {
    return tx.query(all, {}, [&](const Row& outer) {
      seen += outer.text(0);
      const Status inner = tx.query(all, {}, [&](const Row& row) {
        seen += row.text(0);
        return row.text(0) != "b";  // Stops early.
      });
      EXPECT_TRUE(inner.ok());
      return true;
    });
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(seen, "aabbabcab");
}

TEST_P(DatabaseTest, WrongStatementsAreErrorsNotCrashes) {
  struct Case {
    const char* why;
    const char* sql;
    int values;
  };
  for (const auto& [why, sql, values] :
       {Case{"syntax", "SELEC 1", 0}, Case{"empty", "", 0}, Case{"no such table", "SELECT * FROM nowhere", 0},
        Case{"two statements", "SELECT 1; SELECT 2", 0},
        Case{"a value too few", "SELECT * FROM test_rows WHERE name = ?", 0},
        Case{"a value too many", "SELECT 1", 1}}) {
    const Status status = database().read([&, text = sql, given = values](Transaction& tx) {
      const Value value = int64_t{1};
      return tx.query(text, std::span(&value, static_cast<size_t>(given)), [](const Row&) { return true; });
    });
    EXPECT_FALSE(status.ok()) << why;
  }
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, AReaderCannotWrite) {
  const Status status = database().read([&](Transaction& tx) { return insert(tx, "a", 1); });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, AReaderSeesOneMomentWhileTheWriterGoesOn) {
  ASSERT_TRUE(insert("a", 1).ok());
  const Status status = database().read([&](Transaction& tx) -> Status {
    TRY(int64_t before, number(tx, "SELECT count(*) FROM test_rows"));
    EXPECT_EQ(before, 1);
    EXPECT_TRUE(insert("b", 1).ok());  // Does not wait for the reader.
    TRY(int64_t after, number(tx, "SELECT count(*) FROM test_rows"));
    EXPECT_EQ(after, 1);
    return Done{};
  });
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(count(), 2);
}

// Transfers between two accounts from several threads and two Database objects: readers never see a sum that
// is not whole, and no transfer is lost.
TEST_P(DatabaseTest, ConcurrentWritersAndReadersKeepTheSum) {
  ASSERT_TRUE(insert("a", 1000).ok());
  ASSERT_TRUE(insert("b", 1000).ok());
  const std::unique_ptr<Database> other = open();
  ASSERT_NE(other, nullptr);
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0, failed = 0, reads = 0;
  const auto transfer = [&](Database& on) {
    for (int i = 0; i < 25; ++i) {
      const Status status = on.write([&](Transaction& tx) -> Status {
        TRY(int64_t amount, number(tx, "SELECT amount FROM test_rows WHERE name = 'a'"));
        TRY_DONE(tx.run("UPDATE test_rows SET amount = ? WHERE name = 'a'", {amount - 1}));
        TRY_DONE(tx.run("UPDATE test_rows SET amount = amount + 1 WHERE name = 'b'"));
        return Done{};
      });
      if (!status.ok()) ++failed;
    }
  };
  const auto watch = [&](Database& on) {
    while (!stop) {
      const auto sum =
          on.read<int64_t>([](Transaction& tx) { return number(tx, "SELECT sum(amount) FROM test_rows"); });
      ++reads;
      if (!sum.ok() || sum.value() != 2000) ++wrong;
    }
  };
  {
    std::jthread reader(watch, std::ref(database()));
    std::jthread other_reader(watch, std::ref(*other));
    {
      std::jthread one(transfer, std::ref(database()));
      std::jthread two(transfer, std::ref(database()));
      std::jthread three(transfer, std::ref(*other));
    }
    stop = true;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_GT(reads, 0);
  const auto left = database().read<int64_t>(
      [](Transaction& tx) { return number(tx, "SELECT amount FROM test_rows WHERE name = 'a'"); });
  ASSERT_TRUE(left.ok());
  EXPECT_EQ(left.value(), 1000 - 75);
}

TEST_P(DatabaseTest, ManyDifferentStatementsFitTheCache) {
  const Status status = database().read([&](Transaction& tx) -> Status {
    for (int i = 0; i < 600; ++i) {
      TRY(int64_t got, number(tx, "SELECT " + std::to_string(i)));
      EXPECT_EQ(got, i);
    }
    return Done{};
  });
  EXPECT_TRUE(status.ok()) << status.error().message;
}

INSTANTIATE_TEST_SUITE_P(Each, DatabaseTest, testing::ValuesIn(each_engine), engine_name);

}  // namespace
}  // namespace holdfast::sql
