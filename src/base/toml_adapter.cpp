// The only file that sees toml++, which is built without exceptions here.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <fmt/core.h>
#include <toml++/toml.h>

#include "base/options.h"
#include "base/utf8.h"

namespace holdfast {
namespace {

constexpr size_t file_bytes_max = 1 << 20;
constexpr int depth_max = 8;

Error wrong_value(const std::string& name, std::string_view why) {
  return fail(Reason::bad_request, fmt::format("option '{}' (file): {}", name, why));
}

// A single value as a user would write it on the command line.
Result<std::string> plain_text(const toml::node& node, const std::string& name) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return std::string(flag->get() ? "true" : "false");
  return wrong_value(name, "a string, a whole number, true or false is wanted");
}

Result<std::string> list_text(const toml::array& array, const std::string& name) {
  std::string joined;
  for (const toml::node& item : array) {
    TRY(const std::string word, plain_text(item, name));
    if (word.find(',') != std::string::npos) return wrong_value(name, "a word of a list holds no comma");
    joined += (joined.empty() ? "" : ",") + word;
  }
  return joined;
}

Status flatten(const toml::table& table, const std::string& prefix, int depth, OptionPairs& pairs) {
  if (depth == depth_max) return fail(Reason::bad_request, "the tables are nested too deep");
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      TRY_DONE(flatten(*inner, name + ".", depth + 1, pairs));
    } else if (const auto* array = node.as_array()) {
      TRY(std::string text, list_text(*array, name));
      pairs.emplace_back(name, std::move(text));
    } else {
      TRY(std::string text, plain_text(node, name));
      pairs.emplace_back(name, std::move(text));
    }
  }
  return Done{};
}

}  // namespace

Result<OptionPairs> parse_option_file(std::string_view text) {
  if (text.size() > file_bytes_max) return fail(Code::too_large, "the file is longer than 1 MiB");
  if (!is_utf8(text)) return fail(Reason::bad_request, "the file is not valid UTF-8");
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed)
    return fail(Reason::bad_request,
                fmt::format("line {}: {}", parsed.error().source().begin.line, parsed.error().description()));
  OptionPairs pairs;
  TRY_DONE(flatten(parsed.table(), "", 0, pairs));
  return pairs;
}

}  // namespace holdfast
