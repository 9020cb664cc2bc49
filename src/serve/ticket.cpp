#include "serve/ticket.h"

#include <algorithm>
#include <stop_token>
#include <utility>

#include "base/check.h"
#include "serve/request_cost.h"

namespace holdfast::serve {
namespace {

// Time is the injected clock's, so the wait is in slices.
constexpr std::chrono::milliseconds look_again{50};

template <class T>
std::vector<T> take_part(std::vector<T>& all, size_t first, size_t count) {
  if (all.empty()) return {};
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  return {std::make_move_iterator(begin),
          std::make_move_iterator(begin + static_cast<std::ptrdiff_t>(count))};
}

}  // namespace

Error client_left() { return fail(Reason::client_gone, "the client left"); }
Error too_late() { return fail(Reason::timed_out, "the model did not answer in time"); }

void Ticket::fill(size_t first, Result<EmbedAnswer> part) {
  std::function<void()> told_then;
  {
    std::lock_guard lock(mutex_);
    take_in(first, std::move(part));
    told_then = told();
  }
  done_.notify_all();  // Who wakes up finds the mutex free.
  if (told_then) told_then();
}

std::function<void()> Ticket::told() {
  return ended() ? std::exchange(when_done_, nullptr) : std::function<void()>();
}

void Ticket::when_done(std::function<void()> done) {
  {
    std::lock_guard lock(mutex_);
    if (!ended()) {
      when_done_ = std::move(done);
      return;
    }
  }
  done();
}

void Ticket::give_up(Error why) {
  std::function<void()> told_then;
  {
    std::lock_guard lock(mutex_);
    if (ended()) return;
    abandoned_ = true;
    error_ = std::move(why);
    told_then = told();
  }
  if (told_then) told_then();
}

Result<EmbedAnswer> Ticket::take() {
  std::lock_guard lock(mutex_);
  CHECK(ended());
  if (error_) return *error_;
  return std::move(answer_);
}

void Ticket::take_in(size_t first, Result<EmbedAnswer> part) {
  if (!part.ok()) {
    if (!error_) error_ = std::move(part).error();
    abandoned_ = true;  // One failure answers for all.
  } else {
    EmbedAnswer& got = part.value();
    const auto time = [](uint64_t ns) { return std::chrono::nanoseconds(static_cast<int64_t>(ns)); };
    work_.add({.tokenize = time(got.work.tokenize_ns),
               .model = time(got.work.model_ns),
               .post = time(got.work.post_ns),
               .busy = time(got.work.busy_ns),
               .tokens = got.work.tokens,
               .unknown_tokens = got.work.unknown_tokens});
    if (!got.json.empty()) answer_.json = std::move(got.json);  // A task is one input.
    CHECK(first + got.tokens.size() <= answer_.tokens.size());
    std::copy(got.tokens.begin(), got.tokens.end(),
              answer_.tokens.begin() + static_cast<std::ptrdiff_t>(first));
    std::move(got.vectors.begin(), got.vectors.end(),
              answer_.vectors.begin() + static_cast<std::ptrdiff_t>(first));
  }
  --slices_left_;
}

Result<EmbedAnswer> Ticket::wait(const Context& context, const Clock& clock,
                                 std::chrono::milliseconds deadline) {
  const std::stop_callback told(context.stop, [this] {
    {
      const std::lock_guard lock(mutex_);
    }  // Not between the look at the token and the wait.
    done_.notify_all();
  });
  std::unique_lock lock(mutex_);
  while (!ended()) {
    if (context.stop.stop_requested() || clock.now() >= deadline) {
      abandoned_ = true;
      return context.stop.stop_requested() ? client_left() : too_late();
    }
    done_.wait_for(lock, look_again, [&] { return ended() || context.stop.stop_requested(); });
  }
  if (error_) return *error_;
  return std::move(answer_);
}

Work Ticket::work() const {
  std::lock_guard lock(mutex_);
  return work_;
}

std::pair<std::shared_ptr<Ticket>, std::vector<Slice>> cut_request(EmbedItem request) {
  const size_t inputs = request.size();
  std::vector<size_t> ends;  // Of each slice.
  double cost = 0;
  for (size_t i = 0, first = 0; i < inputs; ++i) {
    const double more = cost_of(request, i);
    if (i > first && (i - first == slice_inputs_max || cost + more > slice_cost_max)) {
      ends.push_back(i);
      first = i;
      cost = 0;
    }
    cost += more;
  }
  if (inputs > 0) ends.push_back(inputs);
  auto ticket = std::make_shared<Ticket>(inputs, ends.size());
  std::vector<Slice> out;
  size_t first = 0;
  for (const size_t end : ends) {
    EmbedItem item{request.wanted, request.long_text, take_part(request.texts, first, end - first),
                   take_part(request.ids, first, end - first), request.adapter};
    const double item_cost = cost_of(item);
    out.push_back({.ticket = ticket, .first = first, .item = std::move(item), .cost = item_cost});
    first = end;
  }
  return {std::move(ticket), std::move(out)};
}

}  // namespace holdfast::serve
