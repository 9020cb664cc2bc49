#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "serve/work.h"
#include "serve/worker_protocol.h"

namespace holdfast::serve {

// One request on its way: the caller waits on it or is told, the model's thread fills it slice by slice.
// Shared by those two.
class Ticket {
 public:
  Ticket(size_t inputs, size_t slices) : slices_left_(slices) {
    answer_.tokens.resize(inputs);
    answer_.vectors.resize(inputs);
  }

  bool abandoned() const { return abandoned_; }  // Nobody waits any more: its work can be left out.

  void fill(size_t first, Result<EmbedAnswer> part);

  // Until every slice came, one failed, the deadline passed (timed_out) or the client left (client_gone).
  Result<EmbedAnswer> wait(const Context& context, const Clock& clock, std::chrono::milliseconds deadline);
  // The same for who does not wait: `done` is called once, when the ticket has ended, by whoever ended it or
  // here; then `take` gives what came of it. Until then it can be given up.
  void when_done(std::function<void()> done);
  void give_up(Error why);
  Result<EmbedAnswer> take();

  Work work() const;  // Of the slices that came, but for queue and load.

 private:
  void take_in(size_t first, Result<EmbedAnswer> part);  // Under the mutex.
  bool ended() const { return error_ || slices_left_ == 0; }
  std::function<void()> told();  // Whom to tell of the end, once. Under the mutex.

  mutable std::mutex mutex_;  // Guards all below but abandoned_.
  std::condition_variable done_;
  std::function<void()> when_done_;
  size_t slices_left_;
  std::optional<Error> error_;
  EmbedAnswer answer_;
  Work work_;
  std::atomic<bool> abandoned_ = false;
};

// Why a ticket is given up.
Error client_left();
Error too_late();

// A part of a request, small enough that others need not wait long behind it.
struct Slice {
  std::shared_ptr<Ticket> ticket;
  size_t first = 0;  // Of the request's inputs.
  EmbedItem item;
  std::chrono::milliseconds deadline = std::chrono::milliseconds::max();
  double cost = 1;
  size_t attempts = 0;                 // Workers that died of it, or while they had it.
  std::chrono::milliseconds pushed{};  // When it came to the queue, on the Clock.
  // What it would take until it is answered, as the queue saw it then; less than nothing: it did not know.
  std::chrono::nanoseconds foreseen{-1};
};

inline constexpr size_t slice_inputs_max = 32;
inline constexpr double slice_cost_max = 4096;  // About tokens; one input may have more.

// Cuts a request into slices of one ticket.
std::pair<std::shared_ptr<Ticket>, std::vector<Slice>> cut_request(EmbedItem request);

}  // namespace holdfast::serve
