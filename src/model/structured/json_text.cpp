#include "model/structured/json_text.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "codec/json.h"
#include "token/unicode/utf8.h"

namespace holdfast::model::structured {
namespace {

using Ranges = std::vector<std::pair<char32_t, char32_t>>;

constexpr size_t blanks_max = 20;
const Ranges plain = {{' ', '!'}, {'#', '['}, {']', 0x10FFFF}};  // What needs no escape in a string.

bool holds(const Ranges& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const auto& range) { return range.first <= c && c <= range.second; });
}

Ranges meet(const Ranges& a, const Ranges& b) {
  Ranges out;
  for (const auto& [from, to] : a)
    for (const auto& [low, high] : b)
      if (std::max(from, low) <= std::min(to, high))
        out.emplace_back(std::max(from, low), std::min(to, high));
  return out;
}

// A class of characters as a JSON string spells them.
Sequence spell_in_string(GrammarBuilder& builder, Ranges ranges) {
  std::vector<Sequence> choices;
  if (Ranges direct = meet(ranges, plain); !direct.empty())
    choices.push_back(builder.character(std::move(direct)));
  constexpr std::pair<char32_t, std::string_view> short_ones[] = {
      {'"', "\\\""}, {'\\', "\\\\"}, {'\n', "\\n"}, {'\t', "\\t"},
      {'\r', "\\r"}, {'\b', "\\b"},  {'\f', "\\f"}};
  for (const auto& [c, text] : short_ones)
    if (holds(ranges, c)) choices.push_back(builder.literal(text));
  constexpr std::string_view digits = "0123456789abcdef";
  for (char32_t c = 0; c < ' '; ++c) {
    if (!holds(ranges, c) || c == '\n' || c == '\t' || c == '\r' || c == '\b' || c == '\f') continue;
    choices.push_back(builder.literal(std::string("\\u00") + digits[c >> 4] + digits[c & 15]));
  }
  return builder.choice(std::move(choices));
}

}  // namespace

Sequence JsonText::blank() {
  if (!blank_) {
    const Sequence spaces = builder_.repeat(builder_.one_of(ByteSet().set(' ').set('\t')), 0, blanks_max);
    blank_ = builder_.reserve();
    builder_.define(*blank_,
                    {{}, builder_.literal(" "), GrammarBuilder::joined({builder_.literal("\n"), spaces})});
  }
  return builder_.named(*blank_);
}

// One character of a string, as it is or escaped. Escapes of surrogates are left out: half a pair would not
// be a text.
Sequence JsonText::character() {
  if (!character_) {
    const auto hex = [&](std::string_view set) {
      ByteSet bytes;
      for (const char c : set) bytes.set(static_cast<uint8_t>(c));
      return builder_.one_of(bytes);
    };
    const Sequence any = hex("0123456789abcdefABCDEF");
    const Sequence lead = hex("0123456789abcefABCEF"), low = hex("01234567"), d = hex("dD");
    const Sequence code = builder_.choice(
        {GrammarBuilder::joined({lead, any, any, any}), GrammarBuilder::joined({d, low, any, any})});
    character_ = builder_.reserve();
    builder_.define(*character_, {builder_.character(plain),
                                  GrammarBuilder::joined({builder_.literal("\\"), hex("\"\\/bfnrt")}),
                                  GrammarBuilder::joined({builder_.literal("\\u"), code})});
  }
  return builder_.named(*character_);
}

