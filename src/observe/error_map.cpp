#include "observe/error_map.h"

#include <algorithm>
#include <optional>

namespace holdfast::observe {
namespace {

using Script = InputCluster::Script;
using Length = InputCluster::Length;

constexpr size_t letters_looked_at = 4096;

// Blocks of Unicode's roadmap, coarsely.
Script script_of(uint32_t letter) {
  if (letter < 0x250) return Script::latin;
  if (letter >= 0x400 && letter < 0x530) return Script::cyrillic;
  if ((letter >= 0x600 && letter < 0x780) || (letter >= 0xFB50 && letter < 0xFE00)) return Script::arabic;
  if ((letter >= 0x2E80 && letter < 0xA4D0) || (letter >= 0xAC00 && letter < 0xD7B0) ||
      (letter >= 0xF900 && letter < 0xFB00) || (letter >= 0x20000 && letter < 0x32000))
    return Script::asian;
  return Script::other;
}

int hex_of(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The four digits of a \uXXXX at `at`; nullopt where there are none.
std::optional<uint32_t> escape_at(std::string_view body, size_t at) {
  if (body.size() - at < 6 || body[at] != '\\' || body[at + 1] != 'u') return std::nullopt;
  uint32_t out = 0;
  for (size_t i = at + 2; i < at + 6; ++i) {
    const int digit = hex_of(body[i]);
    if (digit < 0) return std::nullopt;
    out = out << 4 | static_cast<uint32_t>(digit);
  }
  return out;
}

// The letter that begins at `at`, and how many bytes it has; damaged bytes stand for themselves.
std::pair<uint32_t, size_t> letter_at(std::string_view body, size_t at) {
  if (const auto escaped = escape_at(body, at)) return {*escaped, 6};
  const auto first = static_cast<unsigned char>(body[at]);
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  if (size == 1 || body.size() - at < size) return {first, 1};
  uint32_t letter = first & (0xFFU >> (size + 1));
  for (size_t i = 1; i < size; ++i) letter = letter << 6 | (static_cast<unsigned char>(body[at + i]) & 0x3FU);
  return {letter, size};
}

bool is_plain_letter(uint32_t letter) {
  return letter >= 0x80 || (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
}

int64_t hour_of(WallTime at) { return at.time_since_epoch() / std::chrono::hours(1); }

}  // namespace

std::string_view script_name(Script script) {
  switch (script) {
    case Script::latin:
      return "latin";
    case Script::cyrillic:
      return "cyrillic";
    case Script::arabic:
      return "arabic";
    case Script::asian:
      return "asian";
    case Script::other:
      return "other";
    case Script::unknown:
      return "unknown";
  }
  return "";
}

std::string_view length_name(Length length) {
  switch (length) {
    case Length::to_100:
      return "to 100";
    case Length::to_1000:
      return "to 1000";
    case Length::to_10000:
      return "to 10000";
    case Length::longer:
      return "longer";
  }
  return "";
}

// A body's own words ("inputs") are Latin; a text of another script outweighs them soon, so that of the
// letters that are not ASCII decides once they are a fifth.
InputCluster cluster_of(std::string_view body) {
  if (body.empty()) return {};
  size_t ascii = 0, letters = 0;
  std::array<size_t, 5> of_script{};
  for (size_t at = 0; at < body.size() && letters < letters_looked_at;) {
    const auto [letter, size] = letter_at(body, at);
    at += size;
    ++letters;
    if (!is_plain_letter(letter)) continue;
    if (letter < 0x80)
      ++ascii;
    else
      ++of_script[static_cast<size_t>(script_of(letter))];
  }
  size_t beyond = 0;
  for (const size_t each : of_script) beyond += each;
  InputCluster out{.script = Script::latin};
  if (beyond * 4 >= ascii && beyond > 0)
    out.script =
        static_cast<Script>(std::max_element(of_script.begin(), of_script.end()) - of_script.begin());
  const size_t size = letters < letters_looked_at ? letters : body.size();
  out.length = size <= 100     ? Length::to_100
               : size <= 1000  ? Length::to_1000
               : size <= 10000 ? Length::to_10000
                               : Length::longer;
  return out;
}

void ErrorMap::count(const std::string& record, WallTime at, InputCluster cluster, const ErrorClass* error) {
  const int64_t hour = hour_of(at);
  std::lock_guard lock(mutex_);
  auto found = records_.find(record);
  if (found == records_.end()) {
    if (records_.size() >= records_max) return;
    found = records_.emplace(record, std::map<Key, ErrorCell>()).first;
  }
  auto& cells = found->second;
  cells.erase(cells.begin(), cells.lower_bound({hour - hours + 1, InputCluster{.script = Script::latin}}));
  ErrorCell& cell = cells[{hour, cluster}];
  cell.hour = WallTime(std::chrono::hours(hour));
  cell.cluster = cluster;
  ++cell.requests;
  if (error != nullptr) ++cell.errors[static_cast<size_t>(*error)];
}

std::vector<ErrorCell> ErrorMap::view(const std::string& record, WallTime now) const {
  const int64_t oldest = hour_of(now) - hours + 1;
  std::vector<ErrorCell> out;
  std::lock_guard lock(mutex_);
  const auto found = records_.find(record);
  if (found == records_.end()) return out;
  for (const auto& [key, cell] : found->second)
    if (key.first >= oldest) out.push_back(cell);
  return out;
}

}  // namespace holdfast::observe
