#include "repo/masking_jobs.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/guarded.h"

namespace holdfast::repo {
namespace {

constexpr size_t waiting_max = 8, kept_max = 200;

bool is_over(const MaskingJob& job) {
  return job.state == MaskingJob::State::done || job.state == MaskingJob::State::failed;
}

}  // namespace

std::string_view state_name(MaskingJob::State state) {
  switch (state) {
    case MaskingJob::State::waiting:
      return "waiting";
    case MaskingJob::State::running:
      return "running";
    case MaskingJob::State::done:
      return "done";
    case MaskingJob::State::failed:
      return "failed";
  }
  return "";
}

MaskingJobs::MaskingJobs(const Parts& parts) : parts_(parts) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Result<MaskingJob> MaskingJobs::start(const identity::Caller& caller, const Repository& repository,
                                      const MaskingWish& wish) {
  std::lock_guard lock(mutex_);
  const auto waiting = std::ranges::count_if(
      entries_, [](const Entry& each) { return each.job.state == MaskingJob::State::waiting; });
  if (static_cast<size_t>(waiting) >= waiting_max)
    return fail(Reason::queue_full, "too many masking jobs wait; ask again in a moment");
  for (auto each = entries_.begin(); entries_.size() >= kept_max && each != entries_.end();)
    each = is_over(each->job) ? entries_.erase(each) : std::next(each);
  entries_.push_back({.job = {.id = ++last_, .repository = repository.id, .wish = wish, .by = caller.name},
                      .caller = caller,
                      .repository = repository});
  changed_.notify_all();
  return entries_.back().job;
}

Result<MaskingJob> MaskingJobs::find(RepoId repository, int64_t id) {
  std::lock_guard lock(mutex_);
  for (const Entry& each : entries_)
    if (each.job.id == id && each.job.repository == repository) return each.job;
  return fail(Code::not_found, fmt::format("there is no masking job {} of this repository", id));
}

MaskingJobs::Entry* MaskingJobs::next() {
  for (Entry& each : entries_)
    if (each.job.state == MaskingJob::State::waiting) return &each;
  return nullptr;
}

void MaskingJobs::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    Entry* entry = next();
    if (entry == nullptr) {
      changed_.wait(lock, stop, [this] { return next() != nullptr; });
      continue;
    }
    entry->job.state = MaskingJob::State::running;
    entry->job.started = parts_.clock.wall();
    const identity::Caller caller = entry->caller;
    const Repository repository = entry->repository;
    const MaskingWish wish = entry->job.wish;
    lock.unlock();
    const std::string key = parts_.random.hex(32);
    auto report = guarded(
        [&] { return mask_revision(parts_.hub, parts_.content, caller, repository, wish, key, stop); });
    if (!report.ok()) parts_.log.failure("masking_failed", report.error(), {{"repo", repository.id.raw}});
    lock.lock();
    // Entries are taken away only when they are over, so it is still there.
    entry->job.ended = parts_.clock.wall();
    entry->job.state = report.ok() ? MaskingJob::State::done : MaskingJob::State::failed;
    if (report.ok())
      entry->job.report = std::move(report).value();
    else
      entry->job.failure = report.error().message;
  }
}

}  // namespace holdfast::repo