RuleId JsonText::number() {
  if (!number_) {
    const Sequence digit = builder_.character({{'0', '9'}});
    const Sequence digits = builder_.repeat(digit, 1, 18);
    const Sequence whole = builder_.choice(
        {builder_.literal("0"),
         GrammarBuilder::joined({builder_.character({{'1', '9'}}), builder_.repeat(digit, 0, 17)})});
    const Sequence minus = builder_.choice({builder_.literal("-"), {}});
    const Sequence fraction = builder_.choice({GrammarBuilder::joined({builder_.literal("."), digits}), {}});
    const Sequence sign = builder_.choice({builder_.character({{'+', '+'}, {'-', '-'}}), {}});
    // Two digits: within what a double holds.
    const Sequence exponent =
        builder_.choice({GrammarBuilder::joined({builder_.character({{'E', 'E'}, {'e', 'e'}}), sign,
                                                 builder_.repeat(digit, 1, 2)}),
                         {}});
    number_ = builder_.reserve();
    builder_.define(*number_, {GrammarBuilder::joined({minus, whole, fraction, exponent})});
  }
  return *number_;
}

RuleId JsonText::any_value() {
  if (!any_value_) {
    any_value_ = builder_.reserve();
    const Sequence self = builder_.named(*any_value_);
    const Sequence list = array({}, self, 0, GrammarBuilder::repeat_unbounded);
    const Sequence map = object({}, self);
    builder_.define(*any_value_,
                    {map, list, string(0, GrammarBuilder::repeat_unbounded), builder_.named(number()),
                     builder_.literal("true"), builder_.literal("false"), builder_.literal("null")});
  }
  return *any_value_;
}

Sequence JsonText::string(size_t least, size_t most) {
  const Sequence quote = builder_.literal("\"");
  return GrammarBuilder::joined({quote, builder_.repeat(character(), least, most), quote});
}

Result<Sequence> JsonText::matching(std::string_view pattern, Anchoring anchoring) {
  const RegexOptions options{.anchoring = anchoring, .spell = spell_in_string};
  TRY(Sequence inside, add_regex(builder_, pattern, options));
  const Sequence quote = builder_.literal("\"");
  return GrammarBuilder::joined({quote, inside, quote});
}

Sequence JsonText::value(const boost::json::value& wanted) {
  if (wanted.is_array()) {
    std::vector<Sequence> items;
    for (const auto& item : wanted.as_array()) items.push_back(value(item));
    return array(items, {}, items.size(), items.size());
  }
  if (wanted.is_object()) {
    std::vector<Member> members;
    for (const auto& [name, inside] : wanted.as_object())
      members.push_back({.name = std::string(name), .value = value(inside), .required = true});
    return object(members, std::nullopt);
  }
  return builder_.literal(codec::to_text(wanted));
}

Sequence JsonText::array(const std::vector<Sequence>& fixed, const Sequence& item, size_t least,
                         size_t most) {
  const Sequence open = GrammarBuilder::joined({builder_.literal("["), blank()});
  const Sequence close = GrammarBuilder::joined({blank(), builder_.literal("]")});
  const Sequence comma = GrammarBuilder::joined({builder_.literal(","), blank()});
  const size_t first = fixed.size();
  // From the back: what may follow after i items.
  Sequence rest;
  if (most > first) {
    const size_t more = most == GrammarBuilder::repeat_unbounded ? most : most - first;
    if (first == 0)
      rest = builder_.repeat(item, least, more, comma);
    else
      rest = builder_.repeat(GrammarBuilder::joined({comma, item}), least > first ? least - first : 0, more);
  }
  for (size_t i = std::min(first, most); i-- > 0;) {
    Sequence next = GrammarBuilder::joined({i == 0 ? Sequence() : comma, fixed[i], rest});
    rest = i >= least ? builder_.choice({next, {}}) : next;
  }
  return GrammarBuilder::joined({open, rest, close});
}

