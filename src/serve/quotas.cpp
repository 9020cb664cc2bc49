#include "serve/quotas.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sql/database.h"

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds stale_after{2'000};
constexpr size_t subjects_max = 100'000;

int64_t step_of(int64_t limit) { return limit / 100; }

}  // namespace

void Allowance::took(int64_t tokens, int64_t money) {
  std::lock_guard lock(mutex_);
  tokens_ += tokens;
  money_ += money;
}

void Allowance::settle() {
  std::lock_guard lock(mutex_);
  if (settled_) return;
  settled_ = true;
  quotas_.settle(subjects_, tokens_held_, tokens_, money_);
}

void Allowance::give_back() {
  std::lock_guard lock(mutex_);
  if (settled_) return;
  settled_ = true;
  quotas_.give_back(subjects_, tokens_held_);
}

Quotas::Quotas(const Parts& parts)
    : parts_(parts),
      refused_(parts.metrics.counter("holdfast_serve_quota_refusals_total",
                                     "Requests to models refused because a quota was used up.")),
      reached_(reached_counters(parts.metrics)) {}

Quotas::Reached Quotas::reached_counters(Metrics& metrics) {
  Reached out{};
  for (size_t kind = 0; kind < out.size(); ++kind)
    for (size_t i = 0; i < told_percents.size(); ++i)
      out[kind][i] =
          &metrics.counter("holdfast_serve_quotas_reached_total",
                           "Limits of which so much was used up in their minute or day.",
                           {{"kind", std::string(subject_kind_name(static_cast<SubjectKind>(kind)))},
                            {"percent", std::to_string(told_percents[i])}});
  return out;
}

// Each once a period; what passes both at once is told as the higher one.
void Quotas::tell(const std::string& subject, Measure measure, Meter& meter) {
  for (size_t i = 0; i < told_percents.size(); ++i) {
    const int percent = told_percents[i];
    if (meter.warned >= percent || meter.used * 100 < meter.limit * percent) continue;
    meter.warned = percent;
    if (const auto parsed = parse_subject(subject); parsed.ok())
      reached_[static_cast<size_t>(parsed.value().kind)][i]->add();
    parts_.log.warn("quota_reached",
                    {{"subject", subject}, {"measure", measure_name(measure)}, {"percent", percent}});
    break;
  }
}

Result<std::unique_ptr<Quotas>> Quotas::open(const Parts& parts) {
  std::unique_ptr<Quotas> quotas(new Quotas(parts));
  TRY_DONE(quotas->read_limits());
  quotas->read_at_ = parts.clock.now();
  return quotas;
}

Quotas::~Quotas() {
  for (auto& [subject, book] : books_)
    for (int i = 0; i < measure_count; ++i)
      if (auto& meter = book.meters[static_cast<size_t>(i)]; meter && meter->written != meter->used)
        (void)write(subject, static_cast<Measure>(i), *meter, meter->used);
}

// What the database says of limits; what was used it says only of meters that are new here.
Status Quotas::read_limits() {
  struct Row {
    std::string subject;
    Measure measure;
    int64_t limit, period, used;
  };
  std::vector<Row> rows;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) -> Status {
    rows.clear();
    return tx.query(
        "SELECT l.subject, l.measure, l.amount, COALESCE(u.period, 0), COALESCE(u.used, 0) FROM serve_limits "
        "l LEFT JOIN serve_usage u ON u.subject = l.subject AND u.measure = l.measure ORDER BY l.subject",
        {}, [&](const sql::Row& row) {
          if (const auto measure = measure_of_name(row.text(1)))
            rows.push_back({row.text(0), *measure, row.integer(2), row.integer(3), row.integer(4)});
          return rows.size() < subjects_max * measure_count;
        });
  }));
  std::map<std::string, Book> books;
  for (const Row& row : rows) {
    const auto known = books_.find(row.subject);
    const size_t at = static_cast<size_t>(row.measure);
    auto& meter = books[row.subject].meters[at];
    if (known != books_.end() && known->second.meters[at]) {
      meter = known->second.meters[at];
      meter->limit = row.limit;
    } else {
      meter = Meter{.limit = row.limit, .used = row.used, .period = row.period, .written = row.used};
    }
  }
  books_.swap(books);
  return Done{};
}

