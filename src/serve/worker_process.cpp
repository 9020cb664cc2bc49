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
    auto frame = channel_.receive(clock_, deadline);
    if (!frame.ok()) return failed("did not answer in time");
    if (!frame.value()) return failed("ended while it worked");
    auto answers = decode_answers(frame.value()->payload);
    if (!answers.ok() || answers.value().size() != items.size()) return failed("answered nonsense");
    return answers;
  }

 private:
  process::Child child_;
  process::Channel channel_;
  const Clock& clock_;
  WorkerFacts facts_;
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
