#include "api/stream_telling.h"

#include <utility>

#include "api/error_answer.h"
#include "api/served_note.h"
#include "codec/hex.h"

namespace holdfast::api {

void StreamTelling::begin(std::shared_ptr<net::PushedBody> body) {
  std::shared_ptr<StreamGuard> guard;
  {
    std::lock_guard lock(mutex_);
    body_ = std::move(body);
    guard = guard_;
  }
  if (guard != nullptr) guard->begin(shared_from_this());
}

void StreamTelling::guard_by(std::shared_ptr<StreamGuard> guard) {
  std::lock_guard lock(mutex_);
  guard_ = std::move(guard);
}

std::shared_ptr<StreamGuard> StreamTelling::guard() const {
  std::lock_guard lock(mutex_);
  return guard_;
}

Status StreamTelling::push(std::string bytes) {
  if (const auto guard = this->guard()) return guard->take(std::move(bytes));
  return pass(std::move(bytes));
}

Status StreamTelling::pass(std::string bytes) {
  std::lock_guard lock(mutex_);
  newest_ = now();
  if (pieces_++ == 0) first_ = newest_;
  if (armed_ && !tell_) return body_->push(std::move(bytes));
  TRY_DONE(body_->push(bytes));
  digest_.update(as_bytes(bytes));
  end_.bytes += bytes.size();
  if (end_.bytes <= kept_bytes_max)
    end_.output += bytes;
  else
    end_.output.clear();
  return Done{};
}

bool StreamTelling::gone() const {
  std::lock_guard lock(mutex_);
  return (body_ != nullptr && body_->gone()) || (guard_ != nullptr && guard_->refuses());
}

void StreamTelling::end(std::optional<Error> error, serve::Work work) {
  if (const auto guard = this->guard()) return guard->end(std::move(error), work);
  conclude(std::move(error), work);
}

void StreamTelling::conclude(std::optional<Error> error, serve::Work work) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  ended_ = true;
  end_.error = std::move(error);
  end_.output_digest = codec::to_hex(digest_.finish());
  if (work.written_tokens == 0) work.written_tokens = pieces_;
  if (pieces_ > 0) work.first_token = first_ - began_;
  if (work.written_tokens > 1)
    work.between_tokens = (newest_ - first_) / static_cast<int64_t>(work.written_tokens - 1);
  end_.work = work;
  close_if_told();
}

void StreamTelling::when_ended(Tell tell) {
  std::lock_guard lock(mutex_);
  if (armed_) return;
  armed_ = true;
  tell_ = std::move(tell);
  close_if_told();
}

bool StreamTelling::begun() const {
  std::lock_guard lock(mutex_);
  return body_ != nullptr;
}

void StreamTelling::close_if_told() {
  if (!ended_ || !armed_ || closed_ || body_ == nullptr) return;
  if (!told_) {
    told_ = true;
    if (tell_) last_ = std::exchange(tell_, nullptr)(std::move(end_));
  }
  if (!last_.empty()) {
    const Status pushed = body_->push(last_);
    if (!pushed.ok() && pushed.error().reason == Reason::queue_full) return;
  }
  last_.clear();
  body_->close();
  closed_ = true;
}

bool StreamTelling::finish() {
  std::lock_guard lock(mutex_);
  close_if_told();
  return closed_ || !armed_;
}

std::shared_ptr<StreamTelling> telling_of(const Call& call) {
  if (call.served && call.served->stream) return call.served->stream;
  auto out = std::make_shared<StreamTelling>(nullptr);
  out->when_ended({});
  return out;
}

std::function<std::string(const Error&)> failure_in_stream(const Call& call, Dialect dialect) {
  return [dialect = call.served ? call.served->dialect.value_or(dialect) : dialect,
          trace = call.context.trace_id](const Error& error) {
    Context context;
    context.trace_id = trace;
    const net::Response answer = error_answer(dialect, {}, error, context);
    const auto* body = std::get_if<std::string>(&answer.body);
    return net::sse_event("", body == nullptr ? std::string() : *body);
  };
}

}  // namespace holdfast::api
