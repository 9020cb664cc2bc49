#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/push.h"

namespace holdfast::git {

// What a hook and the server say to each other over process/channel; docs/formats/git_hook.md.
enum class HookFrame : uint8_t { ask = 1, accepted = 2, refused = 3, outcomes = 4 };
inline constexpr size_t hook_frame_bytes_max = 8 << 20;
inline constexpr size_t push_commands_max = 10'000;

enum class HookKind : uint8_t { pre_receive, proc_receive };

// Payload of `ask`. Lines; references hold no newline by git's own rules.
struct HookAsk {
  HookKind kind = HookKind::pre_receive;
  Atomic atomic = Atomic::no;
  std::string key{};
  std::string quarantine{};  // Empty when the push brings no objects.
  std::vector<RefCommand> commands{};
};
std::string format_hook_ask(const HookAsk& ask);
Result<HookAsk> parse_hook_ask(std::string_view text);

// Payload of `outcomes`: "ok REF" or "ng REF REASON" a line.
struct HookOutcome {
  std::string ref;
  std::string refusal{};  // Empty: done.
};
std::string format_hook_outcomes(const std::vector<HookOutcome>& outcomes);
Result<std::vector<HookOutcome>> parse_hook_outcomes(std::string_view text);

// "OLD NEW REF" as git writes it to pre-receive and proc-receive. corrupt otherwise.
Result<RefCommand> parse_ref_command(std::string_view line);
// One line of printable text, at most 1000 bytes: for a reason that git shows in its report.
std::string one_line(std::string_view text);

}  // namespace holdfast::git
