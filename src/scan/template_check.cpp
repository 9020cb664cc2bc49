#include "scan/template_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "scan/pattern.h"

namespace holdfast::scan {
namespace {

namespace json = boost::json;

struct Sign {
  const char* rule;
  Severity severity;
  const char* what;
  const char* pattern;
};
// Tried on the expressions and statements of a template only, save the last two.
constexpr auto code_signs = std::to_array<Sign>({
    {"template.escape", Severity::dangerous, "reaches for Python's own insides",
     R"re((?i)(__[a-z]+(?:_[a-z]+)*__|\bmro\s*\(|func_globals|gi_frame|gi_code|cr_frame|f_globals|f_builtins|_TemplateReference))re"},
    {"template.escape", Severity::dangerous, "writes underscores in a way that hides them",
     R"re((?i)((?:\\x5f|\\u005f|\\137|%5f)|["']_["']\s*[*~+]|["'][a-z]*_["']\s*[~+]\s*["']_))re"},
    {"template.escape", Severity::dangerous, "looks up an attribute whose name is computed",
     R"re((\|\s*attr\s*\(|\|\s*map\s*\(\s*attribute\s*=\s*["']_|getattr\s*\())re"},
    {"template.code", Severity::dangerous, "names what runs programs or opens files",
     R"re((\bos\s*\.\s*(?:popen|system|environ|exec\w*|spawn\w*|remove|listdir)\b|\bsubprocess\b|\bpopen\s*\(|\beval\s*\(|\bexec\s*\(|\bcompile\s*\(|\bimportlib\b|\bimport_module\b|\bbuiltins\b|\bsocket\s*\.|\burlopen\b|\bopen\s*\())re"},
    {"template.object", Severity::warning, "uses an object of the engine that templates escape through",
     R"re((\b(?:lipsum|cycler|joiner|url_for|get_flashed_messages|request|config)\s*[.\[(]|\bself\s*\.\s*_))re"},
    {"template.include", Severity::warning, "takes in another file",
     R"re(\{%-?\s*(include|import|from|extends)\b)re"},
});
constexpr Sign hidden_sign = {
    "template.hidden-text", Severity::warning, "holds characters that a reader does not see",
    "(\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xf3\xa0[\x80-\x81][\x80-\xbf]|\xef\xbb\xbf.)"};
constexpr Sign remote_sign = {
    "template.address", Severity::warning, "puts an address or markup that fetches into every answer",
    R"re((?i)(<script\b|javascript:|<iframe\b|<img\s[^>]*src\s*=|!\[[^\]]{0,80}\]\(https?:))re"};

struct Compiled {
  std::vector<Pattern> code;
  Pattern hidden{hidden_sign.pattern}, remote{remote_sign.pattern};
  Compiled() {
    for (const Sign& sign : code_signs) code.emplace_back(sign.pattern);
  }
};
const Compiled& compiled() {
  static const Compiled made;
  return made;
}

void tell(const Sign& sign, std::string_view text, size_t at, const Place& place, FileReport& report) {
  Place there = place;
  if (place.member.empty())
    there.line =
        static_cast<uint32_t>(1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'));
  report.add(
      {Topic::format, sign.rule, sign.severity, std::move(there), fmt::format("the template {}", sign.what)});
}

void check_one(const json::value& value, const Place& place, std::string_view member, FileReport& report) {
  Place within = place;
  within.member += (within.member.empty() ? "" : "!") + std::string(member);
  if (value.is_string()) return check_template(value.get_string(), within, report);
  if (!value.is_array()) return;
  for (const json::value& row : value.get_array()) {
    if (!row.is_object()) continue;
    const json::value* text = row.get_object().if_contains("template");
    if (text != nullptr && text->is_string()) check_template(text->get_string(), within, report);
  }
}

}  // namespace

void check_template(std::string_view text, const Place& place, FileReport& report) {
  for (size_t i = 0; i < code_signs.size(); ++i) {
    // Only what stands between braces is run.
    for (size_t at = text.find('{'); at != std::string_view::npos && at + 1 < text.size();) {
      const char kind = text[at + 1];
      if (kind != '{' && kind != '%') {
        at = text.find('{', at + 1);
        continue;
      }
      size_t end = text.find(kind == '{' ? "}}" : "%}", at + 2);
      end = end == std::string_view::npos ? text.size() : end + 2;
      if (const auto match = compiled().code[i].find(text.substr(0, end), at)) {
        tell(code_signs[i], text, match->begin, place, report);
        break;
      }
      at = text.find('{', end);
    }
  }
  if (const auto match = compiled().hidden.find(text, 0))
    tell(hidden_sign, text, match->begin, place, report);
  if (const auto match = compiled().remote.find(text, 0))
    tell(remote_sign, text, match->begin, place, report);
}

void check_json_templates(std::string_view text, const Place& place, FileReport& report) {
  const auto parsed = codec::parse_json(text, {.depth_max = 64, .bytes_max = 256 << 20});
  if (!parsed.ok()) {
    report.add({Topic::format, "template.unread", Severity::warning, place,
                "its templates cannot be looked at: " + parsed.error().message});
    return;
  }
  if (!parsed.value().is_object()) return;
  for (const auto& [key, value] : parsed.value().get_object())
    if (std::string_view(key).starts_with("chat_template")) check_one(value, place, key, report);
}

bool is_template_name(std::string_view name) { return name.ends_with(".jinja") || name.ends_with(".jinja2"); }

bool may_hold_templates(std::string_view name) {
  const size_t slash = name.rfind('/');
  const std::string_view file = slash == std::string_view::npos ? name : name.substr(slash + 1);
  return file == "tokenizer_config.json" || file == "chat_template.json" || file == "processor_config.json" ||
         file == "preprocessor_config.json";
}

}  // namespace holdfast::scan
