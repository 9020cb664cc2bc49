#include "api/guarded_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "api/held_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "api/stream_cut.h"
#include "api/stream_telling.h"
#include "base/guarded.h"
#include "codec/json.h"
#include "serve/guard_verdict.h"

namespace holdfast::api {
namespace {

using serve::GuardStage;

constexpr size_t unread_bytes_max = 4 << 20, sentence_bytes_min = 80;
constexpr std::chrono::milliseconds look_again{200};
constexpr std::chrono::seconds writer_patience{30};  // For one who was told to stop.

// What a look needs of a call that has returned.
class KeptCall {
 public:
  explicit KeptCall(const Call& call)
      : context_(call.context), caller_(call.caller), base_url_(call.base_url) {
    if (call.served) {
      served_ = std::make_shared<ServedNote>(*call.served);
      served_->stream.reset();  // Which has the guard that has this.
    }
    if (const auto kept = call.request.headers.find("Cache-Control"))
      request_.headers.set("Cache-Control", std::string(*kept));
  }
  Call call(const std::stop_token& stop) const {
    Call out{.request = request_,
             .context = context_,
             .caller = caller_,
             .type = {},
             .found = {},
             .base_url = base_url_,
             .served = served_};
    out.context.stop = stop;
    return out;
  }

 private:
  net::Request request_;
  const Context context_;
  const identity::Caller caller_;
  const std::string base_url_;
  std::shared_ptr<ServedNote> served_;  // As it was; shared with the calls.
};

// One stage after the model, its number at its endpoint, and how far a model was asked.
struct Stage {
  GuardStage by;
  size_t number = 0;
  std::string endpoint;
  GuardAsker ask;
  size_t bytes_seen = 0, pieces_passed = 0, texts_seen = 0;
  bool let_be = false;  // It failed, and fails open: it is asked again at the end only.

  bool asks() const { return !by.endpoint.empty(); }
  bool refuses() const { return by.then == GuardStage::Then::refuse; }
};

// How many answers a request asks of each prompt, and whether it wants to know what they took.
struct Wishes {
  uint64_t answers = 1;
  bool usage = false;
};

Wishes wishes_of(const std::string& body) {
  Wishes out;
  const auto object = codec::parse_json_object(body);
  if (!object.ok()) return out;
  if (const auto answers = codec::json_integer_if(object.value(), "n"); answers.ok())
    out.answers = static_cast<uint64_t>(std::clamp<int64_t>(answers.value().value_or(1), 1, 128));
  const auto options = codec::json_object_if(object.value(), "stream_options");
  if (!options.ok() || options.value() == nullptr) return out;
  const auto usage = codec::json_flag_if(*options.value(), "include_usage");
  out.usage = usage.ok() && usage.value().value_or(false);
  return out;
}

bool ends_a_sentence(std::string_view text) {
  for (const std::string_view end : {".", "!", "?", "\n", "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"})
    if (text.find(end) != std::string_view::npos) return true;
  return false;
}

// One answer: from whoever writes it, on any thread, to its own thread, which lets it through. Shared by the
// telling and that thread.
class Stream final : public StreamGuard, public std::enable_shared_from_this<Stream> {
 public:
  // Runs `work` on a thread of its own.
  using Start = std::function<void(std::function<void(std::stop_token)> work)>;

  Stream(Services& services, const Ticks& ticks, const Call& call, const GuardWatch& watch, Start start)
      : services_(services),
        ticks_(ticks),
        kept_(call),
        wishes_(wishes_of(call.request.body)),
        failure_(failure_in_stream(call, watch.dialect)),
        start_(std::move(start)) {}

  // Before it begins.
  void add(const GuardWatch& watch) {
    for (size_t i = 0; i < watch.stages->size(); ++i) {
      const GuardStage& by = (*watch.stages)[i];
      if (by.place != GuardStage::Place::after) continue;
      stages_.push_back({.by = by, .number = i + 1, .endpoint = watch.endpoint, .ask = watch.ask});
      const Stage& stage = stages_.back();
      if (stage.refuses() && stage.asks()) answer_.wait_for(stages_.size() - 1);
      if (stage.refuses() && !stage.asks()) answer_.look_for(stages_.size() - 1, by);
    }
  }

