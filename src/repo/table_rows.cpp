#include "repo/table_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/utf8.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr size_t piece_bytes = 1 << 20;

// Declared types as both engines name them ("BLOB", "bytea", "double precision", …).
ColumnKind kind_of(std::string declared) {
  for (char& letter : declared)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  if (declared.find("int") != std::string::npos) return ColumnKind::integer;
  if (declared == "blob" || declared == "bytea") return ColumnKind::bytes;
  if (declared.find("double") != std::string::npos || declared == "real") return ColumnKind::real;
  return ColumnKind::text;
}

json::value value_of(const sql::Row& row, int at, ColumnKind kind) {
  if (row.is_null(at)) return nullptr;
  switch (kind) {
    case ColumnKind::integer:
      return row.integer(at);
    case ColumnKind::real:
      return row.real(at);
    case ColumnKind::text:
      return text_value(row.text(at));
    case ColumnKind::bytes:
      return bytes_value(row.blob(at));
  }
  return nullptr;
}

std::string column_list(const Table& table) {
  std::string names;
  for (const Column& column : table.columns) names += (names.empty() ? "" : ", ") + column.name;
  return names;
}

Error not_a_value(const Table& table, std::string_view column) {
  return fail(Reason::data_corrupt, fmt::format("{}.{} has a value of another kind", table.name, column));
}

}  // namespace

Result<std::vector<std::string>> table_names(sql::Transaction& tx, sql::Engine engine) {
  std::vector<std::string> names;
  const std::string_view question =
      engine == sql::Engine::sqlite
          ? "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
          : "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
  TRY_DONE(tx.query(question, {}, [&](const sql::Row& row) {
    if (std::string name = row.text(0); name != "sql_migrations") names.push_back(std::move(name));
    return true;
  }));
  std::sort(names.begin(), names.end());
  return names;
}

Result<Table> read_table(sql::Transaction& tx, sql::Engine engine, std::string_view name) {
  Table table{std::string(name), {}};
  const std::string_view question =
      engine == sql::Engine::sqlite
          ? "SELECT name, type FROM pragma_table_info(?) ORDER BY cid"
          : "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = "
            "current_schema() AND table_name = ? ORDER BY ordinal_position";
  TRY_DONE(tx.query(question, {name}, [&](const sql::Row& row) {
    table.columns.push_back({row.text(0), kind_of(row.text(1))});
    return true;
  }));
  if (table.columns.empty()) return fail(Code::not_found, fmt::format("there is no table {}", name));
  return table;
}

Status visit_rows(sql::Transaction& tx, const Table& table, const std::function<Status(json::object)>& each) {
  std::string order = "1";
  for (size_t at = 2; at <= std::min<size_t>(3, table.columns.size()); ++at) order += fmt::format(", {}", at);
  Status status = Done{};
  TRY_DONE(tx.query(fmt::format("SELECT {} FROM {} ORDER BY {}", column_list(table), table.name, order), {},
                    [&](const sql::Row& row) {
                      json::object object;
                      object.reserve(table.columns.size());
                      for (size_t at = 0; at < table.columns.size(); ++at)
                        object[table.columns[at].name] =
                            value_of(row, static_cast<int>(at), table.columns[at].kind);
                      status = each(std::move(object));
                      return status.ok();
                    }));
  return status;
}

Status insert_row(sql::Transaction& tx, const Table& table, const json::object& row) {
  std::string names, marks;
  std::vector<sql::Value> values;
  std::vector<Bytes> kept;  // What the views of `values` look at.
  values.reserve(row.size());
  kept.reserve(row.size());
  for (const auto& [key, value] : row) {
    const auto column = std::find_if(table.columns.begin(), table.columns.end(),
                                     [&name = key](const Column& one) { return one.name == name; });
    if (column == table.columns.end())
      return fail(Reason::data_corrupt, fmt::format("{} has no column of a row's name", table.name));
    names += (names.empty() ? "" : ", ") + column->name;
    marks += marks.empty() ? "?" : ", ?";
    if (value.is_null()) {
      values.emplace_back(sql::Null{});
    } else if (column->kind == ColumnKind::integer) {
      if (!value.is_int64()) return not_a_value(table, column->name);
      values.emplace_back(value.get_int64());
    } else if (column->kind == ColumnKind::real) {
      if (!value.is_number()) return not_a_value(table, column->name);
      values.emplace_back(value.to_number<double>());
    } else {
      auto bytes = bytes_of(value);
      if (!bytes.ok()) return not_a_value(table, column->name);
      kept.push_back(std::move(bytes).value());
      if (column->kind == ColumnKind::bytes) {
        values.emplace_back(ByteView(kept.back()));
      } else {
        values.emplace_back(as_text(kept.back()));
      }
    }
  }
  TRY_DONE(tx.run(fmt::format("INSERT INTO {} ({}) VALUES ({})", table.name, names, marks),
                  std::span<const sql::Value>(values)));
  return Done{};
}

Status raise_counter(sql::Transaction& tx, sql::Engine engine, const Table& table) {
  // SQLite raises its own with every row that is put in with a number.
  const Column& first = table.columns.front();
  if (engine == sql::Engine::sqlite || first.kind != ColumnKind::integer) return Done{};
  std::string sequence;  // Empty where the column is not counted up.
  TRY_DONE(
      tx.query("SELECT pg_get_serial_sequence(?, ?)", {table.name, first.name}, [&](const sql::Row& row) {
        sequence = row.text(0);
        return false;
      }));
  if (sequence.empty()) return Done{};
  return tx.query(fmt::format("SELECT setval('{}', (SELECT COALESCE(MAX({}), 0) + 1 FROM {}), false)",
                              sequence, first.name, table.name),
                  {}, [](const sql::Row&) { return true; });
}

json::value bytes_value(ByteView bytes) { return json::object{{"base64", codec::base64_encode(bytes)}}; }

json::value text_value(std::string_view text) {
  if (is_utf8(text)) return json::value(text);
  return bytes_value(as_bytes(text));
}

Result<Bytes> bytes_of(const json::value& value) {
  if (value.is_string()) {
    const ByteView bytes = as_bytes(std::string_view(value.get_string()));
    return Bytes(bytes.begin(), bytes.end());
  }
  if (!value.is_object()) return fail(Reason::data_corrupt, "neither text nor bytes");
  TRY(std::string_view text, codec::json_text(value.get_object(), "base64"));
  return codec::base64_decode(text);
}

Status visit_lines(io::Disk& disk, const io::Path& path, size_t bytes_max,
                   const std::function<Status(std::string_view)>& each) {
  TRY(std::unique_ptr<io::ReadFile> in, disk.open(path));
  std::string held;
  Bytes piece(piece_bytes);
  for (uint64_t offset = 0;;) {
    TRY(size_t got, in->read_at(offset, piece));
    if (got == 0) break;
    offset += got;
    std::string_view rest = as_text(ByteView(piece.data(), got));
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      held += rest.substr(0, end);
      TRY_DONE(each(held));
      held.clear();
    }
    held += rest;
    if (held.size() > bytes_max)
      return fail(Code::too_large, fmt::format("a line of {} is too long", path.generic_string()));
  }
  return held.empty() ? Status(Done{}) : each(held);
}

}  // namespace holdfast::repo
