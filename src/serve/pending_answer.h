#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "base/result.h"
#include "serve/worker_protocol.h"

namespace holdfast::serve {

// A model's answer that no thread waits for.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;  // Nobody wants it any more, where it was not taken.
  // Calls `ready` once, by any thread, when the answer is there, its deadline has passed or its client has
  // left; at once where that is so already.
  virtual void when_ready(std::function<void()> ready) = 0;
  virtual Result<EmbedAnswer> take() = 0;  // Once, after that.
  // Whether the deadline has passed: to be called some times a second, beside all of the above.
  virtual void look() = 0;
};

// One that was there at once.
class ReadyAnswer final : public PendingAnswer {
 public:
  explicit ReadyAnswer(Result<EmbedAnswer> answer) : answer_(std::move(answer)) {}
  void when_ready(std::function<void()> ready) override { ready(); }
  Result<EmbedAnswer> take() override { return std::move(answer_); }
  void look() override {}

 private:
  Result<EmbedAnswer> answer_;
};

}  // namespace holdfast::serve
