#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "net/message.h"
#include "net/pool.h"

namespace holdfast::net {

// An answer that is made once something has happened for which no thread waits. Its handler has returned; the
// request and its context live until the answer is delivered.
class LateAnswer {
 public:
  virtual ~LateAnswer() = default;
  // `ready` is called once, by any thread, when `finish` need not wait any more; at once where that is so
  // already.
  virtual void when_ready(std::function<void()> ready) = 0;
  // On the disk pool, once, after that. What it makes is no late answer.
  virtual Result<Response> finish() = 0;
  // Whether its time is up: some times a second, on the net thread, until the answer is delivered. Beside all
  // of the above.
  virtual void look() = 0;
};

using AnswerStep = std::function<Result<Response>(Result<Response>)>;
// `first`, and then what `next` makes of it.
std::shared_ptr<LateAnswer> then(std::shared_ptr<LateAnswer> first, AnswerStep next);
// Null: the answer is there.
std::shared_ptr<LateAnswer> late_part(const Result<Response>& answer);

// Where a net thread finds the late answer that it waits for, which a thread of the pool put there.
class LatePlace {
 public:
  void put(std::shared_ptr<LateAnswer> late) {
    std::lock_guard lock(mutex_);
    late_ = std::move(late);
  }
  void look() {
    std::shared_ptr<LateAnswer> late;
    {
      std::lock_guard lock(mutex_);
      late = late_;
    }
    if (late) late->look();
  }

 private:
  std::mutex mutex_;  // Guards the one below.
  std::shared_ptr<LateAnswer> late_;
};

// As on_pool, for an answer that may be late: then the pool's thread is free until it is ready.
template <class Work>
auto on_pool_or_later(Pool& pool, LatePlace& place, Work work) -> asio::awaitable<Result<Response>> {
  auto start = [&pool, &place](auto handler, Work job) {
    auto executor = asio::get_associated_executor(handler);
    pool.post([&pool, &place, executor, handler = std::move(handler), job = std::move(job)]() mutable {
      auto give = [executor, handler = std::move(handler)](Result<Response> out) mutable {
        asio::post(executor, [handler = std::move(handler), out = std::move(out)]() mutable {
          std::move(handler)(std::move(out));
        });
      };
      Result<Response> out = guarded(job);
      const std::shared_ptr<LateAnswer> late = late_part(out);
      if (!late) return give(std::move(out));
      place.put(late);
      // Shared because a std::function would copy it.
      auto shared = std::make_shared<decltype(give)>(std::move(give));
      late->when_ready([&pool, shared = std::move(shared), late]() mutable {
        pool.post_burst([shared = std::move(shared), late = std::move(late)] {
          (*shared)(guarded([&] { return late->finish(); }));
        });
      });
    });
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Response>)>(
      start, asio::use_awaitable, std::move(work));
}

}  // namespace holdfast::net
