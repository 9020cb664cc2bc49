#include "git/git_hook.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>

#include "base/clock.h"
#include "git/hook_message.h"
#include "git/pkt_line.h"
#include "process/channel.h"
#include "process/descriptor.h"

namespace holdfast::git {

namespace {

using Environment = std::function<std::optional<std::string>(const std::string&)>;
using Complain = std::function<void(std::string_view)>;

constexpr std::chrono::minutes patience{30};  // The server ends a push that takes longer.

class Hook {
 public:
  Hook(int input, int output, const Environment& environment)
      : input_(input), output_(output), environment_(environment) {}

  Status pre_receive() {
    HookAsk ask{.kind = HookKind::pre_receive};
    std::string text;
    while (true) {
      TRY(const size_t got, read_more());
      if (got == 0) break;
      text += as_text(ByteView(piece_).first(got));
      if (text.size() > hook_frame_bytes_max)
        return fail(Code::too_large, "the push names too many references");
    }
    for (std::string_view rest = text; !rest.empty();) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      TRY(RefCommand command, parse_ref_command(line));
      ask.commands.push_back(std::move(command));
    }
    TRY(const process::Frame answer, exchange(std::move(ask)));
    if (answer.kind == static_cast<uint8_t>(HookFrame::accepted)) return Done{};
    return refusal(answer);
  }

  // git's side is in githooks(5) and receive-pack's documentation: versions, a flush, commands, a flush; then
  // our report and a flush.
  Status proc_receive() {
    HookAsk ask{.kind = HookKind::proc_receive};
    TRY(const std::vector<std::string> greeting, read_section());
    if (greeting.empty() || !greeting[0].starts_with("version=1"))
      return fail(Code::corrupt, "git speaks another version of proc-receive");
    const size_t features = greeting[0].find('\0');
    if (features != std::string::npos && greeting[0].find("atomic", features) != std::string::npos)
      ask.atomic = Atomic::yes;
    TRY_DONE(write(format_pkt("version=1") + std::string(flush_pkt)));
    TRY(const std::vector<std::string> lines, read_section());
    for (const std::string& line : lines) {
      TRY(RefCommand command, parse_ref_command(line));
      ask.commands.push_back(std::move(command));
    }
    TRY(const process::Frame answer, exchange(std::move(ask)));
    if (answer.kind != static_cast<uint8_t>(HookFrame::outcomes)) return refusal(answer);
    TRY(const std::vector<HookOutcome> outcomes, parse_hook_outcomes(as_text(answer.payload)));
    std::string report;
    for (const HookOutcome& outcome : outcomes)
      report += outcome.refusal.empty() ? format_pkt("ok " + outcome.ref)
                                        : format_pkt("ng " + outcome.ref + " " + outcome.refusal);
    return write(report + std::string(flush_pkt));
  }

 private:
  Result<size_t> read_more() { return process::read_some(input_, piece_, clock_, clock_.now() + patience); }
  Status write(const std::string& text) {
    return process::write_all(output_, as_bytes(text), clock_, clock_.now() + patience);
  }

  // Payloads up to the next flush.
  Result<std::vector<std::string>> read_section() {
    std::vector<std::string> lines;
    while (true) {
      ByteView rest(pending_);
      TRY(const auto pkt, take_pkt(rest));
      if (!pkt) {
        TRY(const size_t got, read_more());
        if (got == 0) return fail(Code::corrupt, "git ended in the middle of its commands");
        pending_.insert(pending_.end(), piece_.begin(), piece_.begin() + static_cast<std::ptrdiff_t>(got));
        continue;
      }
      pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(rest.size()));
      if (pkt->kind != PktKind::data) return lines;
      if (lines.size() == push_commands_max)
        return fail(Code::too_large, "the push names too many references");
      lines.emplace_back(pkt->text());
    }
  }

  Result<process::Frame> exchange(HookAsk ask) {
    const auto socket = environment_("HOLDFAST_HOOK_SOCKET"), key = environment_("HOLDFAST_HOOK_KEY");
    if (!socket || !key) return fail(Code::invalid, "this hook runs only for pushes through the server");
    ask.key = *key;
    ask.quarantine = environment_("GIT_QUARANTINE_PATH").value_or("");
    TRY(process::Channel channel, process::Channel::connect(*socket, hook_frame_bytes_max));
    const auto deadline = clock_.now() + patience;
    TRY_DONE(
        channel.send(static_cast<uint8_t>(HookFrame::ask), as_bytes(format_hook_ask(ask)), clock_, deadline));
    TRY(auto answer, channel.receive(clock_, deadline));
    if (!answer) return fail(Code::unavailable, "the server ended the push");
    return std::move(*answer);
  }

  static Error refusal(const process::Frame& answer) {
    if (answer.kind == static_cast<uint8_t>(HookFrame::refused))
      return fail(Reason::policy_refused, std::string(as_text(answer.payload)));
    return fail(Code::internal, "the server gave an answer the hook does not know");
  }

  int input_, output_;
  const Environment& environment_;
  SystemClock clock_;
  std::array<std::byte, 16 << 10> piece_;
  Bytes pending_;
};

}  // namespace

Status install_hooks(io::Disk& disk, const io::Path& folder, const io::Path& program) {
  TRY_DONE(disk.make_directories(folder));
  std::string quoted;
  for (const char c : disk.absolute(program).string())
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  for (const char* name : {"pre-receive", "proc-receive"}) {
    const io::Path path = folder / name;
    TRY_DONE(io::publish_text(disk, path, "#!/bin/sh\nexec '" + quoted + "' git-hook " + name + "\n"));
    std::error_code error;
    std::filesystem::permissions(disk.absolute(path), std::filesystem::perms::owner_all, error);
    if (error) return fail(Code::internal, "the git hooks could not be made executable");
  }
  return Done{};
}

int run_git_hook(std::string_view name, int input, int output, const Environment& environment,
                 const Complain& complain) {
  Hook hook(input, output, environment);
  Status done = fail(Code::invalid, "there is no such hook");
  if (name == "pre-receive") done = hook.pre_receive();
  if (name == "proc-receive") done = hook.proc_receive();
  if (done.ok()) return 0;
  complain(done.error().message + "\n");
  return 1;
}

}  // namespace holdfast::git
