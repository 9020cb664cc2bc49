#include "scan/license_cases.h"

#include <fmt/format.h>

#include <optional>

namespace holdfast::scan {
namespace {

constexpr size_t cases_max = 10'000, parts_max = 64, differences_max = 1000;
constexpr std::string_view letters = "ACPR";  // In the order of Verdict.

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\r')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

// Takes what is before `end` off the front of `rest`.
std::string_view take_until(std::string_view& rest, char end) {
  const size_t at = rest.find(end);
  const std::string_view word = rest.substr(0, at);
  rest = at == std::string_view::npos ? std::string_view() : rest.substr(at + 1);
  return word;
}

std::optional<Component::Role> role_of(std::string_view word) {
  using Role = Component::Role;
  if (word == "model") return Role::model;
  if (word == "base") return Role::base_model;
  if (word == "dataset") return Role::dataset;
  if (word == "code") return Role::code;
  return {};
}

Result<LicenseCase> parse_case(std::string_view line) {
  LicenseCase out;
  const std::string_view truth = take_until(line, '\t');
  if (truth.size() != license_uses)
    return fail(Reason::bad_request, fmt::format("a case has {} letters", license_uses));
  for (size_t i = 0; i < license_uses; ++i) {
    const size_t verdict = letters.find(truth[i]);
    if (verdict == std::string_view::npos)
      return fail(Reason::bad_request, "the letters of a case are A, C, P and R");
    out.truth[i] = static_cast<Verdict>(verdict);
  }
  out.chain = trim(take_until(line, '\t'));
  out.why = trim(line);
  if (out.why.empty()) return fail(Reason::bad_request, "a case says why");
  TRY(out.components, parse_license_chain(out.chain));
  return out;
}

}  // namespace

Result<std::vector<Component>> parse_license_chain(std::string_view text) {
  std::vector<Component> parts;
  while (!text.empty()) {
    const std::string_view part = trim(take_until(text, ';'));
    const size_t space = part.find(' ');
    const auto role = role_of(part.substr(0, space));
    const std::string_view license =
        space == std::string_view::npos ? std::string_view() : trim(part.substr(space));
    if (!role || license.empty())
      return fail(Reason::bad_request,
                  "a chain is \"model LICENCE; base LICENCE; dataset LICENCE; code LICENCE\"");
    if (parts.size() == parts_max) return fail(Reason::bad_request, "a chain has too many parts");
    parts.push_back({.role = *role,
                     .name = fmt::format("{}", parts.size() + 1),
                     .license = std::string(license == "none" ? std::string_view() : license)});
  }
  if (parts.empty()) return fail(Reason::bad_request, "a chain has no parts");
  return parts;
}

IntendedUse license_use(size_t index) {
  return {.purpose = static_cast<IntendedUse::Purpose>(index / 2), .shared = index % 2 == 1};
}

std::string license_use_name(size_t index) {
  constexpr std::array<std::string_view, 3> purposes{"commercial", "non-commercial", "research"};
  return fmt::format("{}{}", purposes[index / 2], index % 2 == 1 ? ", shared" : "");
}

Result<std::vector<LicenseCase>> parse_license_cases(std::string_view text) {
  std::vector<LicenseCase> cases;
  for (size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = take_until(text, '\n');
    if (trim(line).empty() || line.front() == '#') continue;
    auto one = parse_case(line);
    if (!one.ok()) return fail(Reason::bad_request, fmt::format("line {}: {}", number, one.error().message));
    if (cases.size() == cases_max) return fail(Reason::bad_request, "there are too many cases");
    cases.push_back(std::move(one).value());
  }
  return cases;
}

uint64_t LicenseConfusion::all() const {
  uint64_t sum = 0;
  for (const auto& row : said)
    for (const uint64_t count : row) sum += count;
  return sum;
}

uint64_t LicenseConfusion::agreed() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < verdict_count; ++i) sum += said[i][i];
  return sum;
}

uint64_t LicenseConfusion::guessed() const {
  uint64_t sum = 0;
  for (size_t truth = 1; truth < verdict_count; ++truth) sum += said[truth][0];
  return sum;
}

LicenseConfusion compare_license_cases(const std::vector<LicenseCase>& cases) {
  LicenseConfusion out;
  for (const LicenseCase& each : cases)
    for (size_t use = 0; use < license_uses; ++use) {
      const Verdict truth = each.truth[use];
      const LicenseReport report = judge_licenses(each.components, license_use(use));
      ++out.said[static_cast<size_t>(truth)][static_cast<size_t>(report.verdict)];
      if (report.verdict != truth && out.differences.size() < differences_max)
        out.differences.push_back(fmt::format("{} ({}): is {}, said {}: {}", each.chain,
                                              license_use_name(use), verdict_name(truth),
                                              verdict_name(report.verdict), each.why));
    }
  return out;
}

std::string confusion_table(const LicenseConfusion& confusion) {
  std::string out = "| is \\ said |";
  for (size_t i = 0; i < verdict_count; ++i)
    out += fmt::format(" {} |", verdict_name(static_cast<Verdict>(i)));
  out += "\n|---|---:|---:|---:|---:|\n";
  for (size_t truth = 0; truth < verdict_count; ++truth) {
    out += fmt::format("| {} |", verdict_name(static_cast<Verdict>(truth)));
    for (const uint64_t count : confusion.said[truth]) out += fmt::format(" {} |", count);
    out += "\n";
  }
  return out;
}

}  // namespace holdfast::scan