Status Quotas::refresh() {
  const auto now = parts_.clock.now();
  if (now < read_at_ + stale_after) return Done{};
  read_at_ = now;
  return read_limits();
}

void Quotas::roll(Meter& meter, Measure measure) const {
  const int64_t period = period_of(measure, parts_.clock.wall());
  if (meter.period == period) return;
  meter.period = period;
  meter.used = meter.written = 0;
  meter.warned = 0;
}

template <class Each>
void Quotas::each_meter(std::span<const std::string> subjects, Each each) {
  for (const std::string& subject : subjects) {
    const auto book = books_.find(subject);
    if (book == books_.end()) continue;
    for (int i = 0; i < measure_count; ++i) {
      auto& meter = book->second.meters[static_cast<size_t>(i)];
      if (!meter) continue;
      roll(*meter, static_cast<Measure>(i));
      each(subject, static_cast<Measure>(i), *meter);
    }
  }
}

Status Quotas::write(const std::string& subject, Measure measure, const Meter& meter, int64_t used) {
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(
        "INSERT INTO serve_usage (subject, measure, period, used) VALUES (?, ?, ?, ?) ON CONFLICT (subject, "
        "measure) DO UPDATE SET period = excluded.period, used = excluded.used",
        {subject, measure_name(measure), meter.period, used}));
    return Done{};
  });
}

void Quotas::add(const std::string& subject, Measure measure, Meter& meter, int64_t amount) {
  meter.used += amount;
  if (meter.used > meter.written) {
    const int64_t ahead = meter.used + step_of(meter.limit);
    const Status written = write(subject, measure, meter, ahead);
    if (!written.ok()) parts_.log.failure("quota_not_written", written.error());
    meter.written = ahead;  // Not tried again for every request where the database is away.
  }
  tell(subject, measure, meter);
}

std::optional<Error> Quotas::refusal(const std::string& subject, int64_t tokens,
                                     std::chrono::milliseconds& retry_after) {
  std::optional<Error> out;
  each_meter(std::span(&subject, 1), [&](const std::string&, Measure measure, Meter& meter) {
    int64_t wanted = 1;
    if (counted_by(measure) == Counted::tokens) wanted = std::max<int64_t>(tokens, 1);
    if (meter.used + meter.held + wanted <= meter.limit) return;
    const auto wait = until_next_period(measure, parts_.clock.wall());
    retry_after = std::max(retry_after, wait);
    const std::string_view kind = std::string_view(subject).substr(0, subject.find(':'));
    out = fail(Reason::rate_limited,
               fmt::format("the quota of the {} is used up: {} of {} {}", kind,
                           std::min(meter.used, meter.limit), meter.limit, measure_name(measure)));
  });
  return out;
}

int64_t Quotas::whole_money(double millionths) {
  if (!(millionths > 0)) return 0;
  std::lock_guard lock(mutex_);
  money_rest_ += millionths;
  const double whole = std::floor(money_rest_);
  money_rest_ -= whole;
  return static_cast<int64_t>(whole);
}

bool Quotas::is_spent(const Subject& subject) {
  std::lock_guard lock(mutex_);
  if (const Status seen = refresh(); !seen.ok()) parts_.log.failure("quotas_not_read", seen.error());
  const std::string text = subject.text();
  bool spent = false;
  each_meter(std::span(&text, 1), [&](const std::string&, Measure measure, const Meter& meter) {
    spent = spent || (counted_by(measure) == Counted::money && meter.used + meter.held >= meter.limit);
  });
  return spent;
}

