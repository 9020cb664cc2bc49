#include "serve/warm_hours.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "sql/database.h"

namespace holdfast::serve {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 7> day_names = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr int minutes_of_day = 24 * 60, days_of_week = 7;
constexpr int64_t replicas_most = 64;
constexpr size_t endpoints_max = 100'000;

Error wrong(std::string_view what) { return fail(Reason::bad_request, std::string(what)); }

int day_of(std::string_view name) {
  const auto* found = std::find(day_names.begin(), day_names.end(), name);
  return found == day_names.end() ? -1 : static_cast<int>(found - day_names.begin());
}

// "mon-fri,sun"; a stretch may go over the end of the week.
Result<uint8_t> read_days(std::string_view text) {
  uint8_t out = 0;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    const size_t dash = part.find('-');
    const int first = day_of(part.substr(0, dash));
    const int last = dash == std::string_view::npos ? first : day_of(part.substr(dash + 1));
    if (first < 0 || last < 0) return wrong("'days' are as mon-fri,sun");
    for (int day = first;; day = (day + 1) % days_of_week) {
      out = static_cast<uint8_t>(out | (1U << day));
      if (day == last) break;
    }
  }
  if (out == 0) return wrong("'days' are as mon-fri,sun");
  return out;
}

std::string days_text(uint8_t weekdays) {
  std::string out;
  for (int day = 0; day < days_of_week; ++day)
    if ((weekdays >> day) & 1)
      out += fmt::format("{}{}", out.empty() ? "" : ",", day_names[static_cast<size_t>(day)]);
  return out;
}

Result<int> read_clock(const json::object& object, const char* key) {
  TRY(const std::string_view text, codec::json_text(object, key));
  const auto digit = [&](size_t at) { return text[at] >= '0' && text[at] <= '9' ? text[at] - '0' : 100; };
  if (text.size() != 5 || text[2] != ':') return wrong(fmt::format("'{}' is as 08:30", key));
  const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
  if (minute > 59 || hour * 60 + minute > minutes_of_day) return wrong(fmt::format("'{}' is as 08:30", key));
  return hour * 60 + minute;
}

std::string clock_text(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

}  // namespace

Result<WarmHours> read_warm_hours(const json::value& value, io::Disk& time_zones) {
  if (!value.is_object()) return wrong("hours are an object");
  const json::object& object = value.get_object();
  static constexpr std::string_view known[] = {"days", "from", "until", "time_zone", "min_replicas"};
  for (const auto& [key, member] : object)
    if (std::find(std::begin(known), std::end(known), std::string_view(key)) == std::end(known))
      return wrong("hours have 'days', 'from', 'until', 'time_zone' and 'min_replicas'");
  WarmHours out;
  TRY(const auto days, codec::json_text_if(object, "days"));
  TRY(out.weekdays, read_days(days.value_or("mon-sun")));
  TRY(out.from, read_clock(object, "from"));
  TRY(out.until, read_clock(object, "until"));
  if (out.from == minutes_of_day) return wrong("'from' is before 24:00");
  TRY(const auto zone, codec::json_text_if(object, "time_zone"));
  out.time_zone = zone.value_or("UTC");
  TRY(out.rule, time_zone_rule(time_zones, out.time_zone));
  TRY(const auto replicas, codec::json_integer_if(object, "min_replicas"));
  out.replicas = replicas.value_or(1);
  if (out.replicas < 1 || out.replicas > replicas_most)
    return wrong(fmt::format("'min_replicas' is from 1 to {}", replicas_most));
  return out;
}

json::object warm_hours_json(const WarmHours& hours) {
  return {{"days", days_text(hours.weekdays)},
          {"from", clock_text(hours.from)},
          {"until", clock_text(hours.until)},
          {"time_zone", hours.time_zone},
          {"min_replicas", hours.replicas}};
}

bool is_warm(const WarmHours& hours, WallTime at) {
  const auto now = local_time(hours.rule, at);
  if (!now.ok()) return false;
  const auto on = [&](int day) {
    return ((hours.weekdays >> ((day + days_of_week) % days_of_week)) & 1) != 0;
  };
  const int minute = now.value().minute, today = now.value().weekday;
  if (hours.from < hours.until) return on(today) && minute >= hours.from && minute < hours.until;
  return (on(today) && minute >= hours.from) || (on(today - 1) && minute < hours.until);
}

Result<std::unique_ptr<WarmSchedules>> WarmSchedules::open(sql::Database& database, io::Disk& time_zones) {
  std::unique_ptr<WarmSchedules> out(new WarmSchedules(database, time_zones));
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    out->schedules_.clear();
    return tx.query(
        "SELECT endpoint, weekdays, begins, ends, time_zone, time_rule, replicas FROM serve_warm_hours ORDER "
        "BY "
        "endpoint, position",
        {}, [&](const sql::Row& row) {
          out->schedules_[row.text(0)].push_back({.weekdays = static_cast<uint8_t>(row.integer(1)),
                                                  .from = static_cast<int>(row.integer(2)),
                                                  .until = static_cast<int>(row.integer(3)),
                                                  .time_zone = row.text(4),
                                                  .rule = row.text(5),
                                                  .replicas = row.integer(6)});
          return out->schedules_.size() <= endpoints_max;
        });
  }));
  // Tables are newer than what was written, where there are any.
  for (auto& [endpoint, schedule] : out->schedules_)
    for (WarmHours& hours : schedule)
      if (auto rule = time_zone_rule(time_zones, hours.time_zone); rule.ok())
        hours.rule = std::move(rule).value();
  return out;
}

WarmSchedule WarmSchedules::schedule_of(const std::string& endpoint) const {
  std::lock_guard lock(mutex_);
  const auto found = schedules_.find(endpoint);
  return found == schedules_.end() ? WarmSchedule() : found->second;
}

Status WarmSchedules::set(const std::string& endpoint, WarmSchedule schedule) {
  if (schedule.size() > warm_hours_max)
    return wrong(fmt::format("a schedule has at most {} rows", warm_hours_max));
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM serve_warm_hours WHERE endpoint = ?", {endpoint}));
    for (size_t i = 0; i < schedule.size(); ++i) {
      const WarmHours& hours = schedule[i];
      TRY_DONE(
          tx.run("INSERT INTO serve_warm_hours (endpoint, position, weekdays, begins, ends, time_zone, "
                 "time_rule, replicas) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                 {endpoint, static_cast<int64_t>(i), int64_t{hours.weekdays}, int64_t{hours.from},
                  int64_t{hours.until}, hours.time_zone, hours.rule, hours.replicas}));
    }
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  if (schedule.empty())
    schedules_.erase(endpoint);
  else
    schedules_[endpoint] = std::move(schedule);
  return Done{};
}

int64_t WarmSchedules::replicas_at(const std::string& endpoint, WallTime at) const {
  std::lock_guard lock(mutex_);
  const auto found = schedules_.find(endpoint);
  if (found == schedules_.end()) return 0;
  int64_t most = 0;
  for (const WarmHours& hours : found->second)
    if (is_warm(hours, at)) most = std::max(most, hours.replicas);
  return most;
}

}  // namespace holdfast::serve
