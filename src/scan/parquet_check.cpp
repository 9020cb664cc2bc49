#include "scan/parquet_check.h"

#include <algorithm>

#include "codec/parquet.h"
#include "scan/column_text.h"
#include "scan/personal.h"
#include "scan/secrets.h"

namespace holdfast::scan {
namespace {

constexpr size_t piece_bytes = 1 << 20;
constexpr size_t path_bytes_max = 300;

class ColumnCheck {
 public:
  ColumnCheck(const Place& file, std::string_view column, FileReport& report)
      : place_(file), header_(as_column_line(column)), report_(report), secrets_(place_, report) {
    place_.member += (place_.member.empty() ? "" : "!") + std::string(column.substr(0, path_bytes_max));
  }

  void look(const codec::ParquetLeafValues& column) {
    for (size_t begin = 0; begin < column.values.size();) {
      std::string text;
      size_t end = begin;
      for (; end < column.values.size() && text.size() < piece_bytes; ++end) {
        if (const auto value = column_text(column, column.values[end])) text += as_column_line(*value);
        text += '\n';
      }
      if (text.find('\0') != std::string::npos) return;  // A column of bytes.
      // Places are counted in values first, then told by their rows.
      const size_t before = report_.findings.size();
      secrets_.look(text, static_cast<uint32_t>(begin + 1), text.size());
      tell_personal(text, static_cast<uint32_t>(begin + 1));
      for (size_t i = before; i < report_.findings.size(); ++i)
        if (auto& line = report_.findings[i].place.line) line = column.row_of(*line - 1) + 1;
      begin = end;
    }
  }

 private:
  void tell_personal(std::string_view rows, uint32_t row) {
    const std::string text = header_ + "\n" + std::string(rows);
    size_t counted = header_.size() + 1;
    for (const PersonalSpan& span : find_personal(text, TextShape::tab_table, header_)) {
      if (span.begin < counted) continue;
      row += static_cast<uint32_t>(std::count(text.begin() + static_cast<ptrdiff_t>(counted),
                                              text.begin() + static_cast<ptrdiff_t>(span.begin), '\n'));
      counted = span.begin;
      Place there = place_;
      there.line = row;
      report_.add(personal_finding(span, std::move(there)));
    }
  }

  Place place_;
  const std::string header_;
  FileReport& report_;
  SecretSearch secrets_;
};

}  // namespace

bool has_parquet_magic(ByteView head) { return as_text(head).starts_with("PAR1"); }

Status check_parquet(Source& source, const Place& place, uint64_t bytes_max, FileReport& report) {
  if (source.size() > bytes_max) {
    report.add({Topic::personal, "personal.limit", Severity::note, place,
                "the table is too large to be looked through"});
    return Done{};
  }
  TRY(const Bytes bytes, read_some(source, 0, source.size()));
  const auto left = codec::look_at_parquet(bytes, [&](const codec::ParquetLeafValues& column) {
    if (column.kind != codec::ParquetKind::truth) ColumnCheck(place, column.path, report).look(column);
  });
  if (!left.ok()) {
    report.add({Topic::personal, "personal.unread", Severity::note, place,
                "the table cannot be looked through: " + left.error().message});
    return Done{};
  }
  for (const codec::ParquetLeft& column : left.value()) {
    Place there = place;
    there.member += (there.member.empty() ? "" : "!") + column.path.substr(0, path_bytes_max);
    report.add({Topic::personal, "personal.unread", Severity::note, std::move(there),
                "the column cannot be looked through: " + column.why});
  }
  return Done{};
}

}  // namespace holdfast::scan
