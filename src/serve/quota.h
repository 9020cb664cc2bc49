#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::serve {

// What a quota counts. Days are of UTC. Money is in millionths of the operator's currency.
enum class Measure : uint8_t { requests_minute, requests_day, tokens_minute, tokens_day, money_day };
inline constexpr int measure_count = 5;
std::string_view measure_name(Measure measure);  // "requests_minute"
std::optional<Measure> measure_of_name(std::string_view name);

enum class Counted : uint8_t { requests, tokens, money };
Counted counted_by(Measure measure);
std::chrono::milliseconds length_of(Measure measure);
int64_t period_of(Measure measure, WallTime at);
std::chrono::milliseconds until_next_period(Measure measure, WallTime at);

// Whose use is limited.
enum class SubjectKind : uint8_t { token, user, organisation, endpoint, feature };
inline constexpr int subject_kind_count = 5;
std::string_view subject_kind_name(SubjectKind kind);

struct Subject {
  SubjectKind kind = SubjectKind::user;
  std::string name;  // A token's number, a name, "ns/name", or a feature as registry and callers name it.

  std::string text() const;  // "user:ada"
  friend bool operator==(const Subject&, const Subject&) = default;
};
// bad_request for what is no subject. Names are taken as they are; whether they exist is not asked.
Result<Subject> parse_subject(std::string_view text);

// By measure; none: no limit.
using Limits = std::array<std::optional<int64_t>, measure_count>;

// Where a subject stands in one measure's present period.
struct QuotaState {
  Measure measure = Measure::requests_day;
  int64_t limit = 0, used = 0;
  std::chrono::milliseconds resets_in{};

  int64_t remaining() const { return limit > used ? limit - used : 0; }
};

}  // namespace holdfast::serve
