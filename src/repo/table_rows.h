#pragma once

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::sql {
class Database;
class Transaction;
enum class Engine : uint8_t;
}  // namespace holdfast::sql

namespace holdfast::repo {

// Rows of a table as JSON objects and back (docs/formats/instance-export.md). Integers and reals are numbers,
// NULL is null; bytes, and text that is not UTF-8, are {"base64": "…"}.
enum class ColumnKind : uint8_t { integer, real, text, bytes };
struct Column {
  std::string name;
  ColumnKind kind = ColumnKind::text;
};
struct Table {
  std::string name;
  std::vector<Column> columns;  // As they were declared.
};

// Every table of this database but the engine's own and the list of migrations, sorted by name.
Result<std::vector<std::string>> table_names(sql::Transaction& tx, sql::Engine engine);
Result<Table> read_table(sql::Transaction& tx, sql::Engine engine, std::string_view name);

// Every row, ordered by the table's first three columns, which are its key where it has one.
Status visit_rows(sql::Transaction& tx, const Table& table,
                  const std::function<Status(boost::json::object)>& each);
// Columns that the row does not name take their default. corrupt: a column that the table does not have, a
// value of another kind.
Status insert_row(sql::Transaction& tx, const Table& table, const boost::json::object& row);
// The next number that a table counts up itself is above every row's.
Status raise_counter(sql::Transaction& tx, sql::Engine engine, const Table& table);

// A JSON value for bytes, and back: text is itself where it is UTF-8.
boost::json::value bytes_value(ByteView bytes);
boost::json::value text_value(std::string_view text);
Result<Bytes> bytes_of(const boost::json::value& value);

// The lines of a file, read in pieces; a longer line than `bytes_max` is too_large.
Status visit_lines(io::Disk& disk, const io::Path& path, size_t bytes_max,
                   const std::function<Status(std::string_view)>& each);

}  // namespace holdfast::repo
