#include "serve/quota.h"

#include <algorithm>
#include <charconv>

namespace holdfast::serve {
namespace {

constexpr std::array<std::string_view, measure_count> measure_names = {
    "requests_minute", "requests_day", "tokens_minute", "tokens_day", "money_day"};
constexpr std::array<std::string_view, subject_kind_count> kind_names = {"token", "user", "organisation",
                                                                         "endpoint", "feature"};
constexpr size_t name_bytes_max = 200;

}  // namespace

std::string_view measure_name(Measure measure) { return measure_names[static_cast<size_t>(measure)]; }

std::optional<Measure> measure_of_name(std::string_view name) {
  for (size_t i = 0; i < measure_names.size(); ++i)
    if (measure_names[i] == name) return static_cast<Measure>(i);
  return std::nullopt;
}

Counted counted_by(Measure measure) {
  switch (measure) {
    case Measure::requests_minute:
    case Measure::requests_day:
      return Counted::requests;
    case Measure::tokens_minute:
    case Measure::tokens_day:
      return Counted::tokens;
    case Measure::money_day:
      return Counted::money;
  }
  return Counted::requests;
}

std::chrono::milliseconds length_of(Measure measure) {
  const bool minute = measure == Measure::requests_minute || measure == Measure::tokens_minute;
  return minute ? std::chrono::milliseconds(60'000) : std::chrono::milliseconds(86'400'000);
}

int64_t period_of(Measure measure, WallTime at) {
  return at.time_since_epoch().count() / length_of(measure).count();
}

std::chrono::milliseconds until_next_period(Measure measure, WallTime at) {
  const int64_t length = length_of(measure).count();
  return std::chrono::milliseconds(length - at.time_since_epoch().count() % length);
}

std::string_view subject_kind_name(SubjectKind kind) { return kind_names[static_cast<size_t>(kind)]; }

std::string Subject::text() const { return std::string(subject_kind_name(kind)) + ":" + name; }

Result<Subject> parse_subject(std::string_view text) {
  const Error wrong =
      fail(Reason::bad_request,
           "a quota is of token:NUMBER, user:NAME, organisation:NAME, endpoint:NS/NAME or feature:NAME");
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong;
  const auto kind = std::find(kind_names.begin(), kind_names.end(), text.substr(0, colon));
  const std::string_view name = text.substr(colon + 1);
  if (kind == kind_names.end() || name.empty() || name.size() > name_bytes_max) return wrong;
  Subject out{static_cast<SubjectKind>(kind - kind_names.begin()), std::string(name)};
  const auto slashes = std::count(name.begin(), name.end(), '/');
  if (slashes != (out.kind == SubjectKind::endpoint ? 1 : 0)) return wrong;
  if (out.kind == SubjectKind::token) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || number < 1) return wrong;
    out.name = std::to_string(number);
  }
  return out;
}

}  // namespace holdfast::serve
