#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/call.h"
#include "api/route.h"
#include "base/ticks.h"
#include "codec/sha256.h"
#include "net/message.h"
#include "serve/work.h"

namespace holdfast::api {

class StreamTelling;

// How a streamed answer ended, and what it said.
struct StreamEnd {
  std::optional<Error> error{};  // client_gone: its reader left.
  std::string output{};          // All of it; empty where it was longer than is kept.
  std::string output_digest{};   // SHA-256 of all of it, hexadecimal.
  uint64_t bytes = 0;
  serve::Work work{};  // What it took beside what was known at its head.
};

// What looks at a streamed answer before it goes out. Safe from any thread.
class StreamGuard {
 public:
  virtual ~StreamGuard() = default;
  // The stream begins: the guard has the telling until it has concluded it.
  virtual void begin(std::shared_ptr<StreamTelling> telling) = 0;
  virtual Status take(std::string bytes) = 0;  // As StreamTelling::push.
  virtual void end(std::optional<Error> error, serve::Work work) = 0;
  virtual bool refuses() const = 0;  // Nothing more is wanted of whoever writes.
};

// A streamed answer on its way: whoever writes it pushes and ends, on any thread; answer_and_tell says, when
// the head is made, what is to happen when both are done. What that gives is sent behind the last byte.
// Shared by the two; safe from any thread.
class StreamTelling : public std::enable_shared_from_this<StreamTelling> {
 public:
  using Tell = std::function<std::string(StreamEnd end)>;
  static constexpr size_t kept_bytes_max = 1 << 20;

  // `ticks` null: nobody measures.
  explicit StreamTelling(const Ticks* ticks) : ticks_(ticks), began_(now()) {}

  // For the writer. Begin comes first, and once.
  void begin(std::shared_ptr<net::PushedBody> body);
  Status push(std::string bytes);  // As net::PushedBody.
  bool gone() const;               // Its reader left, or its guard wants no more.
  // Nothing follows. The first time counts. Of work without written tokens each piece is one.
  void end(std::optional<Error> error, serve::Work work);
  // Whether all was handed over to the body after `end`; a full one takes the rest at a later call.
  bool finish();

  // Before the stream begins: what is pushed from then on goes through the guard, which passes on what may go
  // out and says when that was all.
  void guard_by(std::shared_ptr<StreamGuard> guard);
  std::shared_ptr<StreamGuard> guard() const;
  Status pass(std::string bytes);
  void conclude(std::optional<Error> error, serve::Work work);

  // For who tells. The first time counts; an empty function: nobody hears of it.
  void when_ended(Tell tell);
  bool begun() const;

 private:
  std::chrono::nanoseconds now() const {
    return ticks_ == nullptr ? std::chrono::nanoseconds{} : ticks_->now();
  }
  void close_if_told();  // Under mutex_.

  const Ticks* const ticks_;
  const std::chrono::nanoseconds began_;
  mutable std::mutex mutex_;  // Guards all below.
  std::shared_ptr<net::PushedBody> body_;
  std::shared_ptr<StreamGuard> guard_;  // Null: there is none.
  codec::Sha256 digest_;
  StreamEnd end_;
  std::chrono::nanoseconds first_{}, newest_{};
  uint64_t pieces_ = 0;
  bool ended_ = false, told_ = false, armed_ = false, closed_ = false;
  Tell tell_;
  std::string last_;  // What is sent behind the last byte, until the body took it.
};

// The one of this call; where nobody tells, one that only passes on.
std::shared_ptr<StreamTelling> telling_of(const Call& call);

// How a failure is written into the stream of this call once it has begun: an event in its protocol.
std::function<std::string(const Error&)> failure_in_stream(const Call& call, Dialect dialect);

}  // namespace holdfast::api
