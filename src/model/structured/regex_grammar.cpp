#include "model/structured/regex_grammar.h"

#include <algorithm>
#include <optional>

#include "token/unicode/utf8.h"

namespace holdfast::model::structured {
namespace {

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

constexpr size_t depth_max = 100, repeat_max = 10'000, pattern_bytes_max = 64 << 10;

const Ranges digits = {{'0', '9'}};
const Ranges words = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
const Ranges spaces = {{'\t', '\r'}, {' ', ' '}};
// What \s means to somebody: \S is none of these.
const Ranges all_spaces = {{'\t', '\r'},     {0x1C, ' '},      {0x85, 0x85},     {0xA0, 0xA0},
                           {0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
                           {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

class Parser {
 public:
  Parser(GrammarBuilder& builder, std::string_view pattern, const RegexOptions& options)
      : builder_(builder), pattern_(pattern), options_(options) {}

  Result<Sequence> whole() {
    from_start_ = take('^');
    TRY(Sequence body, alternatives(0));
    const bool to_end = ended_;
    if (!done()) return wrong("a ) without its (");
    if (options_.anchoring == Anchoring::whole) return body;
    const Sequence any = builder_.repeat(spell({{0, 0x10FFFF}}), 0, GrammarBuilder::repeat_unbounded);
    return GrammarBuilder::joined({from_start_ ? Sequence() : any, body, to_end ? Sequence() : any});
  }

 private:
  bool done() const { return at_ == pattern_.size(); }
  char look() const { return done() ? '\0' : pattern_[at_]; }
  bool take(char wanted) {
    if (done() || pattern_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  Error wrong(std::string_view what) const {
    return fail(Reason::bad_request,
                "regular expression, byte " + std::to_string(at_) + ": " + std::string(what));
  }
  Sequence spell(Ranges ranges) {
    return options_.spell != nullptr ? options_.spell(builder_, std::move(ranges))
                                     : builder_.character(std::move(ranges));
  }

  Result<Sequence> alternatives(size_t depth) {
    if (depth > depth_max) return wrong("nested too deeply");
    std::vector<Sequence> choices;
    bool any_end = false;
    do {
      ended_ = false;
      TRY(Sequence one, concatenation(depth));
      any_end = any_end || ended_;
      choices.push_back(std::move(one));
    } while (take('|'));
    ended_ = any_end;
    // An anchor of one branch would speak for all.
    if (choices.size() > 1 && depth == 0 && (any_end || from_start_) &&
        options_.anchoring == Anchoring::anywhere)
      return wrong("anchors beside | are not known: put a group around the choices");
    return builder_.choice(std::move(choices));
  }

  Result<Sequence> concatenation(size_t depth) {
    Sequence out;
    while (!done() && look() != '|' && look() != ')') {
      if (look() == '$') {
        ++at_;
        if (depth != 0 || !(done() || look() == '|')) return wrong("$ is known at the end only");
        ended_ = true;
        break;
      }
      if (ended_) return wrong("something follows $");
      TRY(Sequence atom, this->atom(depth));
      TRY(Sequence repeated, quantified(std::move(atom)));
      out = GrammarBuilder::joined({out, repeated});
    }
    return out;
  }

  Result<size_t> number() {
    const size_t from = at_;
    size_t value = 0;
    for (; look() >= '0' && look() <= '9'; ++at_) {
      value = value * 10 + static_cast<size_t>(look() - '0');
      if (value > repeat_max) return wrong("repeats more than " + std::to_string(repeat_max) + " times");
    }
    if (at_ == from) return wrong("a number was expected");
    return value;
  }

  Result<Sequence> quantified(Sequence atom) {
    size_t least = 1, most = 1;
    if (take('*')) {
      least = 0;
      most = GrammarBuilder::repeat_unbounded;
    } else if (take('+')) {
      most = GrammarBuilder::repeat_unbounded;
    } else if (take('?')) {
      least = 0;
    } else if (take('{')) {
      TRY(least, number());
      most = least;
      if (take(',')) {
        most = GrammarBuilder::repeat_unbounded;
        if (look() != '}') {
          TRY(most, number());
        }
      }
      if (!take('}') || most < least) return wrong("{m,n} was expected");
    } else {
      return atom;
    }
    take('?');  // Lazy: the same texts.
    if (look() == '+' || look() == '*' || look() == '{') return wrong("repeated repetition");
    return builder_.repeat(atom, least, most);
  }

  Result<Sequence> atom(size_t depth) {
    if (take('(')) {
      if (take('?')) {
        if (take('<')) {
          if (look() == '=' || look() == '!') return wrong("look-behind is not known");
          while (!done() && look() != '>') ++at_;
          if (!take('>')) return wrong("a name without >");
        } else if (!take(':')) {
          return wrong("(? of this kind is not known");
        }
      }
      TRY(Sequence inside, alternatives(depth + 1));
      if (!take(')')) return wrong("a ( without its )");
      return inside;
    }
    if (take('[')) {
      TRY(Ranges ranges, char_class());
      return spell(std::move(ranges));
    }
    if (take('.')) return spell(options_.any);
    if (look() == '^') return wrong("^ is known at the beginning only");
    if (look() == '*' || look() == '+' || look() == '?' || look() == '{') return wrong("nothing to repeat");
    TRY(Ranges ranges, one_character());
    return spell(std::move(ranges));
  }

  // A character or, by escape, a class.
  Result<Ranges> one_character() {
    if (take('\\')) return escape();
    const token::CodePoint character = token::code_point_at(pattern_, at_);
    at_ += character.bytes;
    return Ranges{{character.value, character.value}};
  }

  Result<Ranges> escape() {
    if (done()) return wrong("a \\ at the end");
    const char kind = pattern_[at_++];
    switch (kind) {
      case 'd':
        return digits;
      case 'w':
        return words;
      case 's':
        return spaces;
      case 'D':
        return all_but(digits);
      case 'W':
        return all_but(words);
      case 'S':
        return all_but(all_spaces);
      case 'n':
        return Ranges{{'\n', '\n'}};
      case 'r':
        return Ranges{{'\r', '\r'}};
      case 't':
        return Ranges{{'\t', '\t'}};
      case 'f':
        return Ranges{{'\f', '\f'}};
      case 'v':
        return Ranges{{'\v', '\v'}};
      case '0':
        return Ranges{{0, 0}};
      case 'x':
        return hexadecimal(2);
      case 'u':
        if (!take('{')) return hexadecimal(4);
        return hexadecimal_braced();
      default:
        break;
    }
    const auto byte = static_cast<unsigned char>(kind);
    const bool letter =
        (kind >= 'a' && kind <= 'z') || (kind >= 'A' && kind <= 'Z') || (kind >= '1' && kind <= '9');
    if (letter || byte >= 0x80) {
      --at_;
      return wrong(std::string("\\") + kind + " is not known");
    }
    return Ranges{{byte, byte}};
  }

  std::optional<char32_t> digit() {
    const char c = look();
    if (c >= '0' && c <= '9') return ++at_, static_cast<char32_t>(c - '0');
    if (c >= 'a' && c <= 'f') return ++at_, static_cast<char32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return ++at_, static_cast<char32_t>(c - 'A' + 10);
    return std::nullopt;
  }

  Result<Ranges> hexadecimal(size_t count) {
    char32_t value = 0;
    for (size_t i = 0; i < count; ++i) {
      const auto next = digit();
      if (!next) return wrong("a hexadecimal digit was expected");
      value = value * 16 + *next;
    }
    return Ranges{{value, value}};
  }

  Result<Ranges> hexadecimal_braced() {
    char32_t value = 0;
    size_t count = 0;
    while (const auto next = digit()) {
      value = value * 16 + *next;
      if (++count > 6) return wrong("no such character");
    }
    if (count == 0 || value > 0x10FFFF || !take('}')) return wrong("\\u{…} was expected");
    return Ranges{{value, value}};
  }

  Result<Ranges> char_class() {
    const bool negated = take('^');
    Ranges out;
    for (bool first = true;; first = false) {
      if (done()) return wrong("a [ without its ]");
      if (look() == ']' && !first) break;
      if (pattern_.substr(at_, 2) == "[:") return wrong("[: :] is not known");
      TRY(Ranges one, one_character());
      const bool single = one.size() == 1 && one[0].first == one[0].second;
      if (single && look() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        TRY(const Ranges last, one_character());
        if (last.size() != 1 || last[0].first != last[0].second || last[0].first < one[0].first)
          return wrong("a range that is not one");
        one[0].second = last[0].first;
      }
      out.insert(out.end(), one.begin(), one.end());
    }
    ++at_;
    return negated ? all_but(std::move(out)) : out;
  }

  GrammarBuilder& builder_;
  const std::string_view pattern_;
  const RegexOptions& options_;
  size_t at_ = 0;
  bool ended_ = false, from_start_ = false;
};

}  // namespace

Result<Sequence> add_regex(GrammarBuilder& builder, std::string_view pattern, const RegexOptions& options) {
  if (pattern.size() > pattern_bytes_max)
    return fail(Reason::bad_request, "the regular expression is too long");
  if (!token::is_valid_utf8(pattern)) return fail(Reason::bad_request, "the regular expression is not UTF-8");
  return Parser(builder, pattern, options).whole();
}

Result<Grammar> grammar_of_regex(std::string_view pattern) {
  GrammarBuilder builder;
  const RuleId start = builder.reserve();
  TRY(Sequence body, add_regex(builder, pattern));
  builder.define(start, {std::move(body)});
  return std::move(builder).finish(start);
}

}  // namespace holdfast::model::structured
