#include "scan/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "scan/keywords.h"
#include "scan/pattern.h"
#include "scan/secret_rules.h"

namespace holdfast::scan {
namespace {

constexpr size_t own_tokens_max = 100;

struct Rules {
  std::vector<Pattern> patterns;
  Keywords keywords;

  Rules() {
    for (const SecretRule& rule : secret_rules()) {
      const auto id = static_cast<uint32_t>(patterns.size());
      patterns.emplace_back(rule.pattern);
      for (size_t begin = 0; begin < rule.keywords.size();) {
        const size_t end = std::min(rule.keywords.find(' ', begin), rule.keywords.size());
        keywords.add(rule.keywords.substr(begin, end - begin), id);
        begin = end + 1;
      }
    }
    keywords.build();
  }
};

const Rules& rules() {
  static const Rules made;
  return made;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Examples, blanks and names of variables.
bool is_harmless(std::string_view secret, const SecretRule& rule) {
  const std::string low = lower(secret);
  static constexpr auto words =
      std::to_array<std::string_view>({"example", "xxxx", "....", "your_", "your-", "yourtoken",
                                       "place"
                                       "holder",
                                       "changeme", "dummy", "1234567890abcdef", "abcdefghij", "0123456789",
                                       "aaaaaaaa", "redacted", "${", "{{", "<your"});
  if (std::any_of(words.begin(), words.end(),
                  [&](std::string_view word) { return low.find(word) != std::string::npos; }))
    return true;
  if (rule.id != "generic-api-key") return false;
  // A key mixes letters and digits; words joined by dots, lines or steps of case are names.
  const auto digits = std::count_if(secret.begin(), secret.end(), is_digit);
  const auto letters = std::count_if(secret.begin(), secret.end(), is_letter);
  const auto joints = std::count_if(secret.begin(), secret.end(),
                                    [](char c) { return c == '.' || c == '_' || c == '-' || c == '/'; });
  if (digits < 2 || letters < 4 || joints > 3) return true;
  static constexpr auto named = std::to_array<std::string_view>(
      {"test", "sample", "secret", "token", "password", "default", "value", "config", "http", "www", "sha1",
       "sha256", "md5", "version", "utf-8", "application", "fake"});
  return std::any_of(named.begin(), named.end(),
                     [&](std::string_view word) { return low.find(word) != std::string::npos; });
}

}  // namespace

double shannon_entropy(std::string_view text) {
  if (text.empty()) return 0;
  std::array<uint32_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  for (const uint32_t count : counts) {
    if (count == 0) continue;
    const double share = static_cast<double>(count) / static_cast<double>(text.size());
    bits -= share * std::log2(share);
  }
  return bits;
}

void SecretSearch::look(std::string_view piece, uint32_t first_line, size_t own_bytes) {
  const auto table = secret_rules();
  std::vector<size_t> tried(table.size(), 0);  // Up to where each rule has looked.
  size_t counted_to = 0;
  uint32_t line = first_line;
  rules().keywords.find(piece, [&](size_t end, uint32_t id) {
    const SecretRule& rule = table[id];
    if (end <= tried[id]) return;
    const size_t from = std::max(tried[id], end > rule.before + 32U ? end - rule.before - 32 : 0);
    const size_t to = std::min(piece.size(), end + rule.after);
    const auto match = rules().patterns[id].find(piece.substr(0, to), from);
    if (!match) return;  // A later keyword may stand nearer; its reach begins anew.
    tried[id] = match->end;
    if (match->begin >= own_bytes) return;
    if (shannon_entropy(match->captured) < rule.entropy || is_harmless(match->captured, rule)) return;
    // Matches come nearly in order; lines are counted on from the last one before.
    if (match->begin < counted_to) {
      counted_to = 0;
      line = first_line;
    }
    line += static_cast<uint32_t>(std::count(piece.begin() + static_cast<ptrdiff_t>(counted_to),
                                             piece.begin() + static_cast<ptrdiff_t>(match->begin), '\n'));
    counted_to = match->begin;
    Place place = place_;
    place.line = line;
    if (rule.id == own_token_rule && report_.tokens.size() < own_tokens_max)
      report_.tokens.emplace_back(match->captured);
    report_.add({Topic::secret, fmt::format("secret.{}", rule.id), rule.severity, std::move(place),
                 fmt::format("holds {} ({}…, {} characters)", rule.what, match->captured.substr(0, 4),
                             match->captured.size())});
  });
}

}  // namespace holdfast::scan
