#include "git/hook_server.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <stop_token>
#include <thread>

#include "git/durable.h"
#include "git/hook_message.h"
#include "process/channel.h"

namespace holdfast::git {

namespace {

constexpr size_t waiting_max = 256;
constexpr std::chrono::milliseconds hook_timeout{60'000};  // For a hook to say what it wants.

// What is known of one running push. Its hooks run one after the other, so no two threads use it at once.
struct PushState {
  io::Path repository;
  std::shared_ptr<Pusher> pusher;  // Shared with the request that runs git.
  std::set<std::string> approved;  // Commands that pre-receive was accepted for.
};

// The running pushes by their keys. Safe from any thread.
class PushTable {
 public:
  void add(const std::string& key, std::shared_ptr<PushState> state) {
    std::lock_guard lock(mutex_);
    states_[key] = std::move(state);
  }
  void remove(const std::string& key) {
    std::lock_guard lock(mutex_);
    states_.erase(key);
  }
  std::shared_ptr<PushState> find(const std::string& key) const {
    std::lock_guard lock(mutex_);
    const auto found = states_.find(key);
    return found == states_.end() ? nullptr : found->second;
  }

 private:
  mutable std::mutex mutex_;  // Guards states_.
  std::map<std::string, std::shared_ptr<PushState>> states_;
};

class TableEntry final : public RunningPush {
 public:
  TableEntry(std::shared_ptr<PushTable> table, std::string key)
      : table_(std::move(table)), key_(std::move(key)) {}
  ~TableEntry() override { table_->remove(key_); }
  const std::string& key() const override { return key_; }

 private:
  std::shared_ptr<PushTable> table_;  // Shared with the server and its other pushes.
  std::string key_;
};

std::string command_text(const RefCommand& command) {
  return command.before.hex() + command.after.hex() + command.ref;
}

// The folder git quarantines into: objects/tmp_objdir-incoming-XXXXXX of this repository and nothing else.
Status check_quarantine(const io::Path& repository, const io::Path& quarantine) {
  std::error_code error;
  const io::Path parent = std::filesystem::weakly_canonical(quarantine.parent_path(), error);
  const io::Path objects = std::filesystem::weakly_canonical(repository / "objects", error);
  if (error || parent != objects || !quarantine.filename().string().starts_with("tmp_objdir-"))
    return fail(Code::denied, "the push names a quarantine that is not its own");
  return Done{};
}

class SocketHookServer final : public HookServer {
 public:
  SocketHookServer(HookServerOptions options, process::Listener listener, PushGate& gate,
                   RefAuthority& authority, const Clock& clock, Random& random, Log& log)
      : options_(std::move(options)),
        listener_(std::move(listener)),
        gate_(gate),
        authority_(authority),
        clock_(clock),
        random_(random),
        log_(log) {
    threads_.emplace_back([this](std::stop_token stop) { accept(stop); });
    for (int i = 0; i < options_.threads; ++i)
      threads_.emplace_back([this](std::stop_token stop) { answer_all(stop); });
  }
  ~SocketHookServer() override {
    for (std::jthread& thread : threads_) thread.request_stop();
  }

  const io::Path& socket() const override { return options_.socket; }

  std::unique_ptr<RunningPush> expect(io::Path repository, std::shared_ptr<Pusher> pusher) override {
    std::string key = random_.hex(16);
    table_->add(key, std::make_shared<PushState>(PushState{std::move(repository), std::move(pusher), {}}));
    return std::make_unique<TableEntry>(table_, std::move(key));
  }

 private:
  void accept(std::stop_token stop) {
    while (!stop.stop_requested()) {
      auto peer = listener_.accept(clock_, clock_.now() + std::chrono::milliseconds(100));
      if (!peer.ok()) {
        log_.failure("git_hook_accept_failed", peer.error());
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        continue;
      }
      if (!peer.value()) continue;
      std::lock_guard lock(mutex_);
      if (waiting_.size() == waiting_max)
        continue;  // Closed: the hook reports that the server ended the push.
      waiting_.push_back(std::move(*peer.value()));
      ready_.notify_one();
    }
  }

  void answer_all(std::stop_token stop) {
    while (true) {
      process::Descriptor peer;
      {
        std::unique_lock lock(mutex_);
        if (!ready_.wait(lock, stop, [this] { return !waiting_.empty(); })) return;
        peer = std::move(waiting_.front());
        waiting_.pop_front();
      }
      process::Channel channel(std::move(peer), hook_frame_bytes_max);
      const Status done = answer(channel);
      if (!done.ok()) log_.failure("git_hook_failed", done.error());
    }
  }

  Status answer(process::Channel& channel) {
    TRY(const auto frame, channel.receive(clock_, clock_.now() + hook_timeout));
    if (!frame || frame->kind != static_cast<uint8_t>(HookFrame::ask))
      return fail(Code::corrupt, "a hook asked nothing");
    TRY(const HookAsk ask, parse_hook_ask(as_text(frame->payload)));
    const std::shared_ptr<PushState> state = table_->find(ask.key);
    if (!state) return refuse(channel, fail(Code::denied, "this push is not known to the server"));
    if (ask.kind == HookKind::pre_receive) {
      const Status decided = pre_receive(*state, ask);
      if (!decided.ok()) return refuse(channel, decided.error());
      return send(channel, HookFrame::accepted, "");
    }
    const auto outcomes = proc_receive(*state, ask);
    if (!outcomes.ok()) return refuse(channel, outcomes.error());
    return send(channel, HookFrame::outcomes, format_hook_outcomes(outcomes.value()));
  }

  Status pre_receive(PushState& state, const HookAsk& ask) {
    if (!ask.quarantine.empty()) TRY_DONE(check_quarantine(state.repository, ask.quarantine));
    TRY(const Repository repository, ask.quarantine.empty()
                                         ? Repository::open(state.repository)
                                         : Repository::open_with(state.repository, ask.quarantine));
    TRY(const NewObjects objects, check_push(repository, ask.quarantine, ask.commands, options_.rules));
    TRY_DONE(gate_.check({*state.pusher, repository, ask.commands}, objects));
    for (const RefCommand& command : ask.commands) state.approved.insert(command_text(command));
    return Done{};
  }

  Result<std::vector<HookOutcome>> proc_receive(PushState& state, const HookAsk& ask) {
    for (const RefCommand& command : ask.commands)
      if (!state.approved.contains(command_text(command)))
        return fail(Code::denied, "a reference was not checked before it was to move");
    TRY_DONE(sync_moved_objects(state.repository));
    TRY(const Repository repository, Repository::open(state.repository));
    TRY(const std::vector<RefOutcome> decided,
        authority_.apply({*state.pusher, repository, ask.commands}, ask.atomic));
    std::vector<HookOutcome> outcomes;
    for (const RefOutcome& one : decided)
      outcomes.push_back({one.ref, one.status.ok() ? "" : one_line(one.status.error().message)});
    return outcomes;
  }

  Status send(process::Channel& channel, HookFrame kind, const std::string& text) {
    return channel.send(static_cast<uint8_t>(kind), as_bytes(text), clock_, clock_.now() + hook_timeout);
  }

  Status refuse(process::Channel& channel, const Error& error) {
    const bool ours = error.code == Code::internal || error.code == Code::corrupt;
    if (ours) log_.failure("git_push_failed", error);
    return send(channel, HookFrame::refused, ours ? "The server failed to check the push." : error.message);
  }

  const HookServerOptions options_;
  process::Listener listener_;
  PushGate& gate_;
  RefAuthority& authority_;
  const Clock& clock_;
  Random& random_;
  Log& log_;
  std::shared_ptr<PushTable> table_ = std::make_shared<PushTable>();  // Shared with the running pushes.
  std::mutex mutex_;                                                  // Guards waiting_.
  std::condition_variable_any ready_;
  std::deque<process::Descriptor> waiting_;
  std::vector<std::jthread> threads_;  // Last: they use all of the above.
};

}  // namespace

Result<std::unique_ptr<HookServer>> start_hook_server(HookServerOptions options, PushGate& gate,
                                                      RefAuthority& authority, const Clock& clock,
                                                      Random& random, Log& log) {
  TRY(process::Listener listener, process::Listener::open(options.socket.string()));
  return std::unique_ptr<HookServer>(std::make_unique<SocketHookServer>(
      std::move(options), std::move(listener), gate, authority, clock, random, log));
}

}  // namespace holdfast::git
