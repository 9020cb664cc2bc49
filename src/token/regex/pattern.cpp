#include "token/regex/pattern.h"

#include <fmt/format.h>
#include <algorithm>

#include <cctype>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "token/regex/case_folds.h"
#include "token/regex/class_text.h"
#include "token/regex/code_set.h"
#include "token/regex/grapheme_text.h"
#include "token/regex/unicode_property.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

constexpr size_t depth_max = 64, class_depth_max = 4;

struct Mode {
  bool caseless = false, extended = false;
  bool looks_back = false;  // Where neighbours are never taken for one character.
};

// What stands between brackets.
struct Class {
  std::unique_ptr<CodeSet> set = std::make_unique<CodeSet>();
  std::vector<std::string> more{};  // Texts of several characters, as PCRE2 text.
};

class Translator {
 public:
  explicit Translator(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> run() {
    if (!is_valid_utf8(rest_)) return broken("text that is not UTF-8");
    groups_.push_back({});
    while (!rest_.empty()) TRY_DONE(step());
    if (groups_.size() != 1) return broken("a group that is not closed");
    out_.append(groups_.back().closers, ')');
    return "(*LF)(*BSR_UNICODE)" + out_;
  }

 private:
  struct Group {
    size_t begin = 0;    // Of its text in out_.
    size_t closers = 0;  // Groups opened for options in the middle.
    Mode mode;           // To go back to.
    // Of one that looks back: where its present branch begins, and where a class in it ends that has texts of
    // several characters, if one has. It has to be the whole branch: PCRE2 looks back by a number of them.
    bool looks_back = false;
    size_t branch = 0;
    std::optional<size_t> long_class_end{};
  };

  static Error broken(std::string_view what) {
    return fail(Reason::bad_request, fmt::format("a regular expression of the tokenizer has {}", what));
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool take_if(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  char32_t take_code() {
    const CodePoint point = code_point_at(rest_, 0);
    rest_.remove_prefix(point.bytes);
    return point.value;
  }

  void put_atom(std::string_view text) {
    atom_ = out_.size();
    quantified_ = false;
    out_ += text;
  }

  // White space and a comment at the head of a text, where they do not count: their bytes.
  size_t passed_over(std::string_view text) const {
    if (!mode_.extended || text.empty()) return 0;
    if (text.front() == '#') return std::min(text.find('\n'), text.size() - 1) + 1;
    const CodePoint point = code_point_at(text, 0);
    return is_white_space(point.value) ? point.bytes : 0;
  }
  void pass_over() {
    while (const size_t bytes = passed_over(rest_)) rest_.remove_prefix(bytes);
  }

  Status step() {
    const char c = rest_.front();
    if (c == '\\') return escape();
    if (c == '[') {
      TRY(const Class read, read_class(0));
      return put_class(read);
    }
    if (c == '(') return open();
    if (c == ')') return close();
    if (const size_t bytes = passed_over(rest_)) {
      rest_.remove_prefix(bytes);
      return Done{};
    }
    if (c == '{') return braces();
    if (c == '*' || c == '+' || c == '?') {
      std::string text(1, take());
      if (!rest_.empty() && (rest_.front() == '?' || rest_.front() == '+')) text += take();
      return quantify(text);
    }
    if (c == '|') {
      TRY_DONE(end_branch());
      out_ += take();
      begin_branch();
      return Done{};
    }
    if (c == '$') {
      take();
      put_atom("(?:$)");
      return Done{};
    }
    if (mode_.caseless && !mode_.looks_back && is_literal(rest_)) return literals();
    const std::string_view before = rest_;
    take_code();
    put_atom(before.substr(0, before.size() - rest_.size()));
    return Done{};
  }

  static bool is_literal(std::string_view text) {
    return !text.empty() && std::string_view("\\[](){}*+?|$.^").find(text.front()) == std::string_view::npos;
  }

  // A quantifier of what a quantifier stands after is of both.
  Status quantify(std::string_view text) {
    if (quantified_) {
      out_.insert(atom_, "(?:");
      out_ += ')';
    }
    out_ += text;
    quantified_ = true;
    return Done{};
  }

  void begin_branch() {
    groups_.back().branch = out_.size();
    quantified_ = false;
  }
  Status end_branch() {
    const auto end = std::exchange(groups_.back().long_class_end, std::nullopt);
    if (end && *end != out_.size()) return looks_back_too_far();
    return Done{};
  }
  static Error looks_back_too_far() {
    return broken(
        "a look behind at characters that without regard to case are sometimes several, beside others");
  }

  // Without regard to case neighbours may together be one character; a quantifier is for the last alone.
  Status literals() {
    const auto is_quantified = [this] {
      return !rest_.empty() && std::string_view("*+?{").find(rest_.front()) != std::string_view::npos;
    };
    std::string plain(rest_);
    std::u32string run(1, take_code());
    plain.resize(plain.size() - rest_.size());
    pass_over();
    while (!is_quantified() && is_literal(rest_)) {
      const std::string_view before = rest_;
      run += take_code();
      const std::string_view letter = before.substr(0, before.size() - rest_.size());
      pass_over();
      if (is_quantified()) {
        rest_ = before;
        run.pop_back();
        break;
      }
      plain += letter;
    }
    const std::string text = caseless_text(run);
    put_atom(text.find('(') == std::string::npos ? plain : "(?:" + text + ")");
    return Done{};
  }

  // {n}, {n,}, {,m}, {n,m}: the plus after them is a quantifier of its own.
  Status braces() {
    const size_t end = rest_.find('}');
    const std::string_view inside = end == std::string_view::npos ? "" : rest_.substr(1, end - 1);
    const bool counts = !inside.empty() && inside != "," &&
                        inside.find_first_not_of("0123456789,") == std::string_view::npos &&
                        inside.find(',') == inside.rfind(',');
    if (!counts) {
      take();
      put_atom("\\{");
      return Done{};
    }
    std::string text(rest_.substr(0, end + 1));
    if (inside.front() == ',') text.insert(1, "0");
    rest_.remove_prefix(end + 1);
    // After {n} it makes what is before it one that may be there or not.
    if (inside.find(',') != std::string_view::npos && take_if("?")) text += '?';
    return quantify(text);
  }

  Status open() {
    if (groups_.size() >= depth_max) return broken("too many groups in each other");
    take();
    if (take_if("?#")) {
      while (!rest_.empty() && take() != ')') {
      }
      return Done{};
    }
    Group group{.begin = out_.size(), .closers = 0, .mode = mode_};
    quantified_ = false;
    if (!take_if("?")) {
      out_ += '(';
      groups_.push_back(group);
      return Done{};
    }
    for (const std::string_view known : {":", "=", "!", ">", "<=", "<!"})
      if (take_if(known)) {
        out_ += fmt::format("(?{}", known);
        group.looks_back = known.starts_with('<');
        groups_.push_back(group);
        mode_.looks_back |= known.starts_with('<');
        begin_branch();
        return Done{};
      }
    if (rest_.starts_with('<') || rest_.starts_with('\'') || rest_.starts_with('(')) {
      out_ += "(?";
      groups_.push_back(group);
      const char last = rest_.front() == '<' ? '>' : rest_.front() == '(' ? ')' : '\'';
      const size_t end = rest_.find(last, 1);
      if (end == std::string_view::npos) return broken("a name that is not closed");
      out_ += rest_.substr(0, end + 1);
      rest_.remove_prefix(end + 1);
      return Done{};
    }
    return options(group);
  }

  // (?imx-imx:...) and (?imx-imx), which holds to the end of the group with all its alternatives. Here `m` is
  // the dot that matches line feeds.
  Status options(const Group& group) {
    std::string on, off;
    bool minus = false;
    Mode mode = mode_;
    while (!rest_.empty() && rest_.front() != ')' && rest_.front() != ':') {
      const char c = take();
      if (c == '-')
        minus = true;
      else if (c == 'm')
        (minus ? off : on) += 's';
      else if (c == 'i') {
        mode.caseless = !minus;
        (minus ? off : on) += 'i';
      } else if (c == 'x')
        mode.extended = !minus;
      else
        return broken("an option that is not known");
    }
    if (rest_.empty()) return broken("a group that is not closed");
    out_ += fmt::format("(?{}{}{}:", on, off.empty() ? "" : "-", off);
    if (take() == ':') {
      groups_.push_back(group);
    } else {
      ++groups_.back().closers;
    }
    mode_ = mode;
    return Done{};
  }

  Status close() {
    take();
    if (groups_.size() == 1) return broken("a bracket that was not opened");
    TRY_DONE(end_branch());
    out_.append(groups_.back().closers, ')');
    out_ += ')';
    atom_ = groups_.back().begin;
    quantified_ = false;
    mode_ = groups_.back().mode;
    groups_.pop_back();
    return Done{};
  }

  Status escape() {
    TRY(std::optional<Class> read, class_escape(Place::alone));
    if (read) return put_class(*read);
    take();
    if (rest_.empty()) return broken("a backslash at its end");
    const char c = rest_.front();
    if (c == 'b' || c == 'B') {
      take();
      const std::string word = class_text(word_set());
      if (c == 'b')
        put_atom(fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", word));
      else
        put_atom(fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", word));
      return Done{};
    }
    if (c == 'y') return put_taken("(?-i:(?!" + within_grapheme_text() + "))");
    if (c == 'Y') return put_taken("(?-i:" + within_grapheme_text() + ")");
    if (c == 'v') return put_taken(R"(\x0b)");
    // PCRE2 takes what its own \R begins with for none of what a dot matches, and gives nothing back for it.
    if (c == 'R') return put_taken(R"((?:\r\n|(?!\r\n)[\n-\r\x{85}\x{2028}\x{2029}]))");
    if (c == 'N') return put_taken("[^\\n]");
    if (c == 'O') return put_taken("\\p{Any}");
    if (c == 'X') return put_taken(mode_.caseless ? "(?-i:" + grapheme_text() + ")" : grapheme_text());
    if (c == 'u' || c == 'x') {
      TRY(const char32_t code, numbered_code(c));
      const std::string one = fmt::format("\\x{{{:x}}}", static_cast<uint32_t>(code));
      const std::string text = mode_.caseless && !mode_.looks_back ? caseless_text({&code, 1}) : one;
      put_atom(text.find('(') == std::string::npos ? one : text);
      return Done{};
    }
    if (std::string_view("KGAZznrtfaekg0123456789").find(c) != std::string_view::npos) {
      put_atom("\\");
      out_ += take();
      return Done{};
    }
    const std::string_view before = rest_;
    take_code();
    const std::string_view literal = before.substr(0, before.size() - rest_.size());
    const bool plain = literal.size() > 1 || std::isalnum(static_cast<unsigned char>(c)) != 0;
    put_atom(plain ? std::string(literal) : "\\" + std::string(literal));
    return Done{};
  }

  Status put_taken(std::string_view text) {
    take();
    put_atom(text);
    return Done{};
  }

  enum class Place : uint8_t { alone, in_brackets };

  // \d \w \s \h, \p{...} and their opposites, at the head of rest_; nothing if it is another escape. Words in
  // brackets lack the fractions and superscripts of Latin-1.
  Result<std::optional<Class>> class_escape(Place place) {
    const char c = rest_.size() > 1 ? rest_[1] : '\0';
    Class out;
    const char kind = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (kind == 'd' || kind == 'w' || kind == 's' || kind == 'h') {
      rest_.remove_prefix(2);
      *out.set = kind == 'd' ? digit_set() : kind == 's' ? space_set() : kind == 'h' ? hex_set() : word_set();
      if (kind == 'w' && place == Place::in_brackets) {
        TRY(*out.set, property_set("word"));
      }
      if (c != kind) out.set->flip();
      return std::optional<Class>(std::move(out));
    }
    if (kind != 'p' || rest_.size() < 3 || rest_[2] != '{') return std::optional<Class>();
    const size_t end = rest_.find('}');
    if (end == std::string_view::npos) return broken("a property that is not closed");
    std::string_view name = rest_.substr(3, end - 3);
    bool negated = c == 'P';
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    rest_.remove_prefix(end + 1);
    // \p{Punct} is the category, without the symbols of [:punct:].
    const auto is_named = [name](std::string_view wanted) {
      return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(),
                        [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; });
    };
    auto set = property_set(is_named("punct") ? "P" : name);
    if (place == Place::alone && is_named("word")) set = word_set();
    if (!set.ok()) set = unicode_property(name);
    if (!set.ok()) return set.error();
    *out.set = negated ? ~set.value() : set.value();
    return std::optional<Class>(std::move(out));
  }

  Status put_class(const Class& read) {
    CodeSet in_texts = *read.set;  // No text has a surrogate.
    for (char32_t code = 0xD800; code < 0xE000; ++code) in_texts.reset(code);
    const bool nothing = in_texts.none();
    std::string text = nothing ? "(?!)" : read.set->all() ? "\\p{Any}" : class_text(*read.set);
    if (mode_.caseless && !nothing && !read.set->all())
      text = fmt::format("(?-i:{})", text);  // Its cases are in it.
    if (read.more.empty()) {
      put_atom(text);
      return Done{};
    }
    for (const std::string& more : read.more) text += "|" + more;
    if (!mode_.looks_back) {
      put_atom("(?:" + text + ")");
      return Done{};
    }
    if (!groups_.back().looks_back || groups_.back().closers > 0 || groups_.back().branch != out_.size())
      return looks_back_too_far();
    put_atom(text);  // Branches of what looks back.
    groups_.back().long_class_end = out_.size();
    return Done{};
  }

  // [...] with ranges, names, classes in it and intersections, from its bracket.
  Result<Class> read_class(size_t depth) {
    if (depth >= class_depth_max) return broken("too many classes in each other");
    take();
    const bool negated = take_if("^");
    Class all, part;
    bool intersected = false, first = true;
    while (true) {
      if (rest_.empty()) return broken("a class that is not closed");
      if (rest_.front() == ']' && !first) break;
      first = false;
      if (take_if("&&")) {
        intersect(all, part, intersected);
        part = Class();
        intersected = true;
        continue;
      }
      TRY_DONE(class_item(part, depth));
    }
    take();
    intersect(all, part, intersected);
    // Classes within it are as they are written, and so is a property alone.
    if (mode_.caseless && depth == 0) {
      if (!negated)
        all.more = long_cases_of(*all.set, without_end() ? LongCases::not_of_its_own : LongCases::all);
      *all.set = with_other_cases(*all.set);
    }
    if (negated) all.set->flip();
    return all;
  }

  // Whether what was just read is repeated as often as it can be.
  bool without_end() const {
    return rest_.starts_with('*') || rest_.starts_with('+') ||
           (rest_.starts_with('{') && rest_.substr(0, rest_.find('}')).ends_with(','));
  }

  static void intersect(Class& all, Class& part, bool intersected) {
    if (intersected)
      *all.set &= *part.set;
    else
      *all.set |= *part.set;
  }

  Status class_item(Class& into, size_t depth) {
    if (rest_.starts_with("[:")) {
      const size_t end = rest_.find(":]");
      if (end != std::string_view::npos) {
        std::string_view name = rest_.substr(2, end - 2);
        const bool negated = name.starts_with('^');
        if (negated) name.remove_prefix(1);
        auto set = property_set(name);
        if (set.ok()) {
          rest_.remove_prefix(end + 2);
          *into.set |= negated ? ~set.value() : set.value();
          return Done{};
        }
      }
    }
    if (rest_.front() == '[') {
      TRY(const Class inner, read_class(depth + 1));
      *into.set |= *inner.set;
      return Done{};
    }
    if (rest_.front() == '\\') {
      TRY(const std::optional<Class> inner, class_escape(Place::in_brackets));
      if (inner) {
        *into.set |= *inner->set;
        return Done{};
      }
    }
    TRY(const char32_t low, class_code());
    char32_t high = low;
    const bool range = rest_.size() > 1 && rest_[0] == '-' && rest_[1] != ']' && rest_[1] != '[';
    if (range) {
      const std::string_view before = rest_;
      take();
      if (rest_.front() == '\\' && rest_.size() > 1 &&
          std::string_view("dDwWsShHpP").find(rest_[1]) != std::string_view::npos) {
        rest_ = before;  // The minus stands for itself.
      } else {
        TRY(high, class_code());
      }
    }
    if (high < low) return broken("an empty range");
    for (char32_t code = low; code <= high; ++code) into.set->set(code);
    return Done{};
  }

  Result<char32_t> class_code() {
    if (rest_.empty()) return broken("a class that is not closed");
    if (rest_.front() != '\\') return take_code();
    take();
    if (rest_.empty()) return broken("a class that is not closed");
    const char c = rest_.front();
    constexpr std::string_view names = "nrtfvaeb", codes = "\n\r\t\f\v\a\x1b\b";
    if (const size_t known = names.find(c); known != std::string_view::npos) {
      take();
      return static_cast<char32_t>(codes[known]);
    }
    if (c == 'x' || c == 'u') return numbered_code(c);
    if (c >= '0' && c <= '7') return number(8, 3);
    return take_code();
  }

  // \x{...}, \xHH and \uHHHH, from the letter on.
  Result<char32_t> numbered_code(char letter) {
    take();
    if (letter == 'u') return number(16, 4);
    if (!take_if("{")) return number(16, 2);
    TRY(const char32_t code, number(16, 8));
    if (!take_if("}")) return broken("a number that is not closed");
    return code;
  }

  Result<char32_t> number(uint32_t base, size_t digits_max) {
    uint32_t value = 0;
    size_t count = 0;
    for (; count < digits_max && !rest_.empty(); ++count) {
      const char c = rest_.front();
      const uint32_t digit = c >= '0' && c <= '9'   ? static_cast<uint32_t>(c - '0')
                             : c >= 'a' && c <= 'f' ? static_cast<uint32_t>(c - 'a' + 10)
                             : c >= 'A' && c <= 'F' ? static_cast<uint32_t>(c - 'A' + 10)
                                                    : base;
      if (digit >= base) break;
      value = value * base + digit;
      take();
    }
    if (count == 0 || value > 0x10FFFF) return broken("a code point that is none");
    return static_cast<char32_t>(value);
  }

  std::string_view rest_;
  std::string out_;
  size_t atom_ = 0;          // Where in out_ the last thing a quantifier may follow begins.
  bool quantified_ = false;  // One does.
  Mode mode_;
  std::vector<Group> groups_;
};

}  // namespace

Result<std::string> to_pcre2(std::string_view pattern) { return Translator(pattern).run(); }

}  // namespace holdfast::token
