#include <fmt/format.h>

#include <algorithm>

#include "exchange/mirror_core.h"

namespace holdfast::exchange {
namespace {

// Of every file, so many bytes at its end wait for digest and scan: nobody has a whole file that was not
// looked at.
constexpr uint64_t held_back_bytes = 64 << 10;
constexpr size_t push_bytes = 256 << 10, streams_max = 256;
constexpr std::chrono::seconds silence_max{90};
constexpr std::chrono::seconds kept_span{60};

// What may go out of a file now, counted from its start; under mutex.
uint64_t ready_until(const ArrivingFile& file, uint64_t from) {
  if (file.state == ArrivingFile::State::whole) return file.staged.size();
  if (file.state == ArrivingFile::State::refused) return 0;
  const uint64_t end = from + file.here_from(from);
  const uint64_t most = file.staged.size() > held_back_bytes ? file.staged.size() - held_back_bytes : 0;
  return std::min(end, most);
}

bool is_over(const Arrival& arrival) {
  return arrival.ends || arrival.state == Arrival::State::failed ||
         arrival.state == Arrival::State::quarantined;
}

Error why_over(const Arrival& arrival) {
  return arrival.failure.value_or(
      fail(Reason::dependency_failed, "the upstream's file could not be fetched"));
}

}  // namespace

Status MirrorCore::wait_for(const std::shared_ptr<Arrival>& arrival, size_t index, uint64_t offset,
                            uint64_t count, std::chrono::milliseconds span) {
  std::unique_lock lock(mutex);
  ArrivingFile& file = arrival->files[index];
  if (arrival->failures > 0) arrival->retry_at = {};  // Somebody wants it now.
  ++file.waiting;
  const int failures = arrival->failures;
  const auto ready = [&] {
    // An attempt that failed for this caller, too: the upstream is down, and waiting would not help.
    return stopping_ || is_over(*arrival) || arrival->failures > std::max(failures, 1) ||
           file.state == ArrivingFile::State::whole || file.state == ArrivingFile::State::refused ||
           (count < file.staged.size() && ready_until(file, offset) >= offset + count);
  };
  tell();
  const bool came = arrived.wait_for(lock, span, ready);
  --file.waiting;
  if (stopping_) return fail(Reason::shutting_down, "stopping");
  if (file.state == ArrivingFile::State::whole) return Done{};
  if (is_over(*arrival) || file.state == ArrivingFile::State::refused) return why_over(*arrival);
  const bool failing = arrival->failures > std::max(failures, 1);
  const bool here = count < file.staged.size() && ready_until(file, offset) >= offset + count;
  if (came && (here || !failing)) return Done{};
  return fail(Reason::timed_out,
              fmt::format("the upstream {} does not send {} in time{}", arrival->place.upstream.name,
                          file.remote.path.substr(0, 300),
                          arrival->failure ? ": " + arrival->failure->message : std::string()));
}

void MirrorCore::add_stream(const std::shared_ptr<Arrival>& arrival, size_t file, uint64_t offset,
                            uint64_t length, std::shared_ptr<net::PushedBody> body) {
  std::lock_guard lock(mutex);
  if (streams_.size() >= streams_max) {
    body->close(fail(Reason::queue_full, "too many files are on their way to clients"));
    return;
  }
  ++arrival->files[file].waiting;
  streams_.push_back({.arrival = arrival,
                      .file = file,
                      .at = offset,
                      .end = offset + length,
                      .body = std::move(body),
                      .source = arrival->files[file].staged.source(),
                      .moved = parts.clock.now()});
  tell();
}

// Hands on what is ready; `ended` when nothing more is to be done for this client.
Status MirrorCore::push(Stream& stream, uint64_t ready, bool& ended) {
  while (stream.at < std::min(ready, stream.end)) {
    std::string bytes(std::min<uint64_t>(push_bytes, std::min(ready, stream.end) - stream.at), '\0');
    TRY(const size_t got,
        stream.source->read_at(stream.at, std::as_writable_bytes(std::span(bytes.data(), bytes.size()))));
    if (got == 0) return fail(Reason::data_corrupt, "a staged file is shorter than it was");
    bytes.resize(got);
    const Status pushed = stream.body->push(std::move(bytes));
    if (!pushed.ok() && pushed.error().reason == Reason::queue_full) return Done{};
    if (!pushed.ok() && pushed.error().code == Code::busy) return Done{};
    TRY_DONE(pushed);
    stream.at += got;
    stream.moved = parts.clock.now();
  }
  if (stream.at == stream.end) {
    stream.body->close();
    ended = true;
  } else if (parts.clock.now() - stream.moved > silence_max) {
    return fail(Reason::timed_out, "the upstream is silent");
  }
  return Done{};
}

bool MirrorCore::push_something() {
  // Only this thread takes streams away; others add at the end, which moves none.
  std::vector<std::pair<std::list<Stream>::iterator, uint64_t>> now;
  std::vector<std::list<Stream>::iterator> over;
  {
    std::lock_guard lock(mutex);
    for (auto each = streams_.begin(); each != streams_.end(); ++each) {
      const ArrivingFile& file = each->arrival->files[each->file];
      const bool refused = file.state == ArrivingFile::State::refused ||
                           (is_over(*each->arrival) && file.state != ArrivingFile::State::whole);
      if (each->body->gone() || refused || stopping_)
        over.push_back(each);
      else
        now.emplace_back(each, ready_until(file, each->at));
    }
  }
  bool moved = false;
  for (const auto& [each, ready] : now) {
    bool ended = false;
    const uint64_t before = each->at;
    const Status pushed = push(*each, ready, ended);
    moved = moved || each->at != before;
    if (!pushed.ok()) each->body->close(pushed);
    if (!pushed.ok() || ended) over.push_back(each);
  }
  std::lock_guard lock(mutex);
  for (const auto& each : over) {
    --each->arrival->files[each->file].waiting;
    if (!each->body->gone() && each->at != each->end) each->body->close(why_over(*each->arrival));
    streams_.erase(each);
  }
  // What is done stays for those who come while it settles, then its staged bytes go.
  const auto wall = parts.clock.now();
  for (auto each = active_.begin(); each != active_.end();) {
    const std::shared_ptr<Arrival>& arrival = each->second;
    const bool waited_for = std::any_of(streams_.begin(), streams_.end(),
                                        [&](const Stream& stream) { return stream.arrival == arrival; });
    if (arrival->state == Arrival::State::done && arrival->retry_at == std::chrono::milliseconds{})
      arrival->retry_at = wall + kept_span;
    if (arrival->state != Arrival::State::done || waited_for || wall < arrival->retry_at) {
      ++each;
      continue;
    }
    (void)forget(arrival->id).ok();
    each = active_.erase(each);
  }
  return moved || !over.empty();
}

void MirrorCore::stop() {
  stop_.request_stop();
  std::lock_guard lock(mutex);
  stopping_ = true;
  tell();
}

bool MirrorCore::wait_for_change(std::chrono::milliseconds span) {
  std::unique_lock lock(mutex);
  if (!stopping_) changed.wait_for(lock, span);
  return !stopping_;
}

}  // namespace holdfast::exchange