  void begin(std::shared_ptr<StreamTelling> telling) override {
    start_([self = shared_from_this(), telling = std::move(telling)](const std::stop_token& stop) {
      self->run(*telling, stop);
    });
  }

  Status take(std::string bytes) override {
    std::lock_guard lock(mutex_);
    if (refuses_) return fail(Reason::client_gone, "a guardrail has ended the answer");
    if (!came_.empty() && came_.size() + bytes.size() > unread_bytes_max)
      return fail(Reason::queue_full, "the guardrails look too slowly");
    came_ += bytes;
    changed_.notify_all();
    return Done{};
  }

  void end(std::optional<Error> error, serve::Work work) override {
    std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = Ended{std::move(error), work, ticks_.now()};
    changed_.notify_all();
  }

  bool refuses() const override { return refuses_; }

 private:
  struct Ended {
    std::optional<Error> error;
    serve::Work work;
    std::chrono::nanoseconds at{};
  };

  void run(StreamTelling& telling, const std::stop_token& stop) {
    while (true) {
      std::string bytes;
      std::optional<Ended> ended;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [&] { return !came_.empty() || ended_.has_value(); });
        bytes = std::exchange(came_, {});
        ended = ended_;
      }
      if (stop.stop_requested())
        return telling.conclude(fail(Reason::client_gone, "the server stops"),
                                ended ? ended->work : serve::Work{});
      const Status looked = look(telling, std::move(bytes), ended.has_value(), stop);
      if (!looked.ok()) return cut(telling, looked.error(), stop);
      for (std::string& event : answer_.let_through()) pass(telling, std::move(event), stop);
      if (!ended) continue;
      if (const std::string flags = flagged(stop); !flags.empty())
        pass(telling, fmt::format(": {}: {}\n\n", guardrails_header, flags), stop);
      return conclude(telling, *ended, ended->error);
    }
  }

  Status look(const StreamTelling& telling, std::string bytes, bool ended, const std::stop_token& stop) {
    unread_ += bytes;
    std::vector<std::string> events = take_events(unread_);
    if (ended && !unread_.empty()) events.push_back(std::exchange(unread_, {}));
    for (std::string& event : events) {
      cut_.came(event_data(event));
      const HeldAnswer::Found found = answer_.take(std::move(event));
      if (found.anything) return refused(stages_[found.stage], stop);
    }
    if (ended)
      if (const HeldAnswer::Found found = answer_.end(); found.anything)
        return refused(stages_[found.stage], stop);
    if (answer_.is_too_much()) TRY_DONE(give_up(stop));
    for (size_t i = 0; i < stages_.size(); ++i) {
      Stage& stage = stages_[i];
      if (!stage.asks() || !stage.refuses() || telling.gone()) continue;
      if (is_due(stage, ended)) TRY_DONE(ask(stage, i, stop));
    }
    return Done{};
  }

  Error refused(const Stage& stage, const std::stop_token& stop) {
    const char* what = stage.by.secrets ? "secret" : "words";
    const Call call = kept_.call(stop);
    note_look({services_, call, stage.endpoint, stage.ask}, stage.by, stage.number, GuardEnded::refused,
              what);
    return look_refuses(stage.by, stage.number, what);
  }

  // More text than is looked at: as if each stage had failed.
  Status give_up(const std::stop_token& stop) {
    const Call call = kept_.call(stop);
    for (size_t i = 0; i < stages_.size(); ++i) {
      Stage& stage = stages_[i];
      if (!stage.refuses()) continue;
      const Error failed = look_failed({services_, call, stage.endpoint, stage.ask}, stage.by, stage.number,
                                       fail(Reason::input_too_long, ""));
      if (stage.by.failing == GuardStage::Failing::closed) return failed;
    }
    return fail(Reason::dependency_failed, "the answer is held back: it is longer than guardrails look at");
  }

