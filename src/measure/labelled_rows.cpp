#include "measure/labelled_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <set>

#include "codec/csv.h"
#include "codec/json.h"
#include "codec/parquet.h"
#include "measure/split_files.h"

namespace holdfast::measure {
namespace {

namespace json = boost::json;

constexpr size_t rows_max = 5'000'000;

// Puts a row's column where it belongs. `pattern` says where a row was made, which is nothing to slice by.
void put(LabelledRow& row, const RowColumns& columns, std::string_view name, std::string value) {
  if (name == columns.text)
    row.text = std::move(value);
  else if (name == columns.label)
    row.label = std::move(value);
  else if (name == "id")
    row.id = std::move(value);
  else if (name != "pattern")
    row.others.emplace(name, std::move(value));
}

Result<LabelledRow> read_row(std::string_view line, const RowColumns& columns) {
  TRY(const json::object object, codec::parse_json_object(line));
  TRY_DONE(codec::json_text(object, columns.text));
  TRY_DONE(codec::json_text(object, columns.label));
  LabelledRow out;
  for (const auto& [key, value] : object)
    if (value.is_string()) put(out, columns, key, std::string(value.get_string()));
  return out;
}

Status read_json_lines(std::string_view text, const DataFile& file, const RowColumns& columns,
                       std::vector<LabelledRow>& out) {
  size_t line_number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++line_number;
    if (line.empty()) continue;
    auto row = read_row(line, columns);
    if (!row.ok())
      return fail(Reason::bad_request,
                  fmt::format("{}, line {}: {}", file.path, line_number, row.error().message));
    out.push_back(std::move(row).value());
  }
  return Done{};
}

Error no_column(const DataFile& file, std::string_view name) {
  return fail(Reason::bad_request, fmt::format("{} has no column '{}' of texts", file.path, name));
}

Status read_csv(std::string_view text, const DataFile& file, const RowColumns& columns,
                std::vector<LabelledRow>& out) {
  auto parsed = codec::parse_csv(text, {.rows_max = rows_max});
  if (!parsed.ok())
    return fail(Reason::bad_request, fmt::format("{}, {}", file.path, parsed.error().message));
  std::vector<std::vector<std::string>>& rows = parsed.value();
  const std::vector<std::string> names = rows.empty() ? std::vector<std::string>() : rows.front();
  for (const std::string& wanted : {columns.text, columns.label})
    if (std::find(names.begin(), names.end(), wanted) == names.end()) return no_column(file, wanted);
  for (size_t i = 1; i < rows.size(); ++i) {
    LabelledRow row;
    for (size_t column = 0; column < names.size(); ++column)
      put(row, columns, names[column], std::move(rows[i][column]));
    out.push_back(std::move(row));
  }
  return Done{};
}

// Names of a ClassLabel column, as `datasets` keeps them beside the columns; empty for any other column.
std::vector<std::string> class_names(const codec::ParquetTable& table, std::string_view column) {
  const auto note = table.notes.find("huggingface");
  if (note == table.notes.end()) return {};
  const auto known = codec::parse_json(note->second);
  if (!known.ok()) return {};
  const json::value* at = &known.value();
  for (const std::string_view key :
       {std::string_view("info"), std::string_view("features"), column, std::string_view("names")}) {
    at = at->is_object() ? at->get_object().if_contains(key) : nullptr;
    if (at == nullptr) return {};
  }
  std::vector<std::string> names;
  if (!at->is_array()) return {};
  for (const json::value& name : at->get_array())
    names.push_back(name.is_string() ? std::string(name.get_string()) : std::string());
  return names;
}

std::optional<std::string> text_of(const codec::ParquetValue& value, const std::vector<std::string>& names) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr || *number < 0 || static_cast<size_t>(*number) >= names.size()) return std::nullopt;
  return names[static_cast<size_t>(*number)];
}

Status read_table(std::string_view bytes, const DataFile& file, const RowColumns& columns,
                  std::vector<LabelledRow>& out) {
  auto read = codec::read_parquet(as_bytes(bytes), {.rows_max = rows_max});
  if (!read.ok()) return fail(Reason::bad_request, fmt::format("{}: {}", file.path, read.error().message));
  const codec::ParquetTable& table = read.value();
  const size_t first = out.size();
  out.resize(first + table.rows);
  std::set<std::string> filled;
  for (const codec::ParquetColumn& column : table.columns) {
    const std::vector<std::string> names = class_names(table, column.name);
    const bool needed = column.name == columns.text || column.name == columns.label;
    for (size_t i = 0; i < table.rows; ++i) {
      auto text = text_of(column.values[i], names);
      if (!text && !needed) continue;
      if (!text)
        return fail(Reason::bad_request,
                    fmt::format("{}, row {}: '{}' is no text", file.path, i + 1, column.name));
      put(out[first + i], columns, column.name, std::move(*text));
    }
    filled.insert(column.name);
  }
  for (const std::string& wanted : {columns.text, columns.label})
    if (!filled.contains(wanted)) return no_column(file, wanted);
  return Done{};
}

}  // namespace

Result<std::vector<LabelledRow>> read_split(std::span<const std::string> paths, std::string_view split,
                                            const RowColumns& columns, const ReadDataFile& read) {
  TRY(const std::vector<DataFile> files, files_of_split(paths, split));
  std::vector<LabelledRow> out;
  for (const DataFile& file : files) {
    TRY(const std::string text, read(file.path));
    switch (file.format) {
      case DataFormat::json_lines:
        TRY_DONE(read_json_lines(text, file, columns, out));
        break;
      case DataFormat::parquet:
        TRY_DONE(read_table(text, file, columns, out));
        break;
      case DataFormat::csv:
        TRY_DONE(read_csv(text, file, columns, out));
        break;
    }
    if (out.size() > rows_max) return fail(Reason::bad_request, fmt::format("{} has too many rows", split));
  }
  for (size_t i = 0; i < out.size(); ++i)
    if (out[i].id.empty()) out[i].id = fmt::format("{}-{}", split, i + 1);
  return out;
}

std::vector<std::string> labels_of(const std::vector<LabelledRow>& rows) {
  std::set<std::string> labels;
  for (const LabelledRow& row : rows) labels.insert(row.label);
  return {labels.begin(), labels.end()};
}

}  // namespace holdfast::measure
