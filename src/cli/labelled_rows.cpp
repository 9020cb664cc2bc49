#include "cli/labelled_rows.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <set>

#include "codec/json.h"

namespace holdfast::cli {
namespace {

constexpr uint64_t split_bytes_max = 512 << 20;
constexpr size_t rows_max = 5'000'000;

Result<LabelledRow> read_row(std::string_view line, const RowColumns& columns) {
  TRY(const boost::json::object object, codec::parse_json_object(line));
  LabelledRow out;
  TRY(const std::string_view text, codec::json_text(object, columns.text));
  TRY(const std::string_view label, codec::json_text(object, columns.label));
  out.text = text;
  out.label = label;
  for (const auto& [key, value] : object) {
    if (!value.is_string() || key == columns.text || key == columns.label) continue;
    if (key == "id")
      out.id = value.get_string();
    else if (key != "pattern")
      out.others.emplace(key, value.get_string());
  }
  return out;
}

Result<std::string> read_split(io::Disk& disk, std::string_view split) {
  const std::string file = std::string(split) + ".jsonl";
  auto text = io::read_text(disk, file, split_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found)
    text = io::read_text(disk, "data/" + file, split_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found)
    return fail(Reason::entry_not_found,
                fmt::format("the data has no {} (JSON lines; Parquet is not read)", file));
  return text;
}

}  // namespace

Result<std::vector<LabelledRow>> read_rows(io::Disk& disk, std::string_view split,
                                           const RowColumns& columns) {
  TRY(const std::string text, read_split(disk, split));
  std::vector<LabelledRow> out;
  size_t line_number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = std::string_view(text).substr(at, end - at);
    at = end + 1;
    ++line_number;
    if (line.empty()) continue;
    if (out.size() == rows_max) return fail(Reason::bad_request, fmt::format("{} has too many rows", split));
    auto row = read_row(line, columns);
    if (!row.ok())
      return fail(Reason::bad_request,
                  fmt::format("{}.jsonl, line {}: {}", split, line_number, row.error().message));
    if (row.value().id.empty()) row.value().id = fmt::format("{}-{}", split, line_number);
    out.push_back(std::move(row).value());
  }
  return out;
}

std::vector<std::string> labels_of(const std::vector<LabelledRow>& rows) {
  std::set<std::string> labels;
  for (const LabelledRow& row : rows) labels.insert(row.label);
  return {labels.begin(), labels.end()};
}

}  // namespace holdfast::cli
