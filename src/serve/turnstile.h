#pragma once

#include <chrono>

#include "base/clock.h"
#include "base/result.h"
#include "serve/admission.h"
#include "serve/asker.h"
#include "serve/foresight.h"

namespace holdfast::serve {

// Whether one more may come into a queue, by what it finds there and by how far such forecasts were off of
// late. Not safe from several threads.
class Turnstile {
 public:
  explicit Turnstile(const Clock& clock) : clock_(clock) {}

  struct Comer {
    std::chrono::milliseconds deadline{};
    bool full = false;                      // There is no room for it.
    bool others = false, is_first = false;  // Something else is done or waits; nothing waits before it.
    double overdue = 1;  // How many times as long as it should take what runs now takes already.
  };
  // queue_full, also where the deadline cannot be kept or the asker would wait for longer than is wanted. Of
  // a refusal the asker's work says when to come again.
  Status let_in(const Asker& asker, const Forecast& ahead, const Comer& comer);

  Foresight& foresight() { return foresight_; }
  const Foresight& foresight() const { return foresight_; }

 private:
  const Clock& clock_;
  Crowd crowd_;
  Foresight foresight_;
};

}  // namespace holdfast::serve
