#include "app/maintenance.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "app/heap.h"
#include "base/guarded.h"
#include "govern/dependants.h"
#include "identity/token_ages.h"
#include "repo/recheck.h"
#include "serve/callers.h"

namespace holdfast::app {
namespace {

constexpr std::chrono::seconds figures_step{15}, indexing_span{5};
constexpr size_t files_a_step = 16, heads_a_step = 8;
constexpr std::chrono::hours uploads_step{1};
constexpr std::chrono::hours collection_step{24};

class TimedMaintenance final : public Maintenance {
 public:
  explicit TimedMaintenance(const MaintenanceParts& parts)
      : parts_(parts),
        recheck_(parts.hub, parts.database, parts.audit),
        token_ages_(parts.database, parts.audit, parts.clock) {
    thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
  }

 private:
  void run(std::stop_token stop) {
    auto uploads_at = parts_.clock.now() + uploads_step;
    auto collection_at = parts_.clock.now() + collection_step;
    std::unique_lock lock(mutex_);
    while (!stop.stop_requested()) {
      wake_.wait_for(lock, stop, figures_step, [] { return false; });
      if (stop.stop_requested()) return;
      return_free_heap();
      parts_.probe.refresh();
      parts_.models.refresh_figures();
      parts_.callers.refresh_figures();
      note("weights_not_indexed", guarded([&]() -> Status {
             const auto until = parts_.clock.now() + indexing_span;
             for (size_t indexed = files_a_step; indexed == files_a_step && parts_.clock.now() < until;) {
               if (stop.stop_requested()) break;
               TRY(indexed, parts_.kinship.index_some(files_a_step));
             }
             return Done{};
           }));
      note("heads_not_judged", guarded([&]() -> Status {
             TRY([[maybe_unused]] const size_t judged, recheck_.some(heads_a_step));
             return Done{};
           }));
      note("ageing_not_told", guarded([&]() -> Status {
             TRY([[maybe_unused]] const size_t told, token_ages_.tell());
             return Done{};
           }));
      const auto now = parts_.clock.now();
      if (now >= uploads_at) {
        uploads_at = now + uploads_step;
        note("uploads_not_forgotten", guarded([&] { return parts_.hub.uploads.forget_old(); }));
        note("retired_not_removed", guarded([&] { return remove_retired(); }));
        note("parts_not_removed", guarded([&] { return parts_.lfs_parts.remove_old(parts_.clock.wall()); }));
      }
      if (now >= collection_at) {
        collection_at = now + collection_step;
        note("collection_failed", guarded([&] { return collect(); }));
      }
    }
  }

  // What was deleted while something live stood on it goes when that has ended.
  Status remove_retired() {
    TRY(const auto retired, parts_.hub.repositories.retired());
    identity::Caller keeper;
    keeper.name = "(maintenance)";
    for (const repo::Repository& each : retired) {
      TRY(const auto standing, govern::dependants(parts_.database, each.id.raw));
      if (standing.empty()) TRY_DONE(parts_.hub.repositories.remove(keeper, each));
    }
    return Done{};
  }

  Status collect() {
    TRY(content::Collected collected,
        parts_.content.collect(collection_grace, [this](const content::FileInfo& file) {
          return parts_.hub.uploads.is_live(file);
        }));
    parts_.log.info("collected",
                    {{"files", collected.files}, {"xorbs", collected.xorbs}, {"bytes", collected.bytes}});
    return Done{};
  }

  void note(std::string_view event, const Status& outcome) {
    if (!outcome.ok()) parts_.log.failure(event, outcome.error());
  }

  MaintenanceParts parts_;
  repo::Recheck recheck_;
  identity::TokenAges token_ages_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Maintenance> start_maintenance(const MaintenanceParts& parts) {
  return std::make_unique<TimedMaintenance>(parts);
}

}  // namespace holdfast::app
