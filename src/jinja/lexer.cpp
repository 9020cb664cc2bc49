#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/result.h"
#include "jinja/characters.h"
#include "jinja/string_literal.h"

namespace holdfast::jinja {
namespace {

constexpr size_t tokens_max = 4'000'000;
constexpr std::array<std::string_view, 7> long_signs = {"//", "**", "==", "!=", ">=", "<=", ""};

bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }

uint32_t newlines_in(std::string_view text) {
  return static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n'));
}

// Line ends become "\n"; one at the very end goes.
std::string normalized(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n') continue;
    out.push_back(source[i] == '\r' ? '\n' : source[i]);
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string source) : owned_(std::move(source)), rest_(owned_) {}

  std::vector<Token> run() {
    while (!rest_.empty()) {
      if (const Status read = root(); !read.ok()) {
        add(TokenKind::broken, read.error().message);
        return std::move(tokens_);
      }
    }
    if (!tokens_.empty()) line_ = tokens_.back().line;  // The end is told where the last token begins.
    add(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  void add(TokenKind kind, std::string_view text) { tokens_.push_back({kind, line_, std::string(text), {}}); }
  // Takes `bytes` off the rest and counts their lines.
  void pass(size_t bytes) {
    line_ += newlines_in(rest_.substr(0, bytes));
    if (bytes > 0) line_starting_ = rest_[bytes - 1] == '\n';
    rest_.remove_prefix(bytes);
  }
  size_t spaces_at(size_t at) const {
    size_t end = at;
    while (end < rest_.size()) {
      const size_t bytes = character_bytes(rest_.substr(end));
      if (!is_space(code_point(rest_.substr(end, bytes)))) break;
      end += bytes;
    }
    return end - at;
  }

  // Text up to the next tag, and the tag.
  Status root() {
    size_t at = 0;
    while (true) {
      at = rest_.find('{', at);
      if (at == std::string_view::npos || at + 1 >= rest_.size()) {
        add(TokenKind::data, rest_);
        pass(rest_.size());
        return Done{};
      }
      if (rest_[at + 1] == '%' || rest_[at + 1] == '#' || rest_[at + 1] == '{') break;
      ++at;
    }
    const char mark = rest_[at + 1];
    const char sign =
        at + 2 < rest_.size() && (rest_[at + 2] == '-' || rest_[at + 2] == '+') ? rest_[at + 2] : ' ';
    add_data(rest_.substr(0, at), sign, mark != '{');
    pass(at);
    const size_t head = sign == ' ' ? 2 : 3;
    if (mark == '#') return comment(head);
    if (mark == '{') {
      add(TokenKind::variable_begin, "");
      pass(head);
      return inside(TokenKind::variable_end);
    }
    if (const size_t raw = raw_head(head); raw > 0) return raw_block(raw);
    add(TokenKind::block_begin, "");
    pass(head);
    return inside(TokenKind::block_end);
  }

  void add_data(std::string_view text, char sign, bool may_strip) {
    if (sign == '-') {
      text = stripped(text, Ends::right);
    } else if (sign != '+' && may_strip) {
      const size_t start = text.rfind('\n') + 1;  // npos + 1 is 0.
      if ((start > 0 || line_starting_) && stripped(text.substr(start), Ends::both).empty())
        text = text.substr(0, start);
    }
    if (!text.empty()) add(TokenKind::data, text);
  }

  Status comment(size_t head) {
    const size_t close = rest_.find("#}", head);
    if (close == std::string_view::npos) {
      if (rest_.size() > head) return fail(Reason::bad_request, "Missing end of comment tag");
      pass(head);  // At the very end it is no error.
      return Done{};
    }
    pass(close + 2 + after_close(close, head));
    return Done{};
  }

  // How many bytes after the closing "%}" or "#}" at `close` belong to it.
  size_t after_close(size_t close, size_t head) const {
    const char before = close > head ? rest_[close - 1] : ' ';
    if (before == '-') return spaces_at(close + 2);
    return before != '+' && close + 2 < rest_.size() && rest_[close + 2] == '\n' ? 1 : 0;
  }

  // Bytes of "{% raw %}" at the start of the rest, 0 if it is another tag.
  size_t raw_head(size_t head) const {
    size_t at = head + spaces_at(head);
    if (!rest_.substr(at).starts_with("raw")) return 0;
    at += 3;
    at += spaces_at(at);
    if (rest_.substr(at).starts_with("%}")) return at + 2;
    return rest_.substr(at).starts_with("-%}") ? at + 3 + spaces_at(at + 3) : 0;
  }

  Status raw_block(size_t head) {
    const uint32_t opened = line_;
    pass(head);
    for (size_t at = 0; (at = rest_.find("{%", at)) != std::string_view::npos; at += 2) {
      size_t end = at + 2;
      const char sign = end < rest_.size() && (rest_[end] == '-' || rest_[end] == '+') ? rest_[end] : ' ';
      end += sign == ' ' ? 0 : 1;
      end += spaces_at(end);
      if (!rest_.substr(end).starts_with("endraw")) continue;
      end += 6;
      end += spaces_at(end);
      const bool signed_close = end < rest_.size() && (rest_[end] == '-' || rest_[end] == '+');
      const size_t close = end + (signed_close ? 1 : 0);
      if (!rest_.substr(close).starts_with("%}")) continue;
      add_data(rest_.substr(0, at), sign, true);
      pass(close + 2 + after_close(close, at + 2));
      return Done{};
    }
    if (rest_.empty()) return Done{};  // At the very end it is no error.
    line_ = opened;
    return fail(Reason::bad_request, "Missing end of raw directive");
  }

  // The inside of a tag, up to its end.
  Status inside(TokenKind closing) {
    std::string open;  // The brackets still open.
    while (!rest_.empty()) {
      if (tokens_.size() > tokens_max) return fail(Reason::bad_request, "the template has too many tokens");
      if (open.empty()) {
        const size_t end = end_of_tag(closing);
        if (end > 0) {
          add(closing, "");
          pass(end);
          return Done{};
        }
      }
      if (const size_t spaces = spaces_at(0); spaces > 0) {
        pass(spaces);
        continue;
      }
      TRY_DONE(token(open));
    }
    return Done{};  // The parser misses the end.
  }

  size_t end_of_tag(TokenKind closing) const {
    const std::string_view mark = closing == TokenKind::block_end ? "%}" : "}}";
    const bool dash = rest_.starts_with('-');
    const bool plus = closing == TokenKind::block_end && rest_.starts_with('+');
    const size_t at = dash || plus ? 1 : 0;
    if (!rest_.substr(at).starts_with(mark)) return 0;
    if (dash) return 3 + spaces_at(3);
    const bool trims = closing == TokenKind::block_end && !plus && rest_.substr(2).starts_with('\n');
    return at + 2 + (trims ? 1 : 0);
  }

  Status token(std::string& open) {
    const char first = rest_.front();
    if (is_ascii_digit(first)) return number();
    if (first == '\'' || first == '"') return text(first);
    if (is_word(code_point(rest_.substr(0, character_bytes(rest_))))) return name();
    return sign(open);
  }

  // Digits with single underscores between them, from `at`; where they end.
  size_t digits(size_t at, std::string_view of = "0123456789") const {
    const auto inside = [&](size_t i) {
      return i < rest_.size() && of.find(rest_[i]) != std::string_view::npos;
    };
    while (inside(at) || (at < rest_.size() && rest_[at] == '_' && inside(at + 1))) ++at;
    return at;
  }

  Status number() {
    const size_t whole = digits(0);
    size_t end = whole;
    const bool after_dot = !tokens_.empty() && tokens_.back().kind == TokenKind::sign &&
                           tokens_.back().text == "." && rest_.data() > owned_.data() &&
                           rest_.data()[-1] == '.';
    if (!after_dot) {
      if (end + 1 < rest_.size() && rest_[end] == '.' && is_ascii_digit(rest_[end + 1]))
        end = digits(end + 1);
      size_t power = end;
      if (power < rest_.size() && (rest_[power] == 'e' || rest_[power] == 'E')) {
        ++power;
        if (power < rest_.size() && (rest_[power] == '+' || rest_[power] == '-')) ++power;
        if (power < rest_.size() && is_ascii_digit(rest_[power])) end = digits(power);
      }
    }
    return end > whole ? real(end) : integer();
  }

  Status real(size_t end) {
    std::string text(rest_.substr(0, end));
    std::erase(text, '_');
    double number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range)
      number = text.find("e-") != std::string::npos ? 0.0 : HUGE_VAL;
    add(TokenKind::real, text);
    tokens_.back().number = Value::real(number);
    pass(end);
    return Done{};
  }

  Status integer() {
    int base = 10;
    size_t start = 0, end = 0;
    if (rest_.size() > 2 && rest_[0] == '0') {
      const char mark = static_cast<char>(rest_[1] | 0x20);
      const int wanted = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      const std::string_view of = wanted == 16 ? "0123456789abcdefABCDEF" : wanted == 8 ? "01234567" : "01";
      if (wanted != 10 && digits(2, of) > 2) {
        base = wanted;
        start = 2;
        end = digits(2, of);
      }
    }
    if (base == 10) end = rest_[0] == '0' ? digits(0, "0") : digits(0);
    Integer number = 0;
    for (const char c : rest_.substr(start, end - start)) {
      if (c == '_') continue;
      if (number >= Integer{1} << 120) return fail(Reason::bad_request, "the number is too large");
      number = number * base + (is_ascii_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    add(TokenKind::integer, rest_.substr(0, end));
    tokens_.back().number = Value::integer(number);
    pass(end);
    return Done{};
  }

  Status name() {
    size_t end = 0;
    bool valid = true;
    while (end < rest_.size()) {
      const size_t bytes = character_bytes(rest_.substr(end));
      const char32_t code = code_point(rest_.substr(end, bytes));
      if (!is_word(code)) break;
      valid = valid && (end == 0 ? is_identifier_start(code) : is_identifier_part(code));
      end += bytes;
    }
    if (!valid) return fail(Reason::bad_request, "Invalid character in identifier");
    add(TokenKind::name, rest_.substr(0, end));
    pass(end);
    return Done{};
  }

  Status text(char quote) {
    size_t end = 1;
    while (end < rest_.size() && rest_[end] != quote) end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return unexpected();
    TRY(std::string value, unescaped(rest_.substr(1, end - 1)));
    add(TokenKind::text, "");
    tokens_.back().text = std::move(value);
    pass(end + 1);
    return Done{};
  }

  Status unexpected() {
    return fail(Reason::bad_request,
                "unexpected char '" + std::string(rest_.substr(0, character_bytes(rest_))) + "' at " +
                    std::to_string(
                        character_count(std::string_view(owned_).substr(0, owned_.size() - rest_.size()))));
  }

  Status sign(std::string& open) {
    size_t bytes = 1;
    for (const std::string_view sign : long_signs)
      if (!sign.empty() && rest_.starts_with(sign)) bytes = sign.size();
    const std::string_view found = rest_.substr(0, bytes);
    if (bytes == 1 && std::string_view("+-/*%~[](){}><=.:|,;").find(found) == std::string_view::npos)
      return unexpected();
    const char c = found[0];
    if (c == '{' || c == '(' || c == '[') open.push_back(c == '{' ? '}' : c == '(' ? ')' : ']');
    if (c == '}' || c == ')' || c == ']') {
      if (open.empty()) return fail(Reason::bad_request, std::string("unexpected '") + c + "'");
      if (open.back() != c)
        return fail(Reason::bad_request,
                    std::string("unexpected '") + c + "', expected '" + open.back() + "'");
      open.pop_back();
    }
    add(TokenKind::sign, found);
    pass(bytes);
    return Done{};
  }

  std::string owned_;
  std::string_view rest_;
  uint32_t line_ = 1;
  bool line_starting_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> split_template(std::string_view source) { return Lexer(normalized(source)).run(); }

}  // namespace holdfast::jinja
