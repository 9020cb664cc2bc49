#include "api/writing.h"

#include <condition_variable>
#include <mutex>
#include <numeric>
#include <optional>

#include "api/served_model.h"
#include "api/served_note.h"
#include "api/stream_telling.h"
#include "base/clock.h"
#include "observe/desk.h"

namespace holdfast::api {
namespace {

constexpr size_t unsent_bytes_max = 4 << 20;  // Of a reader that is slower than the model.
constexpr std::chrono::milliseconds look_again{200};

// An answer on its way from the model's thread to the one that waits, or straight into the body that is sent.
// Shared by those two.
class Exchange {
 public:
  Exchange(std::unique_ptr<AnswerForm> form, size_t choices, const Clock& clock, const Ticks* ticks,
           std::shared_ptr<StreamTelling> telling)
      : form_(std::move(form)),
        clock_(clock),
        ticks_(ticks),
        telling_(std::move(telling)),
        choices_(choices),
        began_(now()),
        left_(choices),
        prompt_tokens_(choices) {
    if (!form_->streams()) return;
    body_ = net::make_pushed_body(unsent_bytes_max);
    telling_->begin(body_);
  }
  // The model has let go of it: of a stream that nobody reads any more it said no end.
  ~Exchange() { end(fail(Reason::client_gone, "the client left")); }

  // On the model's thread.
  bool gone() {
    std::lock_guard lock(mutex_);
    return nobody_ || (body_ != nullptr && telling_->gone());
  }

  // On the model's thread.
  bool take(size_t choice, const serve::GenerateEvent& event) {
    std::lock_guard lock(mutex_);
    busy_ += event.busy;
    if (nobody_) return false;
    changed_.notify_all();
    if (event.error) {
      error_ = event.error;
      nobody_ = true;            // The other choices are of no use without this one.
      if (!sent_) return false;  // Becomes the answer itself.
      (void)telling_->push(form_->failure(*event.error));
      end(*event.error);
      return false;
    }
    newest_ = now();
    if (pieces_++ == 0) first_ = newest_;
    prompt_tokens_[choice] = std::max(prompt_tokens_[choice], event.prompt_tokens);
    if (event.end) {
      --left_;
      prompt_tokens_[choice] = event.end->prompt_tokens;
      new_tokens_ += event.end->new_tokens;
      if (!seed_) seed_ = event.end->seed;
    }
    if (body_ == nullptr) {
      form_->keep(choice, event);
      return true;
    }
    sent_ = true;
    std::string bytes = form_->piece(choice, event);
    if (left_ == 0) bytes += form_->ending();
    const bool more = bytes.empty() || telling_->push(std::move(bytes)).ok();
    if (!more) nobody_ = true;
    if (!more)
      end(fail(Reason::client_gone, "the client left, or reads too slowly"));
    else if (left_ == 0)
      end({});
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

  // What a whole answer took; a stream tells it when it ends.
  serve::Work work() const {
    std::lock_guard lock(mutex_);
    return form_->streams() || pieces_ == 0 ? serve::Work{} : taken();
  }

 private:
  std::chrono::nanoseconds now() const {
    return ticks_ == nullptr ? std::chrono::nanoseconds{} : ticks_->now();
  }

  // Of one that was cut each piece is a token.
  serve::Work taken() const {
    const uint64_t written = left_ == 0 ? new_tokens_ : pieces_;
    const uint64_t read = std::accumulate(prompt_tokens_.begin(), prompt_tokens_.end(), uint64_t{0});
    serve::Work out{.model = now() - began_,
                    .busy = busy_,
                    .inputs = choices_,
                    .tokens = read + written,
                    .written_tokens = written,
                    .first_token = first_ - began_,
                    .seed = seed_};
    if (written > choices_)
      out.between_tokens =
          (newest_ - first_) * static_cast<int64_t>(choices_) / static_cast<int64_t>(written - choices_);
    return out;
  }

  void end(std::optional<Error> error) {
    if (body_ != nullptr) telling_->end(std::move(error), taken());
  }

  const std::unique_ptr<AnswerForm> form_;  // Used under mutex_.
  const Clock& clock_;
  const Ticks* const ticks_;  // Null: nobody measures.
  const std::shared_ptr<StreamTelling> telling_;
  const size_t choices_;
  const std::chrono::nanoseconds began_;
  mutable std::mutex mutex_;  // Guards all below.
  std::condition_variable_any changed_;
  std::shared_ptr<net::PushedBody> body_;  // Of a stream.
  size_t left_;                            // Choices that have not ended.
  bool sent_ = false, nobody_ = false;
  std::optional<Error> error_;
  std::optional<uint64_t> seed_;
  std::vector<uint32_t> prompt_tokens_;  // Of each choice, as soon as it says something.
  uint64_t new_tokens_ = 0, pieces_ = 0;
  std::chrono::nanoseconds first_{}, newest_{}, busy_{};
};

}  // namespace

Result<net::Response> write_answers(Services& services, serve::Models& models, const Call& call,
                                    const serve::ServedModel& model, std::vector<std::string> requests,
                                    std::unique_ptr<AnswerForm> form) {
  if (requests.empty() || requests.size() > choices_max)
    return fail(Reason::bad_request, "a request is for 1 to 128 answers");
  const serve::Asker asker = asker_of(call);
  TRY(const serve::Models::Place place, models.enter(asker));
  const observe::Desk* desk = call.served ? call.served->desk : nullptr;
  const auto exchange =
      std::make_shared<Exchange>(std::move(form), requests.size(), services.clock,
                                 desk == nullptr ? nullptr : &desk->ticks(), telling_of(call));
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
  if (asker.work != nullptr) asker.work->add(exchange->work());
  return answer;
}

}  // namespace holdfast::api
