#include "serve/worker_process.h"

#include <fmt/format.h>

#include <optional>

#include "process/channel.h"
#include "process/spawn.h"

namespace holdfast::serve {
namespace {

constexpr int channel_number = 3;  // Of the worker's end, in the worker.
constexpr std::chrono::milliseconds stop_grace{2'000};

Error failed(std::string_view what) {
  return fail(Reason::worker_failed, fmt::format("the model's worker {}; try again", what));
}

class ProcessWorker final : public Worker {
 public:
  ProcessWorker(process::Child child, process::Channel channel, const Clock& clock,
                std::chrono::milliseconds heartbeat)
      : child_(std::move(child)),
        channel_(std::move(channel)),
        clock_(clock),
        silence_max_(heartbeat + heartbeat / 4),
        heard_(clock.now()) {}
  ~ProcessWorker() override {
    channel_.close();
    child_.stop(clock_, missed_ >= misses_most ? std::chrono::milliseconds{} : stop_grace);
  }

  const WorkerFacts& facts() const override { return facts_; }

  bool alive() override {
    const auto now = clock_.now();
    // Its end of the channel says so too, and at once: this is for one that somebody else holds open.
    if (now >= asked_for_) {
      const auto exit = child_.poll();
      if (!exit.ok() || exit.value()) return false;
      asked_for_ = now + ask_again;
    }
    while (true) {
      const auto readable = channel_.readable(clock_, now);
      if (!readable.ok()) return false;
      if (!readable.value()) return !is_silent();
      const auto frame = receive(now + silence_max_);
      if (!frame.ok()) return false;
      if (frame.value() && !is_beat(*frame.value()) && !keep_event(*frame.value()).ok()) return false;
    }
  }

  Status wait_ready(std::chrono::milliseconds deadline) {
    const auto frame = next(deadline);
    if (!frame.ok()) return failed("did not load the model");
    if (frame.value().kind == static_cast<uint8_t>(FrameKind::failed)) {
      auto told = decode_error(frame.value().payload);
      if (!told.ok()) return failed("answered nonsense");
      return std::move(told).value().error;
    }
    auto facts = decode_facts(frame.value().payload);
    if (!facts.ok()) return failed("answered nonsense");
    facts_ = facts.value();
    return Done{};
  }

  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items,
                                               std::chrono::milliseconds deadline) override {
    TRY_DONE(send(FrameKind::ask, encode_ask(items), deadline));
    TRY(auto frame, next(deadline));
    while (frame.kind == static_cast<uint8_t>(FrameKind::piece)) {
      TRY_DONE(keep_event(frame));
      TRY(frame, next(deadline));
    }
    auto answers = decode_answers(frame.payload);
    if (!answers.ok() || answers.value().size() != items.size()) return failed("answered nonsense");
    return answers;
  }

  Status generate(const GenerateAsk& ask, std::chrono::milliseconds deadline) override {
    return send(FrameKind::generate, encode_generate(ask), deadline);
  }
  Status cancel(uint64_t id, std::chrono::milliseconds deadline) override {
    return send(FrameKind::cancel, encode_cancel(id), deadline);
  }

  Result<std::vector<GenerateEvent>> events(std::chrono::milliseconds patience,
                                            std::chrono::milliseconds deadline) override {
    while (true) {
      auto readable = channel_.readable(clock_, events_.empty() ? patience : clock_.now());
      if (!readable.ok()) return failed("is gone");
      if (!readable.value()) {
        if (is_silent()) return failed("was silent for two heartbeats");
        return std::exchange(events_, {});
      }
      TRY(const auto frame, receive(deadline));
      if (frame && !is_beat(*frame)) TRY_DONE(keep_event(*frame));
    }
  }

 private:
  static bool is_beat(const process::Frame& frame) {
    return frame.kind == static_cast<uint8_t>(FrameKind::beat);
  }

  Status send(FrameKind kind, const Bytes& payload, std::chrono::milliseconds deadline) {
    const Status sent = channel_.send(static_cast<uint8_t>(kind), payload, clock_, deadline);
    return sent.ok() ? sent : Status(failed("is gone"));
  }

  Status keep_event(const process::Frame& frame) {
    if (frame.kind != static_cast<uint8_t>(FrameKind::piece)) return failed("answered nonsense");
    auto event = decode_piece(frame.payload);
    if (!event.ok()) return failed("answered nonsense");
    events_.push_back(std::move(event).value());
    return Done{};
  }

  // Each heartbeat that is missed is waited for anew: where the whole machine stood still, nobody is silent.
  bool is_silent() {
    if (silence_max_.count() == 0 || clock_.now() - heard_ < silence_max_) return false;
    heard_ = clock_.now();
    return ++missed_ >= misses_most;
  }

  // A frame of any kind; nullopt: none came within a heartbeat, which is no failure yet.
  Result<std::optional<process::Frame>> receive(std::chrono::milliseconds deadline) {
    const auto patience = silence_max_.count() == 0 ? deadline : heard_ + silence_max_;
    auto frame = channel_.receive(clock_, std::min(deadline, patience));
    if (!frame.ok()) {
      if (frame.error().reason != Reason::timed_out || clock_.now() >= deadline)
        return failed("did not answer in time");
      if (is_silent()) return failed("was silent for two heartbeats");
      return std::optional<process::Frame>();
    }
    if (!frame.value()) return failed("ended while it worked");
    heard_ = clock_.now();
    missed_ = 0;
    return frame;
  }

  // The next frame that is not a heartbeat.
  Result<process::Frame> next(std::chrono::milliseconds deadline) {
    while (true) {
      TRY(auto frame, receive(deadline));
      if (frame && !is_beat(*frame)) return std::move(*frame);
    }
  }

  static constexpr int misses_most = 2;
  static constexpr std::chrono::milliseconds ask_again{50};

  process::Child child_;
  process::Channel channel_;
  const Clock& clock_;
  const std::chrono::milliseconds silence_max_;  // 0: none expected.
  std::chrono::milliseconds heard_;              // When something came, or the last heartbeat was missed.
  int missed_ = 0;                               // Heartbeats, since something came.
  std::chrono::milliseconds asked_for_{};        // When the process is looked for next.
  WorkerFacts facts_;
  std::vector<GenerateEvent> events_;  // That came before an answer, or while nobody listened.
};

class ProcessStarter final : public WorkerStarter {
 public:
  ProcessStarter(WorkerOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Result<std::unique_ptr<Worker>> start(const WorkerFolder& folder,
                                        std::chrono::milliseconds deadline) override {
    TRY(auto ends, process::Channel::make_pair());
    process::SpawnOptions spawn{.program = options_.program};
    spawn.arguments = {"worker",
                       "--channel",
                       std::to_string(channel_number),
                       "--threads",
                       std::to_string(options_.threads),
                       "--heartbeat",
                       std::to_string(options_.heartbeat.count())};
    if (folder.takes_adapters) spawn.arguments.emplace_back("--adapters");
    spawn.arguments.push_back(folder.path.string());
    spawn.errors = process::Stream::ours;
    spawn.passed = {{ends.second.raw(), channel_number}};
    TRY(process::Child child, process::Child::spawn(spawn));
    ends.second.close();  // Else its end would stay open when the worker dies.
    auto worker = std::make_unique<ProcessWorker>(std::move(child), process::Channel(std::move(ends.first)),
                                                  clock_, options_.heartbeat);
    TRY_DONE(worker->wait_ready(deadline));
    return std::unique_ptr<Worker>(std::move(worker));
  }

 private:
  WorkerOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<WorkerStarter> make_process_starter(WorkerOptions options, const Clock& clock) {
  return std::make_unique<ProcessStarter>(std::move(options), clock);
}

}  // namespace holdfast::serve
