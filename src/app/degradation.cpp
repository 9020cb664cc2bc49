#include "app/degradation.h"

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include "base/data_layout.h"
#include "base/guarded.h"

namespace holdfast::app {
namespace {

constexpr std::chrono::milliseconds step{2'000}, write_patience{1'500};
constexpr std::array<std::string_view, 3> names = {"hub", "database", "disk"};
constexpr std::array<std::string_view, 3> told = {
    "hub: its folders are not there; repositories cannot be read, endpoints answer from their copies",
    "database: it cannot be written, is damaged or not reached; what changes something fails or waits, "
    "endpoints answer "
    "whom they know",
    "disk: nothing can be written to it; uploads and whatever changes something fail, endpoints answer"};
enum Part : size_t { hub, database, disk };
constexpr size_t probe_bytes = 4096;  // Of a file that is written to see whether it can be.
constexpr const char* probe_name = "disk-probe";

class WatchedDegradation final : public Degradation {
 public:
  explicit WatchedDegradation(const DegradationParts& parts) : parts_(parts) {
    for (size_t i = 0; i < names.size(); ++i)
      gauges_[i] = &parts.metrics.gauge("holdfast_degraded",
                                        "1 while a function does not work; endpoints go on without it.",
                                        {{"function", std::string(names[i])}});
    looking_ = std::jthread([this](std::stop_token stop) { look(stop); });
    writing_ = std::jthread([this](std::stop_token stop) { write(stop); });
  }

  std::vector<std::string> now() const override {
    std::lock_guard lock(mutex_);
    std::vector<std::string> out;
    for (size_t i = 0; i < told.size(); ++i)
      if (degraded_[i]) out.emplace_back(told[i]);
    return out;
  }

 private:
  void look(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      // A fresh instance makes its folders with the first repository: only what was there can be gone.
      const bool there =
          parts_.disk.stat(data_layout::repositories).ok() && parts_.disk.stat(data_layout::content).ok();
      seen_ = seen_ || there;
      set(hub, seen_ && !there);
      bool waits = false;
      {
        std::lock_guard lock(mutex_);
        waits = began_ && parts_.clock.now() - *began_ > write_patience;
      }
      if (waits) set(database, true);
      set(disk, !can_write());
      rest(stop);
    }
  }

  bool can_write() {
    const io::Path probe = io::Path(data_layout::run) / probe_name;
    (void)parts_.disk.remove(probe);  // Of an earlier look that did not come to its end.
    auto file = parts_.disk.create(probe);
    const bool written = file.ok() && file.value()->append(as_bytes(std::string_view(filling_))).ok();
    if (file.ok()) file.value().reset();
    (void)parts_.disk.remove(probe);
    return written;
  }

  // On a thread of its own: where the database is locked it waits with it.
  void write(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      {
        std::lock_guard lock(mutex_);
        began_ = parts_.clock.now();
      }
      const Status done = guarded([&]() -> Status {
        TRY_DONE(parts_.database.write([](sql::Transaction&) -> Status { return Done{}; }));
        return parts_.database.check();
      });
      {
        std::lock_guard lock(mutex_);
        began_.reset();
      }
      set(database, !done.ok());
      rest(stop);
    }
  }

  void rest(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, step, [] { return false; });
  }

  void set(Part part, bool is) {
    {
      std::lock_guard lock(mutex_);
      if (degraded_[part] == is) return;
      degraded_[part] = is;
    }
    gauges_[part]->set(is ? 1 : 0);
    if (is)
      parts_.log.warn("degraded", {{"function", std::string(names[part])}});
    else
      parts_.log.info("recovered", {{"function", std::string(names[part])}});
  }

  const DegradationParts parts_;
  std::array<Gauge*, names.size()> gauges_{};
  mutable std::mutex mutex_;  // Guards the three below.
  std::condition_variable_any wake_;
  std::array<bool, names.size()> degraded_{};
  std::optional<std::chrono::milliseconds> began_;  // The write that runs.
  const std::string filling_ = std::string(probe_bytes, 'x');
  bool seen_ = false;               // The folders, once; of the thread that looks.
  std::jthread looking_, writing_;  // Last: they use all above.
};

}  // namespace

std::unique_ptr<Degradation> watch_degradation(const DegradationParts& parts) {
  return std::make_unique<WatchedDegradation>(parts);
}

}  // namespace holdfast::app
