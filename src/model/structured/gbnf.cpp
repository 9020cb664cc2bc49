#include "model/structured/gbnf.h"

#include <algorithm>
#include <map>
#include <string>

#include "token/unicode/utf8.h"

namespace holdfast::model::structured {
namespace {

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

constexpr size_t text_bytes_max = 1 << 20, depth_max = 100, repeat_max = 10'000;

bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<Grammar> read() {
    for (skip(Lines::cross); !done(); skip(Lines::cross)) TRY_DONE(rule());
    for (const auto& [name, known] : rules_)
      if (!known.defined)
        return fail(Reason::bad_request,
                    "grammar, line " + std::to_string(known.line) + ": there is no rule " + name);
    const auto root = rules_.find("root");
    if (root == rules_.end()) return fail(Reason::bad_request, "grammar: there is no rule root");
    return std::move(builder_).finish(root->second.id);
  }

 private:
  enum class Lines : uint8_t { stay, cross };
  struct Known {
    RuleId id = 0;
    size_t line = 0;
    bool defined = false;
  };

  bool done() const { return at_ >= text_.size(); }
  char look() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view wanted) {
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  Error wrong(std::string_view what) const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + ptrdiff_t(std::min(at_, text_.size())), '\n');
    return fail(Reason::bad_request, "grammar, line " + std::to_string(line) + ": " + std::string(what));
  }
  void skip(Lines lines) {
    for (; !done(); ++at_) {
      if (look() == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      const bool line_end = look() == '\n' || look() == '\r';
      if (line_end ? lines == Lines::stay : look() != ' ' && look() != '\t') return;
    }
  }
  Known& known(std::string_view name) {
    auto [found, fresh] = rules_.try_emplace(std::string(name));
    if (fresh)
      found->second = {.id = builder_.reserve(),
                       .line = size_t(1 + std::count(text_.begin(), text_.begin() + ptrdiff_t(at_), '\n'))};
    return found->second;
  }
  Result<std::string_view> name() {
    const size_t from = at_;
    while (is_name(look())) ++at_;
    if (at_ == from) return wrong("a name was expected");
    return text_.substr(from, at_ - from);
  }

  Status rule() {
    TRY(const std::string_view called, name());
    skip(Lines::stay);
    if (!take("::=")) return wrong("::= was expected");
    Known& mine = known(called);
    if (mine.defined) return wrong("a second rule " + std::string(called));
    mine.defined = true;
    const RuleId id = mine.id;
    skip(Lines::cross);
    TRY(auto choices, alternatives(0));
    builder_.define(id, std::move(choices));
    if (!done() && look() != '\n' && look() != '\r') return wrong("the rule does not end here");
    return Done{};
  }

  Result<std::vector<Sequence>> alternatives(size_t depth) {
    if (depth > depth_max) return wrong("nested too deeply");
    std::vector<Sequence> choices;
    while (true) {
      TRY(Sequence one, sequence(depth));
      choices.push_back(std::move(one));
      if (!take("|")) return choices;
      skip(Lines::cross);
    }
  }

  // Inside brackets a sequence may go over several lines.
  Result<Sequence> sequence(size_t depth) {
    const Lines lines = depth > 0 ? Lines::cross : Lines::stay;
    Sequence out;
    for (skip(lines); !done() && look() != '|' && look() != ')' && look() != '\n' && look() != '\r';
         skip(lines)) {
      TRY(Sequence one, item(depth));
      skip(lines);
      TRY(Sequence repeated, quantified(std::move(one)));
      out = GrammarBuilder::joined({out, repeated});
    }
    return out;
  }

  Result<Sequence> item(size_t depth) {
    if (take("\"")) return literal();
    if (take("[")) return char_class();
    if (take(".")) return builder_.character({{0, 0x10FFFF}});
    if (take("(")) {
      TRY(auto choices, alternatives(depth + 1));
      if (!take(")")) return wrong("a ( without its )");
      return builder_.choice(std::move(choices));
    }
    TRY(const std::string_view other, name());
    return builder_.named(known(other).id);
  }

  Result<Sequence> literal() {
    std::string text;
    while (!take("\"")) {
      TRY(const char32_t c, character());
      token::append_utf8(text, c);
    }
    return builder_.literal(text);
  }

  Result<Sequence> char_class() {
    const bool negated = take("^");
    Ranges ranges;
    while (!take("]")) {
      TRY(const char32_t from, character());
      char32_t to = from;
      if (look() == '-' && text_.substr(at_ + 1, 1) != "]") {
        ++at_;
        TRY(to, character());
      }
      if (to < from) return wrong("a range that is not one");
      ranges.emplace_back(from, to);
    }
    return builder_.character(negated ? all_but(std::move(ranges)) : std::move(ranges));
  }

  Result<char32_t> character() {
    if (done() || look() == '\n') return wrong("it ends within a text or a class");
    if (!take("\\")) {
      const token::CodePoint point = token::code_point_at(text_, at_);
      at_ += point.bytes;
      return point.value;
    }
    const char kind = look();
    ++at_;
    switch (kind) {
      case 'n':
        return U'\n';
      case 'r':
        return U'\r';
      case 't':
        return U'\t';
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      case 'U':
        return hexadecimal(8);
      case '\\':
      case '"':
      case '[':
      case ']':
      case '-':
      case '^':
        return static_cast<char32_t>(kind);
      default:
        return wrong("this escape is not known");
    }
  }

  Result<char32_t> hexadecimal(size_t count) {
    char32_t value = 0;
    for (size_t i = 0; i < count; ++i, ++at_) {
      const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(look() | 0x20));
      if (digit == std::string_view::npos) return wrong("a hexadecimal digit was expected");
      value = value * 16 + static_cast<char32_t>(digit);
    }
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return wrong("no such character");
    return value;
  }

  Result<size_t> number() {
    size_t value = 0;
    if (look() < '0' || look() > '9') return wrong("a number was expected");
    for (; look() >= '0' && look() <= '9'; ++at_) {
      value = value * 10 + static_cast<size_t>(look() - '0');
      if (value > repeat_max) return wrong("repeats more than " + std::to_string(repeat_max) + " times");
    }
    return value;
  }

  Result<Sequence> quantified(Sequence one) {
    constexpr size_t open = GrammarBuilder::repeat_unbounded;
    if (take("*")) return builder_.repeat(one, 0, open);
    if (take("+")) return builder_.repeat(one, 1, open);
    if (take("?")) return builder_.repeat(one, 0, 1);
    if (!take("{")) return one;
    TRY(const size_t least, number());
    size_t most = least;
    if (take(",")) {
      most = open;
      if (look() != '}') {
        TRY(most, number());
      }
    }
    if (!take("}") || most < least) return wrong("{m,n} was expected");
    return builder_.repeat(one, least, most);
  }

  const std::string_view text_;
  size_t at_ = 0;
  GrammarBuilder builder_;
  std::map<std::string, Known, std::less<>> rules_;
};

}  // namespace

Result<Grammar> grammar_of_gbnf(std::string_view text) {
  if (text.size() > text_bytes_max) return fail(Reason::bad_request, "the grammar is too long");
  if (!token::is_valid_utf8(text)) return fail(Reason::bad_request, "the grammar is not UTF-8");
  return Parser(text).read();
}

}  // namespace holdfast::model::structured
