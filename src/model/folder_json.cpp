#include "model/folder_json.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

constexpr size_t file_bytes_max = 16 << 20;

// Python writes numbers that JSON has no words for as bare words: they become what transformers' later
// versions write instead. Everything else stays as it is.
std::string without_bare_words(std::string_view text) {
  std::string out;
  bool in_string = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    if (in_string && letter == '\\' && at + 1 < text.size()) {
      out += letter;
      out += text[++at];
      continue;
    }
    if (letter == '"') in_string = !in_string;
    std::string_view word;
    for (const std::string_view known : {"-Infinity", "Infinity", "NaN"})
      if (!in_string && word.empty() && text.substr(at).starts_with(known)) word = known;
    if (word.empty() || out.find_first_not_of(" \t\r\n") == std::string::npos) {
      out += letter;
    } else {
      out += fmt::format(R"({{"__float__":"{}"}})", word);
      at += word.size() - 1;
    }
  }
  return out;
}

}  // namespace

Result<boost::json::object> parse_python_json(std::string_view text) {
  if (text.find("Infinity") == std::string_view::npos && text.find("NaN") == std::string_view::npos)
    return codec::parse_json_object(text);
  return codec::parse_json_object(without_bare_words(text));
}

Result<std::optional<boost::json::object>> read_json_file(io::Disk& disk, const io::Path& path) {
  auto text = io::read_text(disk, path, file_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found) return std::optional<boost::json::object>();
  if (!text.ok()) return std::move(text).error();
  TRY(boost::json::object out, parse_python_json(text.value()));
  return std::optional(std::move(out));
}

std::optional<std::string_view> token_text(const boost::json::object& json, std::string_view key) {
  const boost::json::value* value = json.if_contains(key);
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("content");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

void lay_over(boost::json::object& into, const boost::json::object& over) {
  for (const auto& [key, value] : over)
    if (!value.is_null()) into[key] = value;
}

}  // namespace holdfast::model
