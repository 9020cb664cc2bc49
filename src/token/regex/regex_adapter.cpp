// The only file that calls PCRE2.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <mutex>

#include "token/regex/known_patterns.h"
#include "token/regex/pattern.h"
#include "token/regex/pcre2_property.h"
#include "token/regex/regex.h"
#include "token/unicode/earlier_categories.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatch {
  void operator()(pcre2_match_data* match) const { pcre2_match_data_free(match); }
};
struct FreeContext {
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;
using MatchData = std::unique_ptr<pcre2_match_data, FreeMatch>;
using MatchContext = std::unique_ptr<pcre2_match_context, FreeContext>;

PCRE2_SPTR bytes_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

class Pcre2Regex final : public Regex {
 public:
  Pcre2Regex(Code code, MatchContext context) : code_(std::move(code)), context_(std::move(context)) {}

  Result<std::vector<Match>> find(std::string_view text) const override {
    std::vector<Match> out;
    const MatchData match(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    if (!match) return fail(Reason::tokenization_failed, "no memory for a regular expression");
    size_t at = 0, taken = 0;
    bool any = false;
    while (at <= text.size()) {
      const int count = pcre2_match(code_.get(), bytes_of(text), text.size(), at, PCRE2_NO_UTF_CHECK,
                                    match.get(), context_.get());
      if (count == PCRE2_ERROR_NOMATCH) break;
      if (count < 0)
        return fail(Reason::tokenization_failed,
                    "a regular expression of the tokenizer takes too many steps");
      const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match.get());
      // An empty match right after the last one is passed over. \K may put a begin after the end.
      if (range[0] >= range[1] && any && range[1] == taken) {
        at += at < text.size() ? code_point_at(text, at).bytes : 1;
        continue;
      }
      if (range[0] > range[1] || range[0] < taken)
        return fail(Reason::tokenization_failed, "a regular expression of the tokenizer matches backwards");
      if (taken < range[0]) out.push_back({taken, range[0], false});
      out.push_back({range[0], range[1], true});
      at = taken = range[1];
      any = true;
    }
    if (taken < text.size()) out.push_back({taken, text.size(), false});
    return out;
  }

 private:
  Code code_;
  MatchContext context_;
};

// PCRE2 10.42 translates atomic groups with lazy quantifiers wrongly: it does not find (?>.+?)a in "  a".
enum class Way : uint8_t { translated, interpreted };

Result<Code> compile(std::string_view pattern, Way way) {
  int error = 0;
  PCRE2_SIZE where = 0;
  uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_DUPNAMES;
  // PCRE2 10.42 makes what is before a group that may be nothing possessive by what is in the group alone.
  for (const std::string_view may_be_nothing : {")?+", ")*+"})
    if (pattern.find(may_be_nothing) != std::string_view::npos) options |= PCRE2_NO_AUTO_POSSESS;
  Code code(pcre2_compile(bytes_of(pattern), pattern.size(), options, &error, &where, nullptr));
  if (!code) {
    std::array<PCRE2_UCHAR, 160> text{};
    pcre2_get_error_message(error, text.data(), text.size());
    return fail(Reason::bad_request, std::string("a regular expression of the tokenizer cannot be read: ") +
                                         reinterpret_cast<const char*>(text.data()));
  }
  if (way == Way::translated)
    pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // Where it cannot, the interpreter does.
  return code;
}

Result<std::shared_ptr<const Regex>> compile_now(std::string_view pattern) {
  TRY(const std::string translated, to_pcre2(pattern));
  const bool has_atomic_groups = pattern.find("(?>") != std::string_view::npos;
  TRY(Code code, compile(translated, has_atomic_groups ? Way::interpreted : Way::translated));
  MatchContext context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), Regex::steps_max);
  pcre2_set_heap_limit(context.get(), 64 << 10);  // KiB.
  return std::shared_ptr<const Regex>(std::make_shared<Pcre2Regex>(std::move(code), std::move(context)));
}

// A pattern that is known to be valid, compiled when it is first run.
class LateRegex final : public Regex {
 public:
  explicit LateRegex(std::string_view pattern) : pattern_(pattern) {}

  Result<std::vector<Match>> find(std::string_view text) const override {
    std::call_once(once_, [this] { regex_ = compile_now(pattern_); });
    if (!regex_.ok()) return regex_.error();
    return regex_.value()->find(text);
  }

 private:
  std::string pattern_;
  mutable std::once_flag once_;
  mutable Result<std::shared_ptr<const Regex>> regex_ = std::shared_ptr<const Regex>();
};

}  // namespace

Result<std::shared_ptr<const Regex>> compile_regex(std::string_view pattern) {
  if (pattern.size() > Regex::pattern_bytes_max)
    return fail(Reason::bad_request, "a regular expression of the tokenizer is too long");
  if (known_patterns::contains(pattern))
    return std::shared_ptr<const Regex>(std::make_shared<LateRegex>(pattern));
  return compile_now(pattern);
}

