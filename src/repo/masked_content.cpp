#include "repo/masked_content.h"

#include <fmt/format.h>

#include <algorithm>

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
  ColumnMasker(std::string_view name, scan::MaskWith with, const std::string& key, MaskedContent& out)
      : header_(scan::as_column_line(name)), with_(with), key_(key), out_(out) {}

  bool mask(std::vector<codec::ParquetValue>& values) {
    bool changed = false;
    for (size_t begin = 0; begin < values.size();) {
      std::string text = header_ + "\n";
      size_t end = begin;
      for (; end < values.size() && text.size() < rows_bytes_max; ++end) {
        if (const auto* value = std::get_if<std::string>(&values[end])) text += scan::as_column_line(*value);
        text += '\n';
      }
      changed = put_back(text, std::span(values).subspan(begin, end - begin)) || changed;
      begin = end;
    }
    return changed;
  }

  // Of columns that are no texts: whether their values look personal under this
  // name.
  bool looks_personal(const std::vector<codec::ParquetValue>& values) const {
    std::string text = header_ + "\n";
    for (size_t i = 0; i < values.size() && text.size() < rows_bytes_max; ++i)
      if (const auto* number = std::get_if<int64_t>(&values[i])) text += fmt::format("{}\n", *number);
    return !scan::find_personal(text, scan::TextShape::tab_table, header_).empty();
  }

 private:
  bool put_back(const std::string& text, std::span<codec::ParquetValue> values) {
    const size_t found = scan::find_personal(text, scan::TextShape::tab_table, header_).size();
    if (found == 0) return false;
    const std::string masked = scan::mask_personal(text, scan::TextShape::tab_table, with_, key_);
    out_.findings += found;
    out_.left_findings += scan::find_personal(masked, scan::TextShape::tab_table, header_).size();
    std::string_view rest = masked;
    rest.remove_prefix(std::min(rest.size(), rest.find('\n') + 1));
    for (codec::ParquetValue& value : values) {
      const size_t line = rest.find('\n');
      if (auto* at = std::get_if<std::string>(&value)) {
        std::string now = scan::from_column_line(rest.substr(0, line));
        if (scan::as_column_line(now) != scan::as_column_line(*at)) *at = std::move(now);
      }
      rest = line == std::string_view::npos ? std::string_view() : rest.substr(line + 1);
    }
    return true;
  }

  const std::string header_;
  const scan::MaskWith with_;
  const std::string& key_;
  MaskedContent& out_;
};

MaskedContent mask_parquet(ByteView bytes, scan::MaskWith with, const std::string& key) {
  MaskedContent out;
  auto rewritten =
      codec::rewrite_parquet(bytes, [&](std::string_view column, std::vector<codec::ParquetValue>& values) {
        // Binary columns are no texts.
        const bool binary = std::ranges::any_of(values, [](const codec::ParquetValue& value) {
          const auto* text = std::get_if<std::string>(&value);
          return text != nullptr && text->find('\0') != std::string::npos;
        });
        if (binary) {
          leave(out, column, "is a column of bytes, not of texts");
          return false;
        }
        return ColumnMasker(column, with, key, out).mask(values);
      });
  if (!rewritten.ok()) {
    MaskedContent none;
    leave(none, "", "cannot be read: " + rewritten.error().message);
    return none;
  }
  out.looked_into = true;
  for (const std::string& column : rewritten.value().left_out)
    leave(out, column, "is a nested column, which is not looked into");
  const auto table = codec::read_parquet(bytes);
  if (table.ok())
    for (const codec::ParquetColumn& column : table.value().columns)
      if (ColumnMasker(column.name, with, key, out).looks_personal(column.values))
        leave(out, column.name, "holds numbers that look personal: only texts are masked");
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
