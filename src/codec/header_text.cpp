#include "codec/header_text.h"

#include "codec/percent.h"

namespace holdfast::codec {
namespace {

constexpr size_t parameters_max = 32;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower_text(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes a quoted string off the front of `text`, which starts with the quote.
Result<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    // Browsers escape a quote as %22 and write backslashes of Windows paths as they are: only \" and
    // \\ count.
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    value += text[i];
  }
  return fail(Reason::bad_request, "a quoted header parameter does not end");
}

}  // namespace

std::string content_disposition(Disposition disposition, std::string_view filename) {
  std::string plain;
  bool in_sequence = false;
  for (char c : filename) {
    const bool ascii = c >= 0x20 && c < 0x7f;
    // One '_' for a whole UTF-8 character.
    const bool continues = in_sequence && (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (!continues) plain += ascii && c != '"' && c != '\\' && c != ';' && c != '%' ? c : '_';
    in_sequence = static_cast<unsigned char>(c) >= 0x80;
  }
  std::string text = disposition == Disposition::inline_ ? "inline" : "attachment";
  text += "; filename*=UTF-8''" + percent_encode(filename);
  text += "; filename=\"" + plain + "\";";
  return text;
}

std::string link_next(std::string_view url) {
  std::string text = "<";
  for (char c : url) {
    if (c == '<' || c == '>' || c == '"' || c == ' ' || c < 0x20 || c == 0x7f)
      text += percent_encode(std::string_view(&c, 1));
    else
      text += c;
  }
  return text + ">; rel=\"next\"";
}

std::optional<std::string_view> HeaderValue::parameter(std::string_view name) const {
  for (const auto& [key, text] : parameters)
    if (key == name) return text;
  return std::nullopt;
}

Result<HeaderValue> parse_header_value(std::string_view text) {
  HeaderValue header;
  size_t end = std::min(text.find(';'), text.size());
  header.value = lower_text(trimmed(text.substr(0, end)));
  text.remove_prefix(end);
  while (!text.empty()) {
    text = trimmed(text.substr(1));
    if (text.empty() || text.front() == ';') continue;
    const size_t equals = text.find_first_of("=;");
    if (equals == std::string_view::npos || text[equals] == ';')
      return fail(Reason::bad_request, "a header parameter has no '='");
    std::string name = lower_text(trimmed(text.substr(0, equals)));
    text = trimmed(text.substr(equals + 1));
    std::string value;
    if (text.starts_with('"')) {
      TRY(value, take_quoted(text));
      text = trimmed(text);
      if (!text.empty() && text.front() != ';')
        return fail(Reason::bad_request, "something follows a quoted header parameter");
    } else {
      end = std::min(text.find(';'), text.size());
      value = trimmed(text.substr(0, end));
      text.remove_prefix(end);
    }
    if (header.parameters.size() == parameters_max)
      return fail(Reason::header_too_large, "the header has too many parameters");
    header.parameters.emplace_back(std::move(name), std::move(value));
  }
  return header;
}

}  // namespace holdfast::codec
