#include "repo/masked_content.h"

#include <fmt/format.h>

#include <algorithm>

#include "codec/hmac.h"
#include "codec/parquet_rewrite.h"
#include "scan/column_text.h"
#include "scan/repack.h"

namespace holdfast::repo {
namespace {

constexpr size_t unread_max = 1000;
constexpr size_t rows_bytes_max = 1 << 20;  // Of a column, looked through at once.

bool ends(std::string_view path, std::string_view end) {
  return path.size() > end.size() &&
         std::ranges::equal(path.substr(path.size() - end.size()), end,
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}
bool is_parquet(std::string_view path) { return ends(path, ".parquet"); }
bool is_packed(std::string_view path) {
  return ends(path, ".zip") || ends(path, ".tar") || ends(path, ".tar.gz") || ends(path, ".tgz");
}

void leave(MaskedContent& out, std::string_view part, std::string why) {
  if (out.unread.size() < unread_max) out.unread.emplace_back(part, std::move(why));
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

MaskedContent mask_text(std::string_view path, std::string_view text, scan::MaskWith with,
                        const std::string& key) {
  MaskedContent out;
  if (text.find('\0') != std::string_view::npos) {
    leave(out, "", "is no text");
    return out;
  }
  out.looked_into = true;
  const scan::TextShape shape = scan::shape_of_name(path);
  out.findings = scan::find_personal(text, shape, first_line(text)).size();
  if (out.findings == 0) return out;
  out.instead = scan::mask_personal(text, shape, with, key);
  out.left_findings = scan::find_personal(*out.instead, shape, first_line(*out.instead)).size();
  return out;
}

class ColumnMasker {
 public:
  ColumnMasker(codec::ParquetLeafValues& column, scan::MaskWith with, const std::string& key,
               MaskedContent& out)
      : header_(scan::as_column_line(column.path)), column_(column), with_(with), key_(key), out_(out) {}

  bool mask() {
    bool changed = false;
    for (size_t begin = 0; begin < column_.values.size();) {
      const size_t end = end_of_rows(begin);
      changed = put_back(begin, end) || changed;
      begin = end;
    }
    return changed;
  }

 private:
  std::string line_of(size_t value) const {
    return scan::as_column_line(scan::column_text(column_, column_.values[value]).value_or(""));
  }
  // Values of some size, looked through at once.
  size_t end_of_rows(size_t begin) const {
    size_t bytes = 0, end = begin;
    for (; end < column_.values.size() && bytes < rows_bytes_max; ++end) bytes += line_of(end).size() + 1;
    return end;
  }
  std::string rows(size_t begin, size_t end) const {
    std::string text = header_ + "\n";
    for (size_t i = begin; i < end; ++i) text += line_of(i) + "\n";
    return text;
  }

  size_t count(const std::string& text) const {
    return scan::find_personal(text, scan::TextShape::tab_table, header_).size();
  }

  bool put_back(size_t begin, size_t end) {
    const std::string text = rows(begin, end);
    const size_t found = count(text);
    if (found == 0) return false;
    out_.findings += found;
    const std::string masked = scan::mask_personal(text, scan::TextShape::tab_table, with_, key_);
    std::string_view was = text, is = masked;
    for (std::string_view* each : {&was, &is})
      each->remove_prefix(std::min(each->size(), each->find('\n') + 1));
    for (size_t i = begin; i < end; ++i) {
      const std::string_view before = take_line(was), now = take_line(is);
      if (before != now) column_.values[i] = instead_of(column_.values[i], now);
    }
    out_.left_findings += count(rows(begin, end));
    return true;
  }

  static std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    return line;
  }

  // A number, or a text that must have one length, has no place for a mask: it is missing then, or nought in
  // a column where nothing may be missing. Hashed, equal numbers stay equal ones: negative, and shorter than
  // whatever numbers people have.
  codec::ParquetValue instead_of(const codec::ParquetValue& value, std::string_view masked) const {
    const bool is_text = column_.kind == codec::ParquetKind::text;
    if (std::holds_alternative<std::string>(value)) {
      // What stands for it may be longer than values of this column are.
      std::string text = is_text ? scan::from_column_line(masked) : std::string();
      if (is_text && (column_.length == 0 || text.size() <= column_.length)) {
        text.resize(std::max<size_t>(text.size(), column_.length), ' ');
        return text;
      }
      if (column_.optional) return codec::ParquetValue();
      return std::string(std::max<size_t>(column_.length, 1), is_text ? ' ' : '\0');
    }
    const auto as_kind = [&](int64_t number) -> codec::ParquetValue {
      if (std::holds_alternative<double>(value)) return static_cast<double>(number);
      return number;
    };
    if (with_ == scan::MaskWith::hash && column_.kind == codec::ParquetKind::whole) {
      const auto digest =
          codec::hmac_sha256(as_bytes(key_), as_bytes(scan::column_text(column_, value).value_or("")));
      uint64_t number = 0;
      for (size_t i = 0; i < sizeof number; ++i)
        number = number << 8 | static_cast<uint64_t>(std::to_integer<uint8_t>(digest[i]));
      const int64_t hashed = -1 - static_cast<int64_t>(number % hashed_numbers);
      if (count(fmt::format("{}\n{}\n", header_, hashed)) == 0) return as_kind(hashed);
    }
    return column_.optional ? codec::ParquetValue() : as_kind(0);
  }

  static constexpr uint64_t hashed_numbers = 1'000'000;
  const std::string header_;
  codec::ParquetLeafValues& column_;
  const scan::MaskWith with_;
  const std::string& key_;
  MaskedContent& out_;
};

MaskedContent mask_parquet(ByteView bytes, scan::MaskWith with, const std::string& key) {
  MaskedContent out;
  auto rewritten = codec::rewrite_parquet(bytes, [&](codec::ParquetLeafValues& column) {
    if (column.kind == codec::ParquetKind::truth) return false;
    // Binary columns are no texts.
    const bool binary = column.kind == codec::ParquetKind::text &&
                        std::ranges::any_of(column.values, [](const codec::ParquetValue& value) {
                          const auto* text = std::get_if<std::string>(&value);
                          return text != nullptr && text->find('\0') != std::string::npos;
                        });
    if (binary) {
      leave(out, column.path, "is a column of bytes, not of texts");
      return false;
    }
    return ColumnMasker(column, with, key, out).mask();
  });
  if (!rewritten.ok()) {
    MaskedContent none;
    leave(none, "", "cannot be read: " + rewritten.error().message);
    return none;
  }
  out.looked_into = true;
  for (const codec::ParquetLeft& column : rewritten.value().left_out) leave(out, column.path, column.why);
  if (!rewritten.value().file.empty()) out.instead = std::move(rewritten.value().file);
  return out;
}

MaskedContent mask_packed(ByteView bytes, scan::MaskWith with, const std::string& key) {
  MaskedContent out;
  auto packed =
      scan::repack(bytes,
                   [&](std::string_view name, ByteView member) -> Result<std::optional<std::string>> {
                     if (is_packed(name) || is_parquet(name)) {
                       leave(out, name, "is packed within an archive");
                       return std::optional<std::string>();
                     }
                     if (member.size() > masked_text_bytes_max) {
                       leave(out, name, "is larger than 64 MiB");
                       return std::optional<std::string>();
                     }
                     MaskedContent one = mask_text(name, as_text(member), with, key);
                     out.findings += one.findings;
                     out.left_findings += one.left_findings;
                     for (auto& [part, why] : one.unread) leave(out, name, std::move(why));
                     return std::move(one.instead);
                   },
                   {.bytes_max = masked_packed_bytes_max});
  if (!packed.ok()) {
    MaskedContent none;
    leave(none, "", "cannot be read: " + packed.error().message);
    return none;
  }
  out.looked_into = true;
  out.instead = std::move(packed).value();
  return out;
}

}  // namespace

uint64_t masked_bytes_max(std::string_view path) {
  return is_parquet(path) || is_packed(path) ? masked_packed_bytes_max : masked_text_bytes_max;
}

MaskedContent mask_content(std::string_view path, ByteView bytes, scan::MaskWith with,
                           const std::string& key) {
  if (is_parquet(path)) return mask_parquet(bytes, with, key);
  if (is_packed(path)) return mask_packed(bytes, with, key);
  return mask_text(path, as_text(bytes), with, key);
}

}  // namespace holdfast::repo