  bool is_due(const Stage& stage, bool ended) const {
    if (answer_.bytes() == stage.bytes_seen) return false;
    if (ended) return true;
    if (stage.let_be) return false;
    const size_t fresh = answer_.bytes() - stage.bytes_seen;
    if (fresh >= guard_bytes_max) return true;
    if (fresh < sentence_bytes_min) return false;
    const auto texts = answer_.texts();
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) {
      return ends_a_sentence(text.substr(text.size() - std::min(text.size(), fresh)));
    });
  }

  Status ask(Stage& stage, size_t index, const std::stop_token& stop) {
    const Call call = kept_.call(stop);
    const GuardLook look{services_, call, stage.endpoint, stage.ask};
    const auto found = found_so_far(look, stage);
    stage.bytes_seen = answer_.bytes();
    if (!found.ok()) {
      if (stop.stop_requested()) return fail(Reason::client_gone, "the server stops");
      const Error failed = look_failed(look, stage.by, stage.number, found.error());
      if (stage.by.failing == GuardStage::Failing::closed) return failed;
      stage.let_be = true;
      answer_.never_mind(index);
      return Done{};
    }
    if (!found.value().empty()) {
      note_look(look, stage.by, stage.number, GuardEnded::refused, found.value());
      return look_refuses(stage.by, stage.number, found.value());
    }
    note_look(look, stage.by, stage.number, GuardEnded::passed, "");
    answer_.saw(index);
    return Done{};
  }

  // Of one text, pieces that are whole and passed are not asked about again.
  Result<std::string> found_so_far(const GuardLook& look, Stage& stage) const {
    const auto texts = answer_.texts();
    if (stage.by.ask == GuardStage::Ask::chat || texts.size() != 1) return found_by(look, stage.by, texts);
    auto pieces = serve::guard_pieces(texts);
    if (!pieces) return fail(Reason::input_too_long, "there is more than a guarding model is asked of");
    const size_t whole = pieces->empty() ? 0 : pieces->size() - 1;
    pieces->erase(pieces->begin(),
                  pieces->begin() + static_cast<ptrdiff_t>(std::min(stage.pieces_passed, pieces->size())));
    TRY(std::string found, found_in_pieces(look, stage.by, *pieces));
    if (found.empty()) stage.pieces_passed = whole;
    return found;
  }

  // What stages that hold nothing back find in all of it.
  std::string flagged(const std::stop_token& stop) {
    std::string out;
    const Call call = kept_.call(stop);
    for (const Stage& stage : stages_) {
      const GuardLook look{services_, call, stage.endpoint, stage.ask};
      if (stage.refuses()) {
        if (!stage.asks()) note_look(look, stage.by, stage.number, GuardEnded::passed, "");
        continue;
      }
      const auto found = found_by(look, stage.by, answer_.texts());
      if (!found.ok()) {
        (void)look_failed(look, stage.by, stage.number, found.error());
        continue;
      }
      const bool nothing = found.value().empty();
      note_look(look, stage.by, stage.number, nothing ? GuardEnded::passed : GuardEnded::flagged,
                found.value());
      if (!nothing) out += (out.empty() ? "" : ", ") + told_flag(stage.by, stage.number, found.value());
    }
    return out;
  }

  // A reader who is slower than the model is waited for.
  void pass(StreamTelling& telling, std::string event, const std::stop_token& stop) {
    cut_.sent(event_data(event));
    while (true) {
      const Status passed = telling.pass(event);
      if (passed.ok() || passed.error().reason != Reason::queue_full || stop.stop_requested()) return;
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, look_again, [] { return false; });
    }
  }

  void cut(StreamTelling& telling, const Error& error, const std::stop_token& stop) {
    refuses_ = true;
    for (std::string& event : answer_.let_through()) pass(telling, std::move(event), stop);
    const bool told = error.reason == Reason::policy_refused || error.reason == Reason::dependency_failed;
    if (told) {
      std::string ending = cut_.ending(error);
      if (ending.empty() && !cut_.ends_by_closing()) ending = failure_(error);
      if (!ending.empty()) pass(telling, std::move(ending), stop);
    }
    std::optional<Ended> ended;
    {
      std::unique_lock lock(mutex_);
      came_.clear();
      changed_.wait_for(lock, stop, writer_patience, [&] { return ended_.has_value(); });
      ended = ended_ ? ended_ : Ended{{}, {}, ticks_.now()};
    }
    // Who does not say what it wrote has written what came of it.
    if (ended->work.written_tokens == 0) ended->work.written_tokens = answer_.said();
    ended->work.tokens = std::max(ended->work.tokens, ended->work.written_tokens);
    if (std::string closing = cut_.closing(ended->work, wishes_.answers, wishes_.usage);
        told && !closing.empty())
      pass(telling, std::move(closing), stop);
    ended->at = ticks_.now();
    conclude(telling, *ended, error);
  }

  // The looks at an answer that was still being written took no time of their own.
  void conclude(StreamTelling& telling, const Ended& ended, const std::optional<Error>& error) {
    serve::Work work = ended.work;
    work.guard += ticks_.now() - ended.at;
    telling.conclude(error, work);
  }

  Services& services_;
  const Ticks& ticks_;
  const KeptCall kept_;
  const Wishes wishes_;
  const std::function<std::string(const Error&)> failure_;
  const Start start_;
  // Its thread's own.
  std::vector<Stage> stages_;
  HeldAnswer answer_;
  StreamCut cut_;
  std::string unread_;
  std::atomic<bool> refuses_ = false;
  std::mutex mutex_;  // Guards all below.
  std::condition_variable_any changed_;
  std::string came_;
  std::optional<Ended> ended_;
};