namespace {

std::string every_code_point() {
  // Written in place: the first text of a tokenizer waits for it.
  constexpr size_t bytes = 0x80 + 2 * 0x780 + 3 * (0xF800 - 0x800) + 4 * 0x100000;
  std::string out(bytes, '\0');
  char* at = out.data();
  const auto follow = [&](char32_t code, unsigned shift) {
    *at++ = static_cast<char>(0x80U | (code >> shift & 0x3FU));
  };
  char32_t code = 0;
  for (; code < 0x80; ++code) *at++ = static_cast<char>(code);
  for (; code < 0x800; ++code) {
    *at++ = static_cast<char>(0xC0U | code >> 6U);
    follow(code, 0);
  }
  for (; code < 0x10000; ++code) {
    if (code == 0xD800) code = 0xE000;
    *at++ = static_cast<char>(0xE0U | code >> 12U);
    follow(code, 6);
    follow(code, 0);
  }
  for (; code < 0x110000; ++code) {
    *at++ = static_cast<char>(0xF0U | code >> 18U);
    follow(code, 12);
    follow(code, 6);
    follow(code, 0);
  }
  return out;
}

}  // namespace

Result<CodeSet> pcre2_property(std::string_view name) {
  TRY(const Code code, compile("\\p{" + std::string(name) + "}+", Way::translated));
  const std::string all = every_code_point();
  Result<CodeSet> out = CodeSet();
  const MatchData match(pcre2_match_data_create_from_pattern(code.get(), nullptr));
  if (!match) return fail(Reason::tokenization_failed, "no memory for a regular expression");
  for (size_t at = 0; pcre2_match(code.get(), bytes_of(all), all.size(), at, PCRE2_NO_UTF_CHECK, match.get(),
                                  nullptr) > 0;) {
    const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match.get());
    for_each_code_point(std::string_view(all).substr(range[0], range[1] - range[0]),
                        [&](char32_t found, size_t, size_t) { out.value().set(found); });
    at = range[1];
  }
  return out;
}

std::vector<uint8_t> ask_pcre2_categories() {
  constexpr std::string_view order[] = {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd",
                                        "Nl", "No", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm",
                                        "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Co"};
  // The largest first: each pattern reads only what none before it has taken.
  constexpr size_t largest[] = {0, 28, 5, 22};
  std::vector<size_t> turns(std::begin(largest), std::end(largest));
  for (size_t i = 0; i < std::size(order); ++i)
    if (std::find(std::begin(largest), std::end(largest), i) == std::end(largest)) turns.push_back(i);
  std::vector<uint8_t> out(0x110000);
  std::string all = every_code_point();
  for (const size_t i : turns) {
    std::string rest;
    size_t kept = 0;
    const auto code = compile("\\p{" + std::string(order[i]) + "}+", Way::translated);
    if (!code.ok()) continue;
    const MatchData match(pcre2_match_data_create_from_pattern(code.value().get(), nullptr));
    for (size_t at = 0; pcre2_match(code.value().get(), bytes_of(all), all.size(), at, PCRE2_NO_UTF_CHECK,
                                    match.get(), nullptr) > 0;) {
      const PCRE2_SIZE* const range = pcre2_get_ovector_pointer(match.get());
      if (i != 0)
        for_each_code_point(std::string_view(all).substr(range[0], range[1] - range[0]),
                            [&](char32_t found, size_t, size_t) { out[found] = static_cast<uint8_t>(i); });
      rest.append(all, kept, range[0] - kept);
      at = kept = range[1];
    }
    rest.append(all, kept);
    all = std::move(rest);
  }
  return out;
}

const std::vector<uint8_t>& pcre2_categories() {
  static const std::vector<uint8_t> table = [] {
    std::array<char, 24> version{};
    pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version.data());
    const bool is_known = std::string_view(version.data()) == "14.0.0";
    return is_known ? categories_of_unicode_14() : ask_pcre2_categories();
  }();
  return table;
}

std::string escape_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool special = std::string_view(R"(\.+*?()|[]{}^$#&-~)").find(c) != std::string_view::npos;
    if (special) out += '\\';
    out += c;
  }
  return out;
}

namespace {

class Literal final : public Regex {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {}

  Result<std::vector<Match>> find(std::string_view text) const override {
    std::vector<Match> out;
    size_t taken = 0;
    for (size_t at = text.find(text_); at != std::string_view::npos; at = text.find(text_, taken)) {
      if (taken < at) out.push_back({taken, at, false});
      taken = at + text_.size();
      out.push_back({at, taken, true});
    }
    if (taken < text.size()) out.push_back({taken, text.size(), false});
    return out;
  }

 private:
  std::string text_;
};

}  // namespace

Result<std::shared_ptr<const Regex>> compile_literal(std::string_view text) {
  if (text.empty()) return compile_regex("");
  return std::shared_ptr<const Regex>(std::make_shared<Literal>(std::string(text)));
}

}  // namespace holdfast::token
