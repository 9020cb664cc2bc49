#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "serve/quota.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::serve {

class Quotas;

// One request that was let in. What it took is counted when it is settled, at the latest when it is
// destroyed. Safe from any thread.
class Allowance {
 public:
  Allowance(Quotas& quotas, std::vector<std::string> subjects, int64_t tokens_held)
      : quotas_(quotas), subjects_(std::move(subjects)), tokens_held_(tokens_held) {}
  ~Allowance() { settle(); }
  Allowance(const Allowance&) = delete;

  // More of what it took; money in millionths.
  void took(int64_t tokens, int64_t money);
  // Counts it; the second time does nothing.
  void settle();
  // It was refused after all: as if it had not been.
  void give_back();

 private:
  Quotas& quotas_;
  const std::vector<std::string> subjects_;
  const int64_t tokens_held_;
  std::mutex mutex_;  // Guards the three below.
  int64_t tokens_ = 0, money_ = 0;
  bool settled_ = false;
};

// Limits on what tokens, users, organisations, endpoints and features may use, and what they used. Counting
// is exact among all threads of this process, the one that serves a database; what was counted is in the
// database before it is given out (a hundredth of a limit ahead at most), so that a crash may cost a caller
// that hundredth and never gives more than the limit. Limits that others write to the database are seen
// within two seconds. Without the database what is known goes on to hold. Safe from any thread.
class Quotas {
 public:
  struct Parts {
    sql::Database& database;
    const Clock& clock;
    Log& log;
    Metrics& metrics;
  };
  static Result<std::unique_ptr<Quotas>> open(const Parts& parts);
  ~Quotas();  // Writes down what was used.
  Quotas(const Quotas&) = delete;

  // rate_limited where a limit of any of them is used up or `tokens` would break it, with the time until it
  // is not in `retry_after`. Null: nothing is limited.
  Result<std::shared_ptr<Allowance>> admit(std::vector<std::string> subjects, int64_t tokens,
                                           std::chrono::milliseconds& retry_after);

  // Money in millionths, as it is counted: what is less than one is kept until it is one, so that many small
  // requests cost what they cost together. Who comes when it is full pays it.
  int64_t whole_money(double millionths);

  // Whether a limit of what the subject may cost is used up.
  bool is_spent(const Subject& subject);

  // Those that are given; an empty one ends the limit.
  struct Change {
    Measure measure = Measure::requests_day;
    std::optional<int64_t> amount;
  };
  Status set(const Subject& subject, std::span<const Change> changes, std::string_view actor);
  Result<std::vector<QuotaState>> states(const Subject& subject);
  // Of each of requests, tokens and money the tightest limit that holds for these, where there is one.
  std::array<std::optional<QuotaState>, 3> tightest(std::span<const std::string> subjects);
  // Subjects that have limits, by name.
  Result<std::vector<std::string>> limited();

 private:
  friend class Allowance;
  struct Meter {
    int64_t limit = 0, used = 0, held = 0;
    int64_t period = 0, written = 0;  // Written: what the database says was used.
    int warned = 0;                   // Percent.
  };
  struct Book {
    std::array<std::optional<Meter>, measure_count> meters;
  };

  explicit Quotas(const Parts& parts);
  Status read_limits();
  Status refresh();
  void roll(Meter& meter, Measure measure) const;
  std::optional<Error> refusal(const std::string& subject, int64_t tokens,
                               std::chrono::milliseconds& retry_after);
  void add(const std::string& subject, Measure measure, Meter& meter, int64_t amount);
  Status write(const std::string& subject, Measure measure, const Meter& meter, int64_t used);
  template <class Each>
  void each_meter(std::span<const std::string> subjects, Each each);

  void settle(std::span<const std::string> subjects, int64_t held, int64_t tokens, int64_t money);
  void give_back(std::span<const std::string> subjects, int64_t held);

  // For an alert, without a name: by whose limit it was and how much of it was used up.
  static constexpr std::array<int, 2> told_percents{100, 80};
  using Reached = std::array<std::array<Counter*, told_percents.size()>, subject_kind_count>;
  static Reached reached_counters(Metrics& metrics);
  void tell(const std::string& subject, Measure measure, Meter& meter);

  Parts parts_;
  Counter& refused_;
  const Reached reached_;
  std::mutex mutex_;  // Guards all below.
  std::map<std::string, Book> books_;
  std::chrono::milliseconds read_at_{-1'000'000};
  double money_rest_ = 0;  // Of a millionth.
};

}  // namespace holdfast::serve
