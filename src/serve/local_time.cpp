#include "serve/local_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace holdfast::serve {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using Day = std::chrono::sys_days;

constexpr size_t table_bytes_max = 64 << 10, rule_bytes_max = 100, name_bytes_max = 60;

// Reads a rule from its begin.
class RuleReader {
 public:
  explicit RuleReader(std::string_view text) : text_(text) {}
  bool done() const { return text_.empty(); }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  // "CET", or "<+03>".
  bool name() {
    size_t length = 0;
    if (take('<')) {
      length = text_.find('>');
      if (length == std::string_view::npos) return false;
      text_.remove_prefix(length + 1);
      return length > 0;
    }
    while (length < text_.size() && ((text_[length] | 0x20) >= 'a' && (text_[length] | 0x20) <= 'z'))
      ++length;
    text_.remove_prefix(length);
    return length >= 3;
  }
  std::optional<int> number(int most) {
    int value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc{} || value < 0 || value > most) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }
  // [+-]hh[:mm[:ss]]
  std::optional<seconds> time() {
    const bool negative = take('-');
    if (!negative) (void)take('+');
    constexpr int hours_max = 167;
    const auto hours = number(hours_max);
    if (!hours) return std::nullopt;
    int total = *hours * 3600;
    for (const int unit : {60, 1}) {
      if (!take(':')) break;
      const auto part = number(59);
      if (!part) return std::nullopt;
      total += *part * unit;
    }
    return seconds(negative ? -total : total);
  }

 private:
  std::string_view text_;
};

// A day of each year, and the time of it: Mm.w.d, Jn, or n.
struct YearlyMoment {
  enum class Kind : uint8_t { month, julian, plain } kind = Kind::month;
  int month = 1, week = 1, day = 0;
  seconds time{7200};

  Day in(std::chrono::year year) const {
    const Day first{year / 1 / 1};
    if (kind == Kind::plain) return first + days(day);
    if (kind == Kind::julian) return first + days(day - 1 + (year.is_leap() && day > 59 ? 1 : 0));
    const auto of = year / std::chrono::month(static_cast<unsigned>(month));
    const std::chrono::weekday wanted(static_cast<unsigned>(day));
    return week == 5 ? Day{of / wanted[std::chrono::last]} : Day{of / wanted[static_cast<unsigned>(week)]};
  }
};

std::optional<YearlyMoment> read_moment(RuleReader& reader) {
  YearlyMoment moment;
  const auto into = [&](int& value, int least, int most) {
    const auto number = reader.number(most);
    if (number) value = *number;
    return number && *number >= least;
  };
  if (reader.take('M')) {
    if (!into(moment.month, 1, 12) || !reader.take('.') || !into(moment.week, 1, 5) || !reader.take('.') ||
        !into(moment.day, 0, 6))
      return std::nullopt;
  } else {
    moment.kind = reader.take('J') ? YearlyMoment::Kind::julian : YearlyMoment::Kind::plain;
    if (!into(moment.day, moment.kind == YearlyMoment::Kind::julian ? 1 : 0, 365)) return std::nullopt;
  }
  if (reader.take('/')) {
    const auto time = reader.time();
    if (!time) return std::nullopt;
    moment.time = *time;
  }
  return moment;
}

struct Rule {
  seconds standard{}, summer{};  // East of Greenwich.
  bool has_summer = false;
  YearlyMoment begin, end;
};

std::optional<Rule> read_rule(std::string_view text) {
  if (text.size() > rule_bytes_max) return std::nullopt;
  RuleReader reader(text);
  Rule rule;
  if (!reader.name()) return std::nullopt;
  const auto west = reader.time();
  if (!west) return std::nullopt;
  rule.standard = -*west;
  if (reader.done()) return rule;
  if (!reader.name()) return std::nullopt;
  rule.has_summer = true;
  rule.summer = rule.standard + std::chrono::hours(1);
  if (!reader.take(',')) {
    const auto other = reader.time();
    if (!other || !reader.take(',')) return std::nullopt;
    rule.summer = -*other;
  }
  const auto begin = read_moment(reader);
  if (!begin || !reader.take(',')) return std::nullopt;
  const auto end = read_moment(reader);
  if (!end || !reader.done()) return std::nullopt;
  rule.begin = *begin;
  rule.end = *end;
  return rule;
}

seconds offset_at(const Rule& rule, std::chrono::sys_seconds at) {
  if (!rule.has_summer) return rule.standard;
  const auto year = std::chrono::year_month_day(std::chrono::floor<days>(at + rule.standard)).year();
  // A moment is said in the time that holds before it.
  const auto begin = rule.begin.in(year) + rule.begin.time - rule.standard;
  const auto end = rule.end.in(year) + rule.end.time - rule.summer;
  const bool summer = begin < end ? at >= begin && at < end : at >= begin || at < end;
  return summer ? rule.summer : rule.standard;
}

}  // namespace

Result<LocalTime> local_time(std::string_view text, WallTime at) {
  const auto rule = read_rule(text);
  if (!rule) return fail(Reason::bad_request, "the rule of a time zone cannot be read");
  const auto now = std::chrono::floor<seconds>(at);
  const auto local = now + offset_at(*rule, now);
  const auto day = std::chrono::floor<days>(local);
  constexpr unsigned monday = 1;
  return LocalTime{
      .weekday = static_cast<int>(std::chrono::weekday(day).iso_encoding() - monday),
      .minute = static_cast<int>(std::chrono::duration_cast<std::chrono::minutes>(local - day).count())};
}

Result<std::string> time_zone_rule(io::Disk& tables, std::string_view name) {
  const Error unknown =
      fail(Reason::bad_request,
           fmt::format("this machine knows no time zone '{}': it is written as Europe/Berlin, or UTC",
                       name.substr(0, name_bytes_max)));
  if (name == "UTC") return std::string("UTC0");
  const bool plain = !name.empty() && name.size() <= name_bytes_max && name.front() != '/' &&
                     name.find("..") == std::string_view::npos &&
                     std::all_of(name.begin(), name.end(), [](char c) {
                       return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') ||
                              std::string_view("/_+-").find(c) != std::string_view::npos;
                     });
  if (!plain) return unknown;
  const auto table = io::read_text(tables, io::Path(std::string(name)), table_bytes_max);
  if (!table.ok()) return unknown;
  // The last line of a table of version 2 or later is the rule for all that it does not list.
  std::string_view text = table.value();
  if (!text.starts_with("TZif") || !text.ends_with('\n')) return unknown;
  text.remove_suffix(1);
  const size_t line = text.rfind('\n');
  if (line == std::string_view::npos) return unknown;
  std::string rule(text.substr(line + 1));
  if (!read_rule(rule)) return unknown;
  return rule;
}

}  // namespace holdfast::serve
