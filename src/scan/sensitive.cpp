#include "scan/sensitive.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "scan/personal.h"
#include "scan/secrets.h"

namespace holdfast::scan {
namespace {

constexpr uint64_t step_bytes = 1 << 20;

constexpr std::array<std::string_view, sensitive_kinds> names{"credentials", "identity", "payment",
                                                              "health",      "contacts", "marked"};

// Which of the kinds of personal data (scan/personal.h) belong to which of ours; what is not listed, such as
// addresses of machines, tells of nobody.
SensitiveKind kind_of(std::string_view personal) {
  static constexpr std::array payment = {"CREDIT_CARD", "IBAN_CODE", "US_BANK_NUMBER", "ABA_ROUTING_NUMBER",
                                         "CRYPTO"};
  static constexpr std::array health = {
      "US_NPI", "US_MBI",     "MEDICAL_LICENSE", "MEDICAL_RECORD_NUMBER", "HEALTH_INSURANCE_NUMBER",
      "UK_NHS", "AU_MEDICARE"};
  static constexpr std::array contacts = {"EMAIL_ADDRESS", "PHONE_NUMBER", "PERSON",
                                          "DATE_OF_BIRTH", "UK_POSTCODE",  "US_ZIP_CODE"};
  const auto among = [&](const auto& list) { return std::ranges::find(list, personal) != list.end(); };
  if (among(payment)) return SensitiveKind::payment;
  if (among(health)) return SensitiveKind::health;
  if (among(contacts)) return SensitiveKind::contacts;
  return SensitiveKind::identity;
}

bool tells_of_somebody(std::string_view personal) {
  return personal != "IP_ADDRESS" && personal != "MAC_ADDRESS" && personal != "URL" && personal != "UUID";
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// What documents say of themselves. In capitals, since the same words in a sentence are talk about such
// things.
constexpr std::array marks = {"STRICTLY CONFIDENTIAL",
                              "COMPANY CONFIDENTIAL",
                              "HIGHLY CONFIDENTIAL",
                              "CONFIDENTIAL",
                              "INTERNAL USE ONLY",
                              "FOR OFFICIAL USE ONLY",
                              "TOP SECRET",
                              "NOFORN",
                              "TLP:RED",
                              "TLP:AMBER",
                              "TRADE SECRET",
                              "DO NOT DISTRIBUTE",
                              "STRENG VERTRAULICH",
                              "NUR FÜR DEN DIENSTGEBRAUCH"};

// A line of its own, or the first words of one; a sign in the middle of a line is talk.
bool is_marked(std::string_view line) {
  while (!line.empty() &&
         (line.front() == ' ' || line.front() == '\t' || line.front() == '#' || line.front() == '*' ||
          line.front() == '/' || line.front() == '-' || line.front() == '[' || line.front() == '('))
    line.remove_prefix(1);
  return std::ranges::any_of(marks, [&](std::string_view mark) {
    return line.starts_with(mark) && (line.size() == mark.size() || !is_word(line[mark.size()]));
  });
}

class Search {
 public:
  explicit Search(std::string_view name) : shape_(shape_of_name(name)), secrets_(place_, report_) {}

  // Whole lines.
  void look(std::string_view piece, uint32_t line) {
    if (line == 1) header_ = piece.substr(0, piece.find('\n'));
    secrets_.look(piece, line, piece.size());
    size_t counted = 0;
    uint32_t at_line = line;
    for (const PersonalSpan& span : find_personal(piece, shape_, header_)) {
      at_line += static_cast<uint32_t>(std::count(piece.begin() + static_cast<ptrdiff_t>(counted),
                                                  piece.begin() + static_cast<ptrdiff_t>(span.begin), '\n'));
      counted = span.begin;
      if (tells_of_somebody(span.kind)) note(kind_of(span.kind), at_line, span.kind);
    }
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      if (is_marked(piece.substr(0, end))) note(SensitiveKind::marked, line, "what it says of itself");
      ++line;
      piece = end == std::string_view::npos ? std::string_view() : piece.substr(end + 1);
    }
  }

  std::vector<SensitiveFinding> all() {
    for (const Finding& finding : report_.findings)
      if (finding.severity == Severity::dangerous)
        note(SensitiveKind::credentials, finding.place.line.value_or(1), finding.rule);
    for (size_t i = 0; i < report_.tokens.size(); ++i)
      note(SensitiveKind::credentials, 1, "a token of this hub's form");
    std::vector<SensitiveFinding> out;
    for (SensitiveFinding& each : found_)
      if (each.places >= (each.kind == SensitiveKind::contacts ? contacts_min : 1))
        out.push_back(std::move(each));
    return out;
  }

 private:
  void note(SensitiveKind kind, uint32_t line, std::string_view what) {
    SensitiveFinding& each = found_[static_cast<size_t>(kind)];
    each.kind = kind;
    if (++each.places > 1) return;
    each.line = line;
    each.reason = fmt::format("looks like {} ({})", sensitive_name(kind), what);
  }

  const TextShape shape_;
  const Place place_{};
  FileReport report_;
  SecretSearch secrets_;
  std::string header_;
  std::array<SensitiveFinding, sensitive_kinds> found_{};
};

}  // namespace

std::string_view sensitive_name(SensitiveKind kind) { return names[static_cast<size_t>(kind)]; }

std::optional<SensitiveKind> sensitive_of_name(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<SensitiveKind>(found - names.begin());
}

Result<std::vector<SensitiveFinding>> find_sensitive(Source& source, std::string_view name,
                                                     uint64_t bytes_max) {
  Search search(name);
  uint32_t line = 1;
  const uint64_t end = std::min(source.size(), bytes_max);
  for (uint64_t at = 0; at < end;) {
    TRY(const Bytes bytes, read_some(source, at, step_bytes));
    if (bytes.empty()) break;
    std::string_view piece = as_text(bytes);
    if (piece.find('\0') != std::string_view::npos) return std::vector<SensitiveFinding>{};
    // Whole lines, where a line is no longer than a piece.
    if (at + piece.size() < source.size())
      if (const size_t last = piece.rfind('\n'); last != std::string_view::npos)
        piece = piece.substr(0, last + 1);
    search.look(piece, line);
    line += static_cast<uint32_t>(std::ranges::count(piece, '\n'));
    at += piece.size();
  }
  return search.all();
}

}  // namespace holdfast::scan
