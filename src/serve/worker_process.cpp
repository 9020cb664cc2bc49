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
  ProcessWorker(process::Child child, process::Channel channel, const Clock& clock)
      : child_(std::move(child)), channel_(std::move(channel)), clock_(clock) {}
  ~ProcessWorker() override {
    channel_.close();
    child_.stop(clock_, stop_grace);
  }

  const WorkerFacts& facts() const override { return facts_; }

  bool alive() override {
    const auto exit = child_.poll();
    return exit.ok() && !exit.value();
  }

  Status wait_ready(std::chrono::milliseconds deadline) {
    auto frame = channel_.receive(clock_, deadline);
    if (!frame.ok()) return failed("did not load the model in time");
    if (!frame.value()) return failed("ended while it loaded the model");
    if (frame.value()->kind == static_cast<uint8_t>(FrameKind::failed)) {
      auto told = decode_error(frame.value()->payload);
      if (!told.ok()) return failed("answered nonsense");
      return std::move(told).value().error;
    }
    auto facts = decode_facts(frame.value()->payload);
    if (!facts.ok()) return failed("answered nonsense");
    facts_ = facts.value();
    return Done{};
  }

  Result<std::vector<Result<EmbedAnswer>>> ask(std::span<const EmbedItem> items,
                                               std::chrono::milliseconds deadline) override {
    const Status sent =
        channel_.send(static_cast<uint8_t>(FrameKind::ask), encode_ask(items), clock_, deadline);
    if (!sent.ok()) return failed("is gone");
    auto frame = next(deadline);
    while (frame.ok() && frame.value().kind == static_cast<uint8_t>(FrameKind::piece)) {
      auto event = decode_piece(frame.value().payload);
      if (!event.ok()) return failed("answered nonsense");
      events_.push_back(std::move(event).value());
      frame = next(deadline);
    }
    if (!frame.ok()) return std::move(frame).error();
    auto answers = decode_answers(frame.value().payload);
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
    std::vector<GenerateEvent> out = std::exchange(events_, {});
    while (true) {
      auto readable = channel_.readable(clock_, out.empty() ? patience : clock_.now());
      if (!readable.ok()) return failed("is gone");
      if (!readable.value()) return out;
      auto frame = next(deadline);
      if (!frame.ok()) return std::move(frame).error();
      if (frame.value().kind != static_cast<uint8_t>(FrameKind::piece)) return failed("answered nonsense");
      auto event = decode_piece(frame.value().payload);
      if (!event.ok()) return failed("answered nonsense");
      out.push_back(std::move(event).value());
    }
  }

 private:
  Status send(FrameKind kind, const Bytes& payload, std::chrono::milliseconds deadline) {
    const Status sent = channel_.send(static_cast<uint8_t>(kind), payload, clock_, deadline);
    return sent.ok() ? sent : Status(failed("is gone"));
  }
  Result<process::Frame> next(std::chrono::milliseconds deadline) {
    auto frame = channel_.receive(clock_, deadline);
    if (!frame.ok()) return failed("did not answer in time");
    if (!frame.value()) return failed("ended while it worked");
    return std::move(*frame.value());
  }

  process::Child child_;
  process::Channel channel_;
  const Clock& clock_;
  WorkerFacts facts_;
  std::vector<GenerateEvent> events_;  // That came before an answer.
};

class ProcessStarter final : public WorkerStarter {
 public:
  ProcessStarter(WorkerOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {}

  Result<std::unique_ptr<Worker>> start(const io::Path& folder, std::chrono::milliseconds deadline) override {
    TRY(auto ends, process::Channel::make_pair());
    process::SpawnOptions spawn{.program = options_.program};
    spawn.arguments = {"worker",
                       "--channel",
                       std::to_string(channel_number),
                       "--threads",
                       std::to_string(options_.threads),
                       folder.string()};
    spawn.errors = process::Stream::ours;
    spawn.passed = {{ends.second.raw(), channel_number}};
    TRY(process::Child child, process::Child::spawn(spawn));
    ends.second.close();  // Else its end would stay open when the worker dies.
    auto worker =
        std::make_unique<ProcessWorker>(std::move(child), process::Channel(std::move(ends.first)), clock_);
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
