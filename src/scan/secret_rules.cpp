#include "scan/secret_rules.h"

#include <fmt/format.h>

#include <array>
#include <deque>
#include <string>
#include <vector>

#include "base/check.h"
#include "scan/secret_form.h"

namespace holdfast::scan {
namespace {

constexpr Severity maybe = Severity::warning;

// What no maker's mark tells: standards, and values that are told by the name that they are given.
constexpr auto rules = std::to_array<SecretRule>({
    // RFC 7468: a label, base64 and line ends; PGP has a block and header lines.
    {"private-key", "a private key", "-----begin",
     R"re(-----BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY(?: BLOCK)?-----([\s\w+/=\\,:-]{64,}|(?:[\s\\rn"',+]{1,60}[\w+/=]{40,}){2,}))re",
     3.0, Severity::dangerous, 0, 512},
    // RFC 7519: three parts in base64url; the first two are JSON objects, whose '{' begins with "e".
    {"jwt", "a JSON web token", "ey", R"re(\b(ey[\w-]{16,}\.ey[\w/-]{16,}\.[\w/-]{10,}={0,2}))re", 3.0, maybe,
     0, 1024},
    // The same encoded once more: {"…, whose '{' begins with "e".
    {"jwt-base64", "a JSON web token in base64", "zxlk", R"re(\b(ZXlK[\w+/-]{60,}={0,3}))re", 3.5, maybe, 0,
     1024},
    // RFC 3986: scheme://user:password@host.
    {"url-password", "a password within an address", "://",
     R"re([a-z][a-z0-9+.-]{1,20}://[^\s/:@"'<>{}$%]{1,64}:([^\s/:@"'<>{}$%*]{6,100})@[a-zA-Z0-9.-]+)re", 2.5,
     maybe},
    // RFC 7617 and 6750.
    {"basic-auth-header", "credentials in a header", "authorization",
     R"re((?i)authorization["']?\s{0,3}[:=]\s{0,3}["']?basic\s+([A-Za-z0-9+/]{16,200}={0,2}))re", 3.0, maybe},
    {"bearer-auth-header", "a token in a header", "authorization",
     R"re((?i)authorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|token)\s+([A-Za-z0-9_.=~@+/-]{20,300}))re",
     3.5, maybe},
});

}  // namespace

std::span<const SecretRule> common_secret_rules() { return rules; }

namespace {

constexpr std::string_view assigned_prefix = "assigned-";
constexpr double entropy_of_marked = 2.0, entropy_of_assigned = 2.5;
constexpr uint16_t longest_form = 1200;

// How a variable is named that holds a secret: one of the last words, or one of the first and "key".
constexpr std::string_view secret_words = "secret token passw credential creds auth";
constexpr std::string_view key_words =
    "api access auth secret private encryption signing account license client app";

// The tables are ours, so a form that cannot be read is a fault of the program.
std::string spelled(std::string_view form) {
  auto pattern = pattern_of_form(form);
  CHECK(pattern.ok());
  return std::move(pattern).value();
}

std::string any_of(std::string_view words, std::string (*spell)(std::string_view)) {
  std::string out;
  for (size_t begin = 0; begin < words.size();) {
    const size_t end = std::min(words.find(' ', begin), words.size());
    out += (out.empty() ? "" : "|") + spell(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::string id_of(std::string_view maker) {
  std::string out;
  for (const char c : maker)
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : (c == ' ' || c == '.' ? '-' : c);
  return out;
}

struct AllRules {
  std::deque<std::string> texts;  // What the rows made here point into.
  std::vector<SecretRule> rows;

  std::string_view keep(std::string text) { return texts.emplace_back(std::move(text)); }

  void add(const MarkedSecret& secret) {
    rows.push_back({.id = keep(id_of(secret.maker) + "-" + id_of(secret.kind)),
                    .what = keep(fmt::format("a {} of {}", secret.kind, secret.maker)),
                    .keywords = secret.keyword.empty() ? keep(keyword_of_form(secret.form)) : secret.keyword,
                    .pattern = keep(fmt::format(R"re((?<![\w-])({})(?![\w-]))re", spelled(secret.form))),
                    .entropy = entropy_of_marked,
                    .before = 240,
                    .after = longest_form});
  }
  void add(const AssignedSecret& secret) {
    const std::string_view name = secret.names.substr(0, secret.names.find(' '));
    // The name, what is left of the variable's, a sign that something is assigned, the value alone.
    rows.push_back(
        {.id = keep(fmt::format("{}{}", assigned_prefix, name)),
         .what = keep(fmt::format("what looks like a key of {}", name)),
         .keywords = secret.names,
         .pattern = keep(fmt::format(
             R"re((?i)(?:{})[\w.\- \t]{{0,32}}["'\]\s]{{0,3}}(?:[:=]=?|=>|\|\||,|>|\?=)[\s"'`=]{{0,5}}({})(?![\w=-]))re",
             any_of(secret.names, spelled), any_of(secret.forms, spelled))),
         .entropy = entropy_of_assigned,
         .severity = secret.severity,
         .before = 0});
  }
  // A name that speaks of a secret; in code its value stands in quotes, in a file of variables it fills the
  // line.
  void add_generic() {
    const std::string name =
        fmt::format("(?:(?:{})[_-]?key|{})", any_of(key_words, spelled), any_of(secret_words, spelled));
    const std::string_view keywords = keep(fmt::format("key {}", secret_words));
    rows.push_back(
        {.id = "generic-api-key",
         .what = "what looks like a key",
         .keywords = keywords,
         .pattern = keep(fmt::format(
             R"re((?i){}[\w-]{{0,24}}["'\]]{{0,2}}\s{{0,3}}(?::=|=>?|:)\s{{0,3}}["'`]([\w.=+/~-]{{12,150}})["'`])re",
             name)),
         .entropy = 3.5,
         .severity = maybe,
         .before = 60,
         .after = 240});
    rows.push_back(
        {.id = "generic-environment",
         .what = "what looks like a key in an environment file",
         .keywords = keywords,
         .pattern = keep(fmt::format(
             R"re((?mi)^[ \t]*(?:(?:export|set|env|arg|-)[ \t]+)?[\w.-]{{0,40}}(?:_key|{})[\w.-]{{0,20}}[ \t]*[=:][ \t]*([\w=+/~-]{{16,150}})[ \t]*\r?$)re",
             name)),
         .entropy = 3.7,
         .severity = maybe,
         .before = 80,
         .after = 240});
  }
  AllRules() {
    rows.assign(rules.begin(), rules.end());
    add_generic();
    for (const MarkedSecret& secret : marked_secrets()) add(secret);
    for (const AssignedSecret& secret : assigned_secrets()) add(secret);
  }
};

}  // namespace

std::span<const SecretRule> secret_rules() {
  static const AllRules all;
  return all.rows;
}

bool is_by_assignment(const SecretRule& rule) {
  return rule.id.starts_with(assigned_prefix) || rule.id.starts_with(generic_prefix);
}

}  // namespace holdfast::scan