Result<std::shared_ptr<Allowance>> Quotas::admit(std::vector<std::string> subjects, int64_t tokens,
                                                 std::chrono::milliseconds& retry_after) {
  std::lock_guard lock(mutex_);
  if (const Status seen = refresh(); !seen.ok()) parts_.log.failure("quotas_not_read", seen.error());
  std::erase_if(subjects, [&](const std::string& subject) { return !books_.contains(subject); });
  if (subjects.empty()) return std::shared_ptr<Allowance>();
  for (const std::string& subject : subjects)
    if (const auto refused = refusal(subject, tokens, retry_after)) {
      refused_.add();
      return *refused;
    }
  each_meter(subjects, [&](const std::string& subject, Measure measure, Meter& meter) {
    switch (counted_by(measure)) {
      case Counted::requests:
        return add(subject, measure, meter, 1);
      case Counted::tokens:
        meter.held += tokens;
        return;
      case Counted::money:
        return;
    }
  });
  return std::make_shared<Allowance>(*this, std::move(subjects), tokens);
}

void Quotas::settle(std::span<const std::string> subjects, int64_t held, int64_t tokens, int64_t money) {
  std::lock_guard lock(mutex_);
  each_meter(subjects, [&](const std::string& subject, Measure measure, Meter& meter) {
    switch (counted_by(measure)) {
      case Counted::requests:
        return;
      case Counted::tokens:
        meter.held = std::max<int64_t>(meter.held - held, 0);
        return add(subject, measure, meter, tokens);
      case Counted::money:
        return add(subject, measure, meter, money);
    }
  });
}

void Quotas::give_back(std::span<const std::string> subjects, int64_t held) {
  std::lock_guard lock(mutex_);
  each_meter(subjects, [&](const std::string&, Measure measure, Meter& meter) {
    if (counted_by(measure) == Counted::requests) meter.used = std::max<int64_t>(meter.used - 1, 0);
    if (counted_by(measure) == Counted::tokens) meter.held = std::max<int64_t>(meter.held - held, 0);
  });
}

std::array<std::optional<QuotaState>, 3> Quotas::tightest(std::span<const std::string> subjects) {
  std::array<std::optional<QuotaState>, 3> out;
  std::lock_guard lock(mutex_);
  each_meter(subjects, [&](const std::string&, Measure measure, Meter& meter) {
    auto& best = out[static_cast<size_t>(counted_by(measure))];
    const QuotaState state{measure, meter.limit, meter.used, until_next_period(measure, parts_.clock.wall())};
    if (!best || state.remaining() < best->remaining()) best = state;
  });
  return out;
}

Status Quotas::set(const Subject& subject, std::span<const Change> changes, std::string_view actor) {
  const std::string text = subject.text();
  std::lock_guard lock(mutex_);
  if (!books_.contains(text) && books_.size() >= subjects_max)
    return fail(Reason::quota, "there are as many limits as are kept");
  for (const Change& change : changes)
    if (change.amount && *change.amount < 0) return fail(Reason::bad_request, "a limit is 0 or more");
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    for (const auto& [measure, amount] : changes) {
      if (!amount) {
        TRY_DONE(tx.run("DELETE FROM serve_limits WHERE subject = ? AND measure = ?",
                        {text, measure_name(measure)}));
        continue;
      }
      TRY_DONE(tx.run(
          "INSERT INTO serve_limits (subject, measure, amount, actor, updated) VALUES (?, ?, ?, ?, ?) ON "
          "CONFLICT (subject, measure) DO UPDATE SET amount = excluded.amount, actor = excluded.actor, "
          "updated "
          "= excluded.updated",
          {text, measure_name(measure), *amount, actor, parts_.clock.wall().time_since_epoch().count()}));
    }
    return Done{};
  }));
  return read_limits();
}

Result<std::vector<QuotaState>> Quotas::states(const Subject& subject) {
  std::vector<QuotaState> out;
  std::lock_guard lock(mutex_);
  TRY_DONE(refresh());
  const std::string text = subject.text();
  each_meter(std::span(&text, 1), [&](const std::string&, Measure measure, Meter& meter) {
    out.push_back({measure, meter.limit, meter.used, until_next_period(measure, parts_.clock.wall())});
  });
  return out;
}

Result<std::vector<std::string>> Quotas::limited() {
  std::vector<std::string> out;
  std::lock_guard lock(mutex_);
  TRY_DONE(refresh());
  for (const auto& [subject, book] : books_) out.push_back(subject);
  return out;
}

}  // namespace holdfast::serve
