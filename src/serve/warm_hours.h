#pragma once

#include <boost/json/fwd.hpp>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"
#include "serve/local_time.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::serve {

// Hours of the week in which so many workers of an endpoint stay loaded, whatever its own least is.
struct WarmHours {
  uint8_t weekdays = 0;             // Bit 0 is Monday.
  int from = 0, until = 0;          // Minutes of the day; until at or before from: into the next one.
  std::string time_zone{}, rule{};  // "Europe/Berlin", and as local_time reads it.
  int64_t replicas = 1;
  friend bool operator==(const WarmHours&, const WarmHours&) = default;
};
using WarmSchedule = std::vector<WarmHours>;
inline constexpr size_t warm_hours_max = 16;

// {"days": "mon-fri", "from": "08:00", "until": "18:30", "time_zone": "Europe/Berlin", "min_replicas": 2};
// bad_request names what is wrong.
Result<WarmHours> read_warm_hours(const boost::json::value& value, io::Disk& time_zones);
boost::json::object warm_hours_json(const WarmHours& hours);
// Whether it is such an hour. False where the zone's rule cannot be read.
bool is_warm(const WarmHours& hours, WallTime at);

// Schedules of endpoints, in the database and, as this process last read or wrote them, here. Safe from any
// thread.
class WarmSchedules {
 public:
  static Result<std::unique_ptr<WarmSchedules>> open(sql::Database& database, io::Disk& time_zones);

  io::Disk& time_zones() { return time_zones_; }
  WarmSchedule schedule_of(const std::string& endpoint) const;
  Status set(const std::string& endpoint, WarmSchedule schedule);  // Empty: none any more.
  // How many workers the schedule wants of the endpoint; 0 where it wants none.
  int64_t replicas_at(const std::string& endpoint, WallTime at) const;

 private:
  WarmSchedules(sql::Database& database, io::Disk& time_zones)
      : database_(database), time_zones_(time_zones) {}

  sql::Database& database_;
  io::Disk& time_zones_;
  mutable std::mutex mutex_;  // Guards schedules_.
  std::map<std::string, WarmSchedule> schedules_;
};

}  // namespace holdfast::serve
