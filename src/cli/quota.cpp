#include "cli/quota.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <cmath>

#include "base/log.h"
#include "base/metrics.h"
#include "cli/administration.h"
#include "cli/text_table.h"
#include "codec/json.h"
#include "serve/quotas.h"
#include "serve/schema.h"

namespace holdfast::cli {
namespace {

using Run = const AdministrationRun&;
using serve::Measure;

constexpr double money_units = 1e6, amount_most = 1e15;

// Flag by measure, in the order of Measure.
constexpr std::string_view flags[] = {"--requests-minute", "--requests-day", "--tokens-minute",
                                      "--tokens-day", "--money-day"};

class NoSink final : public LogSink {
 public:
  void line(std::string_view) override {}
};

// Borrows the instance; what it says of the log and its figures goes nowhere.
struct Opened {
  NoSink sink;
  Log log;
  std::unique_ptr<Metrics> metrics = make_metrics();
  std::unique_ptr<serve::Quotas> quotas;

  explicit Opened(const Clock& clock) : log(sink, clock) {}
  Status open(Run run) {
    const Clock& clock = run.world.clock();
    TRY_DONE(
        sql::migrate(run.instance.database(), serve::migrations(), clock.wall().time_since_epoch().count()));
    TRY(quotas, serve::Quotas::open({run.instance.database(), clock, log, *metrics}));
    return Done{};
  }
};

Result<std::optional<int64_t>> read_amount(std::string_view flag, std::string_view text, Measure measure) {
  if (text == "none") return std::optional<int64_t>();
  double number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (serve::counted_by(measure) == serve::Counted::money) number *= money_units;
  if (error != std::errc{} || end != text.data() + text.size() || !(number >= 0 && number <= amount_most))
    return fail(Reason::bad_request, fmt::format("{} is a number of 0 or more, or none", flag));
  return std::optional<int64_t>(std::llround(number));
}

boost::json::object state_json(const serve::QuotaState& state) {
  const double unit = serve::counted_by(state.measure) == serve::Counted::money ? money_units : 1;
  return {{"limit", static_cast<double>(state.limit) / unit},
          {"used", static_cast<double>(state.used) / unit},
          {"resets_in_ms", state.resets_in.count()}};
}

std::string amount_text(Measure measure, int64_t amount) {
  if (serve::counted_by(measure) != serve::Counted::money) return std::to_string(amount);
  return fmt::format("{:g}", static_cast<double>(amount) / money_units);
}

Status print(Run run, serve::Quotas& quotas, const std::vector<std::string>& subjects) {
  std::vector<std::vector<std::string>> rows{{"OF", "MEASURE", "LIMIT", "USED"}};
  boost::json::array all;
  for (const std::string& text : subjects) {
    TRY(const serve::Subject subject, serve::parse_subject(text));
    TRY(const auto states, quotas.states(subject));
    boost::json::object limits;
    for (const serve::QuotaState& state : states) {
      limits[serve::measure_name(state.measure)] = state_json(state);
      rows.push_back({text, std::string(serve::measure_name(state.measure)),
                      amount_text(state.measure, state.limit), amount_text(state.measure, state.used)});
    }
    all.push_back(boost::json::object{{"subject", text}, {"limits", std::move(limits)}});
  }
  run.world.print(run.output == Output::json ? codec::to_text(all) + "\n" : text_table(rows));
  return Done{};
}

Status set(Run run) {
  TRY(const serve::Subject subject, serve::parse_subject(run.positional(0)));
  std::vector<serve::Quotas::Change> changes;
  boost::json::object told;
  for (size_t i = 0; i < std::size(flags); ++i) {
    const auto given = run.arguments.value(flags[i]);
    if (!given) continue;
    const auto measure = static_cast<Measure>(i);
    TRY(const auto amount, read_amount(flags[i], *given, measure));
    changes.push_back({measure, amount});
    told[serve::measure_name(measure)] = *given;
  }
  if (changes.empty()) return fail(Reason::bad_request, "which limit: --requests-day, --tokens-day, …?");
  Opened opened(run.world.clock());
  TRY_DONE(opened.open(run));
  TRY_DONE(opened.quotas->set(subject, changes, command_line_actor));
  TRY_DONE(run.instance.database().write([&](sql::Transaction& tx) -> Status {
    return run.instance.audit().append(tx, {.actor = std::string(command_line_actor),
                                            .action = "quota.changed",
                                            .subject = subject.text(),
                                            .details = {{"limits", codec::to_text(told)}}});
  }));
  return print(run, *opened.quotas, {subject.text()});
}

Status list(Run run) {
  Opened opened(run.world.clock());
  TRY_DONE(opened.open(run));
  TRY(const std::vector<std::string> subjects, opened.quotas->limited());
  return print(run, *opened.quotas, subjects);
}

constexpr FlagRow list_flags[] = {data_flag, database_flag, json_flag};
constexpr FlagRow set_flags[] = {
    data_flag,
    database_flag,
    json_flag,
    {"--requests-minute", "N", "Requests to models a minute; none: no limit."},
    {"--requests-day", "N", "Requests to models a day (UTC)."},
    {"--tokens-minute", "N", "Tokens read and written a minute."},
    {"--tokens-day", "N", "Tokens read and written a day."},
    {"--money-day", "N", "What a day may cost, in the currency of cost.worker-hour."}};

}  // namespace

std::vector<Command> quota_commands() {
  return {{"quota set", "OF [--requests-day N] [--tokens-day N] [--money-day N] [--data DIR]",
           "Limit what token:N, user:NAME, organisation:NAME, endpoint:NS/NAME or feature:NAME may use of "
           "models.",
           "holdfast quota set user:ada --requests-day 1000 --money-day 2.5",
           administers({set_flags, 1, 1}, set)},
          {"quota list", "[--data DIR] [--json]", "List the limits, and what was used of them.",
           "holdfast quota list --json", administers({list_flags, 0, 0}, list)}};
}

}  // namespace holdfast::cli
