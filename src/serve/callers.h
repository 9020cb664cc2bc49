#pragma once

#include <array>
#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "serve/prompt_check.h"

namespace holdfast::serve {

// What is odd about an input that a caller sent.
enum class Oddity : uint8_t { sign, characters, shape, language, size };
inline constexpr int oddity_count = 5;
std::string_view oddity_name(Oddity oddity);

struct CallerOptions {
  std::chrono::seconds half_life{60};    // After which an input counts half.
  double odd_min = 5, odd_share = 0.25;  // From here on a caller is unusual.
  std::chrono::seconds unusual_for{300};
  enum class Unusual : uint8_t { tell, limit } unusual = Unusual::tell;
  std::chrono::seconds pause{1};  // Between two requests of one that is limited.
  size_t callers_max = 10'000;
};

// Scores who asks models by how odd what he sends was of late. One whose odd inputs are many and a large
// share of all is unusual for a while: it is told in the log (unusual_caller, once) and as a figure, and
// where the operator wants it he has one request a second. Callers are known by their key ("token:7"); what
// they sent is not kept. The least recently seen is forgotten first. Safe from any thread.
class Callers {
 public:
  Callers(const CallerOptions& options, const Clock& clock, Log& log, Metrics& metrics);

  // A request to a model came. rate_limited for one that is limited, with the time to wait.
  Status came(const std::string& key, std::chrono::milliseconds& retry_after);
  void was_odd(const std::string& key, Oddity oddity);
  bool is_unusual(const std::string& key) const;
  // What the figures say of callers that have been quiet since.
  void refresh_figures();

 private:
  using Time = std::chrono::milliseconds;
  struct Score {
    double all = 0, odd = 0;
    Time at{}, unusual_until{}, last_let_in{};
  };
  struct Entry {
    std::string key;
    Score score;
  };

  Score& score_of(const std::string& key, Time now);  // Under mutex_.
  void set_figure(Time now);                          // Under mutex_, as below.
  void judge(const std::string& key, Score& score, Time now);

  const CallerOptions options_;
  const Clock& clock_;
  Log& log_;
  std::array<Counter*, oddity_count> odd_;
  Counter& told_;
  Gauge& unusual_;
  mutable std::mutex mutex_;  // Guards all below.
  std::list<Entry> entries_;  // Most recently seen first.
  std::unordered_map<std::string, std::list<Entry>::iterator> places_;
};

}  // namespace holdfast::serve