// Two rules a member: what may follow when none stands yet, and when one does.
Sequence JsonText::object(const std::vector<Member>& members, const std::optional<Sequence>& more) {
  const Sequence open = GrammarBuilder::joined({builder_.literal("{"), blank()});
  const Sequence close = GrammarBuilder::joined({blank(), builder_.literal("}")});
  const Sequence colon = GrammarBuilder::joined({builder_.literal(":"), blank()});
  const Sequence comma = GrammarBuilder::joined({builder_.literal(","), blank()});
  Sequence after_none, after_some;
  if (more) {
    const Sequence extra = GrammarBuilder::joined({other_name(members), colon, *more});
    after_some = builder_.repeat(GrammarBuilder::joined({comma, extra}), 0, GrammarBuilder::repeat_unbounded);
    after_none = builder_.choice({GrammarBuilder::joined({extra, after_some}), {}});
  }
  for (size_t i = members.size(); i-- > 0;) {
    const Member& member = members[i];
    const Sequence pair = GrammarBuilder::joined(
        {builder_.literal(codec::to_text(boost::json::value(member.name))), colon, member.value});
    Sequence first = GrammarBuilder::joined({pair, after_some});
    Sequence later = GrammarBuilder::joined({comma, pair, after_some});
    // Rules of their own, so that the pieces are not copied into every member before.
    const RuleId none = builder_.reserve(), some = builder_.reserve();
    if (member.required) {
      builder_.define(none, {std::move(first)});
      builder_.define(some, {std::move(later)});
    } else {
      builder_.define(none, {std::move(first), after_none});
      builder_.define(some, {std::move(later), after_some});
    }
    after_none = builder_.named(none);
    after_some = builder_.named(some);
  }
  return GrammarBuilder::joined({open, after_none, close});
}

Sequence JsonText::other_name(const std::vector<Member>& members) {
  std::vector<std::string> names;
  for (const Member& member : members) names.push_back(member.name);
  const Sequence quote = builder_.literal("\"");
  if (names.empty()) return GrammarBuilder::joined({quote, builder_.repeat(character(), 0, SIZE_MAX), quote});
  return GrammarBuilder::joined({quote, name_but(std::move(names)), quote});
}

// Names without escapes that are none of these: along the tree of the names, either leave it by another
// character or end where none of them does.
Sequence JsonText::name_but(std::vector<std::string> names) {
  std::map<char32_t, std::vector<std::string>> branches;
  bool ends_here = false;
  for (const std::string& name : names) {
    if (name.empty()) {
      ends_here = true;
      continue;
    }
    const token::CodePoint first = token::code_point_at(name, 0);
    branches[first.value].push_back(name.substr(first.bytes));
  }
  Ranges taken;
  std::vector<Sequence> choices;
  for (auto& [first, rests] : branches) {
    taken.emplace_back(first, first);
    if (!holds(plain, first)) continue;  // Only an escape could spell it.
    choices.push_back(
        GrammarBuilder::joined({builder_.character({{first, first}}), name_but(std::move(rests))}));
  }
  Ranges others = meet(plain, all_but(std::move(taken)));
  const Sequence any = builder_.repeat(builder_.character(plain), 0, GrammarBuilder::repeat_unbounded);
  choices.push_back(GrammarBuilder::joined({builder_.character(std::move(others)), any}));
  if (!ends_here) choices.push_back({});
  return builder_.choice(std::move(choices));
}

std::optional<std::string_view> JsonText::format_pattern(std::string_view format) {
  // RFC 3339. February has 28 days here: a date that is always one.
#define HOLD_DATE                                                                                   \
  "[1-9]\\d{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|" \
  "02-(?:0[1-9]|1\\d|2[0-8]))"
#define HOLD_TIME "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
#define HOLD_BYTE "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
  static const std::map<std::string_view, std::string_view> known = {
      {"date", HOLD_DATE},
      {"time", HOLD_TIME},
      {"date-time", HOLD_DATE "T" HOLD_TIME},
      {"uuid", "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"},
      {"ipv4", HOLD_BYTE "\\." HOLD_BYTE "\\." HOLD_BYTE "\\." HOLD_BYTE},
      {"email",
       "[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}@[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?"
       "(?:\\.[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?){1,3}"},
      {"hostname", "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){0,3}"}};
#undef HOLD_BYTE
#undef HOLD_TIME
#undef HOLD_DATE
  const auto found = known.find(format);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace holdfast::model::structured
