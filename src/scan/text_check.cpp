#include "scan/text_check.h"

#include <algorithm>

#include "scan/model_formats.h"
#include "scan/secrets.h"
#include "scan/template_check.h"

namespace holdfast::scan {
namespace {

constexpr uint64_t whole_bytes_max = 32 << 20;  // Of files that are parsed as one.

bool is_json(std::string_view name) {
  return name.ends_with(".ipynb") || name.ends_with(".json") || name.ends_with(".jsonl") ||
         name.ends_with(".ndjson");
}

// Takes the escapes of JSON's strings away without moving a byte or a line. A quote stays next to what it
// quotes: after a sign it opens, else it closes.
void blank_escapes(Bytes& bytes) {
  for (size_t i = 0; i + 1 < bytes.size(); ++i) {
    if (bytes[i] != std::byte{'\\'}) continue;
    const char next = static_cast<char>(bytes[i + 1]);
    const char before = i == 0 ? ' ' : static_cast<char>(bytes[i - 1]);
    const bool closes = next == '"' && std::string_view(" =:(,[{>|?").find(before) == std::string_view::npos;
    bytes[i] = closes ? std::byte{'"'} : std::byte{' '};
    if (closes || next == 'n' || next == 't' || next == 'r') bytes[i + 1] = std::byte{' '};
    ++i;
  }
}

Status check_secrets(Source& source, std::string_view name, const Place& place, uint64_t bytes_max,
                     FileReport& report) {
  SecretSearch search(place, report);
  constexpr size_t step = 4 << 20, overlap = 4096;
  const uint64_t end = std::min(source.size(), bytes_max);
  uint32_t line = 1;
  for (uint64_t at = 0; at < end; at += step) {
    TRY(Bytes piece, read_some(source, at, std::min<uint64_t>(step + overlap, source.size() - at)));
    if (is_json(name)) blank_escapes(piece);
    search.look(as_text(piece), line, std::min(piece.size(), step));
    line += static_cast<uint32_t>(
        std::count(piece.begin(), piece.begin() + static_cast<ptrdiff_t>(std::min(piece.size(), step)),
                   std::byte{'\n'}));
  }
  if (source.size() > end)
    report.add({Topic::secret, "secret.limit", Severity::note, place,
                "only the beginning was looked through for secrets"});
  return Done{};
}

}  // namespace

Status check_text(Source& source, ByteView head, std::string_view name, const Place& place,
                  uint64_t bytes_max, FileReport& report) {
  if (head.empty() || std::find(head.begin(), head.end(), std::byte{0}) != head.end()) return Done{};
  static const std::string eicar = std::string("X5O!P%@AP[4\\PZX54(P^)7CC)7}") + "$EICAR-STANDARD-ANTIVIRUS";
  if (as_text(head).starts_with(eicar))
    report.add({Topic::format, "eicar", Severity::dangerous, place, "is the test file of virus scanners"});
  TRY_DONE(check_secrets(source, name, place, bytes_max, report));
  const bool templates = may_hold_templates(name), config = name.ends_with("config.json");
  if ((!is_template_name(name) && !templates && !config) || source.size() > whole_bytes_max) return Done{};
  TRY(const Bytes all, read_some(source, 0, source.size()));
  if (is_template_name(name)) check_template(as_text(all), place, report);
  if (templates) check_json_templates(as_text(all), place, report);
  if (config) {
    check_model_config(as_text(all), place, report);
    TRY_DONE(check_keras(source, place, report));
  }
  return Done{};
}

}  // namespace holdfast::scan
