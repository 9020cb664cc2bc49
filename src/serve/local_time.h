#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "io/disk.h"

namespace holdfast::serve {

// What clocks on the wall say somewhere: Monday is 0, minutes since midnight.
struct LocalTime {
  int weekday = 0, minute = 0;
  friend bool operator==(const LocalTime&, const LocalTime&) = default;
};

// By a rule as POSIX has it for the variable TZ: "CET-1CEST,M3.5.0,M10.5.0/3". bad_request for what is none.
Result<LocalTime> local_time(std::string_view rule, WallTime at);

// The rule of a zone by its name ("Europe/Berlin"), as the machine's tables have it for now and later;
// bad_request for a name that is not there. `tables`: /usr/share/zoneinfo.
Result<std::string> time_zone_rule(io::Disk& tables, std::string_view name);

}  // namespace holdfast::serve