class Streams final : public GuardedStreams {
 public:
  explicit Streams(const Ticks& ticks) : ticks_(ticks) {}
  ~Streams() override {
    std::lock_guard lock(mutex_);
    for (Running& one : running_) one.thread.request_stop();
    running_.clear();  // Joins.
  }

  Status watch(Services& services, const Call& call, GuardWatch watch) override {
    if (!call.served || !call.served->stream)
      return fail(Reason::not_offered, "'stream' is not offered where answers are looked at");
    StreamTelling& telling = *call.served->stream;
    if (const auto earlier = std::dynamic_pointer_cast<Stream>(telling.guard())) {
      earlier->add(watch);
      return Done{};
    }
    {
      std::lock_guard lock(mutex_);
      running_.remove_if([](const Running& one) { return one.over->load(); });
      if (running_.size() >= guarded_streams_max)
        return fail(Reason::queue_full, "as many streamed answers are looked at as are taken");
    }
    const auto stream = std::make_shared<Stream>(services, ticks_, call, watch,
                                                 [this](auto work) { start(std::move(work)); });
    stream->add(watch);
    telling.guard_by(stream);
    return Done{};
  }

 private:
  struct Running {
    std::shared_ptr<std::atomic<bool>> over;  // Shared with its thread.
    std::jthread thread;
  };

  void start(std::function<void(std::stop_token)> work) {
    const auto over = std::make_shared<std::atomic<bool>>(false);
    std::lock_guard lock(mutex_);
    running_.push_back({over, std::jthread([over, work = std::move(work)](std::stop_token stop) mutable {
                          (void)guarded([&]() -> Status {
                            work(std::move(stop));
                            return Done{};
                          });
                          work = nullptr;
                          over->store(true);
                        })});
  }

  const Ticks& ticks_;
  std::mutex mutex_;  // Guards running_.
  std::list<Running> running_;
};

}  // namespace

std::unique_ptr<GuardedStreams> make_guarded_streams(const Ticks& ticks) {
  return std::make_unique<Streams>(ticks);
}

bool is_watched(const Call& call) {
  return call.served && call.served->stream && call.served->stream->guard() != nullptr;
}

}  // namespace holdfast::api
