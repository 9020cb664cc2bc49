#include "scan/secrets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cmath>
#include <tuple>
#include <vector>

#include "codec/base64.h"
#include "codec/json.h"
#include "scan/keywords.h"
#include "scan/pattern.h"
#include "scan/secret_rules.h"

namespace holdfast::scan {
namespace {

constexpr size_t own_tokens_max = 100;

constexpr size_t found_max = 10'000;  // Of one piece.

struct Rules {
  std::vector<Pattern> patterns;
  std::vector<bool> assigned;
  Keywords keywords;

  Rules() {
    for (const SecretRule& rule : secret_rules()) {
      const auto id = static_cast<uint32_t>(patterns.size());
      patterns.emplace_back(rule.pattern);
      assigned.push_back(is_by_assignment(rule));
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

struct Found {
  size_t begin;  // Of the secret.
  std::string_view secret;
  uint32_t rule;
};

// Whether a neighbour says the same of these bytes: one with a form of its own, or an earlier of its kind.
bool is_covered(const std::vector<Found>& found, size_t at) {
  constexpr size_t near = 8;
  const size_t begin = found[at].begin, end = begin + found[at].secret.size();
  for (size_t i = at > near ? at - near : 0; i < std::min(found.size(), at + near); ++i) {
    if (i == at || found[i].begin >= end || found[i].begin + found[i].secret.size() <= begin) continue;
    if (i < at || !rules().assigned[found[i].rule]) return true;
  }
  return false;
}

// A cheap look before a pattern is tried: the rest of a name, then a sign that something is assigned.
bool assignment_follows(std::string_view text, size_t at) {
  constexpr size_t reach = 48;
  for (const size_t end = std::min(text.size(), at + reach); at < end; ++at) {
    const char c = text[at];
    if (c == '=' || c == ':' || c == '>' || c == ',' || c == '|' || c == '?') return true;
    const bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || c == '.' || c == ' ' || c == '\t' || c == '"' || c == '\'' ||
                      c == ']';
    if (!name) return false;
  }
  return false;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Credentials that standards print in their examples (RFC 5849, 6749, 6750, 7617), and documentation after
// them.
constexpr auto printed_examples = std::to_array<std::string_view>(
    {"ad180jjd733klru7", "0685bd9184jfhq22", "kkk9d7dh3k39sjv7", "9djdj82h48djs9d2", "nnch734d00sl2jdk",
     "pfkkdhi9sl3r4s00", "hh5s93j4hdidpola", "dpf43f3p2l4k3l03", "kd94hf93k423kf44", "hdhd0244k9j7ao03",
     "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "SplxlOBeZQQYbYS6WxSbIA", "mF_9.B5f-4.1JqM",
     "czZCaGRSa3F0MzpnWDFmQmF0M2JW", "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3",
     "QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "7Fjfp0ZBr1KtDRbnfVdmIw"});

// What stands in the place of a password where an address is explained.
constexpr auto password_words = std::to_array<std::string_view>(
    {"password", "passwd", "passphrase", "secret", "mypassword", "mysecret", "userpass", "user_password"});

// A JSON web token whose middle can be read and says nothing of who, for whom or until when opens no door.
bool claims_nothing(std::string_view token) {
  const size_t first = token.find('.');
  const std::string_view middle = token.substr(first + 1, token.find('.', first + 1) - first - 1);
  const auto bytes = codec::base64_decode(middle, codec::Base64Alphabet::url);
  if (!bytes.ok()) return false;
  const auto parsed = codec::parse_json_object(as_text(bytes.value()));
  if (!parsed.ok()) return false;
  static constexpr auto claims = std::to_array<std::string_view>(
      {"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "scope", "scp", "role", "roles", "email", "user",
       "user_id", "uid", "client_id", "azp", "tid", "sid"});
  return std::ranges::none_of(claims, [&](std::string_view claim) { return parsed.value().contains(claim); });
}

// Examples, blanks and names of variables.
bool is_harmless(std::string_view secret, const SecretRule& rule) {
  const std::string low = lower(secret);
  static constexpr auto words = std::to_array<std::string_view>(
      {"example", "xxxx", "....", "your_", "your-", "yourtoken",
       "place"
       "holder",
       "changeme", "dummy", "1234567890abcdef", "abcdefghij", "0123456789", "redacted", "${", "{{", "<your"});
  if (std::any_of(words.begin(), words.end(),
                  [&](std::string_view word) { return low.find(word) != std::string::npos; }))
    return true;
  if (std::ranges::find(printed_examples, secret) != printed_examples.end()) return true;
  if (rule.id == "url-password") return std::ranges::find(password_words, low) != password_words.end();
  if (rule.id == "jwt") return claims_nothing(secret);
  if (!is_by_assignment(rule)) return false;
  if (!rule.id.starts_with(generic_prefix)) return std::none_of(secret.begin(), secret.end(), is_digit);
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

namespace {

// Every secret of a text whose match is one that `takes` wants.
template <class Takes>
std::vector<Found> find_all(std::string_view piece, Takes takes) {
  const auto table = secret_rules();
  std::vector<size_t> tried(table.size(), 0);  // Up to where each rule has looked.
  std::vector<Found> found;
  rules().keywords.find(piece, [&](size_t end, uint32_t id) {
    const SecretRule& rule = table[id];
    if (end <= tried[id] || found.size() >= found_max) return;
    if (rules().assigned[id] && !assignment_follows(piece, end)) return;
    const size_t from = std::max(tried[id], end > rule.before + 32U ? end - rule.before - 32 : 0);
    const size_t to = std::min(piece.size(), end + rule.after);
    const auto match = rules().patterns[id].find(piece.substr(0, to), from);
    if (!match) return;  // A later keyword may stand nearer; its reach begins anew.
    tried[id] = match->end;
    if (!takes(*match)) return;
    if (shannon_entropy(match->captured) < rule.entropy || is_harmless(match->captured, rule)) return;
    found.push_back({static_cast<size_t>(match->captured.data() - piece.data()), match->captured, id});
  });
  return found;
}

}  // namespace

bool has_secret(std::string_view text, size_t seen, TextEnd end) {
  return !find_all(text, [&](const Pattern::Match& match) {
            const auto secret_end =
                static_cast<size_t>(match.captured.data() - text.data()) + match.captured.size();
            // What a form says of the character behind it is not known at the text's end.
            return secret_end > seen && (end == TextEnd::is_all || match.end < text.size());
          }).empty();
}

void SecretSearch::look(std::string_view piece, uint32_t first_line, size_t own_bytes) {
  const auto table = secret_rules();
  std::vector<Found> found =
      find_all(piece, [&](const Pattern::Match& match) { return match.begin < own_bytes; });
  // In the order of the text; of those that overlap the one with a form of its own comes first.
  std::sort(found.begin(), found.end(), [&](const Found& a, const Found& b) {
    return std::tuple(a.begin, rules().assigned[a.rule], a.rule) <
           std::tuple(b.begin, rules().assigned[b.rule], b.rule);
  });
  size_t counted_to = 0;
  uint32_t line = first_line;
  for (size_t i = 0; i < found.size(); ++i) {
    if (rules().assigned[found[i].rule] && is_covered(found, i)) continue;
    line += static_cast<uint32_t>(std::count(piece.begin() + static_cast<ptrdiff_t>(counted_to),
                                             piece.begin() + static_cast<ptrdiff_t>(found[i].begin), '\n'));
    counted_to = found[i].begin;
    tell(table[found[i].rule], found[i].secret, line);
  }
}

void SecretSearch::tell(const SecretRule& rule, std::string_view secret, uint32_t line) {
  Place place = place_;
  place.line = line;
  if (rule.id == own_token_rule && report_.tokens.size() < own_tokens_max)
    report_.tokens.emplace_back(secret);
  report_.add({Topic::secret, fmt::format("secret.{}", rule.id), rule.severity, std::move(place),
               fmt::format("holds {} ({}…, {} characters)", rule.what, secret.substr(0, 4), secret.size())});
}

}  // namespace holdfast::scan
