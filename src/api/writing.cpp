#include "api/writing.h"

#include <condition_variable>
#include <mutex>
#include <optional>

#include "api/served_model.h"
#include "api/served_note.h"
#include "base/clock.h"
#include "serve/quotas.h"

namespace holdfast::api {
namespace {

constexpr size_t unsent_bytes_max = 4 << 20;  // Of a reader that is slower than the model.
constexpr std::chrono::milliseconds look_again{200};

// An answer on its way from the model's thread to the one that waits, or straight into the body that is sent.
// Shared by those two.
class Exchange {
 public:
  Exchange(std::unique_ptr<AnswerForm> form, size_t choices, const Clock& clock,
           std::shared_ptr<serve::Allowance> allowance)
      : form_(std::move(form)), clock_(clock), left_(choices) {
    if (!form_->streams()) return;
    body_ = net::make_pushed_body(unsent_bytes_max);
    allowance_ = std::move(allowance);
  }
  // A stream is counted here, since it ends after its head was answered. Of one that was cut each piece is a
  // token.
  ~Exchange() {
    if (allowance_ == nullptr) return;
    const uint64_t tokens = left_ == 0 ? prompt_tokens_ + new_tokens_ : prompt_tokens_ + pieces_;
    allowance_->took(static_cast<int64_t>(tokens), 0);
    allowance_->settle();
  }

  // On the model's thread.
  bool gone() {
    std::lock_guard lock(mutex_);
    return nobody_ || (body_ != nullptr && body_->gone());
  }

  // On the model's thread.
  bool take(size_t choice, const serve::GenerateEvent& event) {
    std::lock_guard lock(mutex_);
    if (nobody_) return false;
    changed_.notify_all();
    if (event.error) {
      error_ = event.error;
      nobody_ = true;            // The other choices are of no use without this one.
      if (!sent_) return false;  // Becomes the answer itself.
      (void)body_->push(form_->failure(*event.error));
      body_->close();
      return false;
    }
    if (event.end) {
      --left_;
      prompt_tokens_ += event.end->prompt_tokens;
      new_tokens_ += event.end->new_tokens;
    }
    if (body_ == nullptr) {
      form_->keep(choice, event);
      return true;
    }
    sent_ = true;
    ++pieces_;
    std::string bytes = form_->piece(choice, event);
    if (left_ == 0) bytes += form_->ending();
    const bool more = bytes.empty() || body_->push(std::move(bytes)).ok();
    if (!more) nobody_ = true;
    if (left_ == 0) body_->close();
    return more;
  }

  // Until it is sure what the answer's head is: the first event of a stream, the last one else.
  Result<net::Response> wait(const Context& context) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return error_ || left_ == 0 || sent_; };
    while (!ready()) {
      if (context.stop.stop_requested() || clock_.now() >= context.deadline) {
        nobody_ = true;
        if (context.stop.stop_requested()) return fail(Reason::client_gone, "the client left");
        return fail(Reason::timed_out, "the model did not answer in time: ask for fewer tokens, or stream");
      }
      changed_.wait_for(lock, context.stop, look_again, ready);
    }
    if (!sent_ && error_) return *error_;
    if (body_ == nullptr) return form_->whole();
    net::Response out;
    out.headers.set("Content-Type", "text/event-stream; charset=utf-8");
    out.headers.set("Cache-Control", "no-cache");
    out.headers.set("X-Accel-Buffering", "no");
    out.body = body_;
    return out;
  }

  // Nothing more is wanted.
  void leave() {
    std::lock_guard lock(mutex_);
    nobody_ = true;
  }

  uint64_t tokens() const {
    std::lock_guard lock(mutex_);
    return prompt_tokens_ + new_tokens_;
  }

 private:
  const std::unique_ptr<AnswerForm> form_;  // Used under mutex_.
  const Clock& clock_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any changed_;
  std::shared_ptr<net::PushedBody> body_;  // Of a stream.
  size_t left_;                            // Choices that have not ended.
  bool sent_ = false, nobody_ = false;
  std::optional<Error> error_;
  uint64_t prompt_tokens_ = 0, new_tokens_ = 0, pieces_ = 0;
  std::shared_ptr<serve::Allowance> allowance_;  // Of a stream; null: nothing is limited.
};

}  // namespace

Result<net::Response> write_answers(Services& services, serve::Models& models, const Call& call,
                                    const serve::ServedModel& model, std::vector<std::string> requests,
                                    std::unique_ptr<AnswerForm> form) {
  if (requests.empty() || requests.size() > choices_max)
    return fail(Reason::bad_request, "a request is for 1 to 128 answers");
  const auto began = services.clock.now();
  const serve::Asker asker = asker_of(call);
  TRY(const serve::Models::Place place, models.enter(asker));
  const auto exchange = std::make_shared<Exchange>(std::move(form), requests.size(), services.clock,
                                                   call.served ? call.served->allowance : nullptr);
  for (size_t i = 0; i < requests.size(); ++i) {
    const Status asked = models.generate(
        call.context, model,
        {.request = std::move(requests[i]),
         .on_event = [exchange, i](const serve::GenerateEvent& event) { return exchange->take(i, event); },
         .gone = [exchange] { return exchange->gone(); }},
        asker);
    if (asked.ok()) continue;
    exchange->leave();
    return asked.error();
  }
  auto answer = exchange->wait(call.context);
  if (asker.work != nullptr && exchange->tokens() > 0)
    asker.work->add(
        {.model = services.clock.now() - began, .inputs = requests.size(), .tokens = exchange->tokens()});
  return answer;
}

}  // namespace holdfast::api
