#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <vector>

#include "base/clock.h"
#include "base/ticks.h"
#include "serve/admission.h"
#include "serve/asker.h"
#include "serve/fair_queue.h"
#include "serve/generation.h"
#include "serve/scaling.h"
#include "serve/serve_probe.h"
#include "serve/slot_options.h"
#include "serve/speed.h"
#include "serve/ticket.h"
#include "serve/turnstile.h"
#include "serve/worker_protocol.h"

namespace holdfast::serve {

// What waits for one model, and whose turn it is at which of its workers: bounded queues whose keys take
// turns; who is free takes, and answers that are written go to the worker that writes fewest, or that had the
// same beginning of late. Safe from any thread.
class SlotQueue {
 public:
  // One worker's place at the queue. All but the seat's own thread leave it to the queue.
  struct Seat {
    bool warm = false;     // Its worker is started before anybody asks.
    bool leaving = false;  // It takes nothing more.
    bool ready = false, starting = false, working = false;
    size_t writing = 0;
    std::chrono::milliseconds not_before{};  // Of the next start.
    std::chrono::nanoseconds busy{};         // In all, with batches.
    std::chrono::nanoseconds working_since{};
    double working_cost = 0;  // Of the batch that it works on.
    // When the last batch ended that left something waiting, and what went by from there to this one.
    std::chrono::nanoseconds ended{-1}, between{};
  };
  // What a seat does next; all empty: it looks whether its worker lives.
  struct Turn {
    bool ends = false, starts = false;
    std::vector<Slice> batch;
    std::vector<Generation> begins;
  };

  SlotQueue(const SlotOptions& options, ServeProbe& probe, const Clock& clock, const Ticks& ticks)
      : options_(options),
        probe_(probe),
        clock_(clock),
        ticks_(ticks),
        reading_door_(clock),
        writing_door_(clock) {}

  // queue_full, also where the deadline cannot be kept at the speed of late or the asker would wait for
  // longer than is wanted, or why the model could not be loaded a moment ago. Of a refusal the asker's work
  // says when to come again.
  Status push(std::vector<Slice> slices, const Asker& asker);
  Status push(Generation generation, const Asker& asker);

  void add(Seat& seat);
  void remove(Seat& seat);  // After its thread ended.
  void warm(Seat& seat, bool on);
  void leave(Seat& seat);

  // Waits for something to do, a moment at most.
  Turn next(Seat& seat, const std::stop_token& stop);
  void started(Seat& seat, const WorkerFacts& facts);
  // Tells all that wait, and for a while all that come, where no other seat has a worker.
  void not_started(Seat& seat, const Error& error);
  // Its worker is gone, or did not come up; the next is started after the pause.
  void lost(Seat& seat, std::chrono::milliseconds pause);
  void worked(Seat& seat, std::span<const Slice> batch, std::chrono::nanoseconds took, bool good);
  // So many answers ended at the seat; `whole`: one that came to its end.
  void wrote(Seat& seat, size_t answers, const Generation* whole);
  // What a lost worker had: asked again, before all others, or told why not.
  void again(std::vector<Slice> slices, const Error& error);
  void again(Seat& seat, Generation generation);
  void fail_all(const Error& error);

  bool idle() const;
  size_t ready() const;  // Seats whose worker is loaded.
  size_t waiting() const;
  std::optional<WorkerFacts> facts() const;
  std::chrono::nanoseconds loading_between(std::chrono::nanoseconds begin,
                                           std::chrono::nanoseconds end) const;
  // Since the last call; of one thread.
  ReplicaLoad load();

 private:
  double overdue() const;
  BatchesAhead batches_ahead(const Asker& asker, double cost) const;
  AnswersAhead answers_ahead(const Asker& asker, double cost) const;
  bool is_refused() const { return refusal_ && clock_.now() < refused_until_; }
  bool anything() const { return !again_.empty() || !waiting_.empty() || !beginning_.empty(); }
  size_t ready_seats() const;
  bool may_start(const Seat& seat) const;
  bool has_turn(const Seat& seat) const;
  const Seat* seat_for(const Generation& generation) const;
  void drop_stale();
  std::chrono::nanoseconds batch_time(const Slice& first, double doubt) const;
  std::vector<Slice> take_batch();
  std::vector<Generation> take_late();
  std::vector<Generation> take_generations(Seat& seat);
  void remember_home(const Generation& generation, const Seat& seat);

  const SlotOptions options_;
  ServeProbe& probe_;
  const Clock& clock_;
  const Ticks& ticks_;

  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any ready_;
  std::vector<Seat*> seats_;
  std::deque<Slice> again_;
  FairQueue<Slice> waiting_;
  FairQueue<Generation> beginning_;
  std::map<uint64_t, const Seat*> homes_;  // By the digest of a prompt's beginning.
  Speed reading_, writing_speed_;          // Of a batch; of an answer's share of its worker.
  Foresight batch_doubt_;                  // How far batches are from that.
  double last_batch_ = 1;                  // How many times as long as expected it took.
  double written_at_once_ = 0;             // Of the answers that were measured, about.
  Turnstile reading_door_, writing_door_;
  size_t generations_ = 0;  // Beginning and being written.
  std::optional<WorkerFacts> facts_;
  std::optional<Error> refusal_;
  std::chrono::milliseconds refused_until_{};
  std::chrono::nanoseconds load_began_{-1}, load_ended_{-1};  // Of the newest; -1: none, or not yet.
  std::chrono::nanoseconds looked_at_{-1}, busy_seen_{};
};

}  // namespace holdfast::serve
