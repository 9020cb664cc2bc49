#include "git/hook_message.h"

namespace holdfast::git {

namespace {

constexpr size_t field_bytes_max = 4096;

// Takes the next line off; corrupt when none ends.
Result<std::string_view> take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == rest.npos || end > field_bytes_max) return fail(Code::corrupt, "a hook's message is cut");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

}  // namespace

std::string format_hook_ask(const HookAsk& ask) {
  std::string text = ask.kind == HookKind::pre_receive ? "pre-receive" : "proc-receive";
  text += ask.atomic == Atomic::yes ? " atomic\n" : "\n";
  text += ask.key + "\n" + ask.quarantine + "\n";
  for (const RefCommand& command : ask.commands)
    text += command.before.hex() + " " + command.after.hex() + " " + command.ref + "\n";
  return text;
}

Result<HookAsk> parse_hook_ask(std::string_view text) {
  HookAsk ask;
  TRY(std::string_view kind, take_line(text));
  if (kind.ends_with(" atomic")) {
    ask.atomic = Atomic::yes;
    kind.remove_suffix(7);
  }
  if (kind == "proc-receive")
    ask.kind = HookKind::proc_receive;
  else if (kind != "pre-receive")
    return fail(Code::corrupt, "a hook of unknown kind");
  TRY(ask.key, take_line(text));
  TRY(ask.quarantine, take_line(text));
  while (!text.empty()) {
    if (ask.commands.size() == push_commands_max)
      return fail(Code::too_large, "a push moves at most 10000 references");
    TRY(const std::string_view line, take_line(text));
    TRY(RefCommand command, parse_ref_command(line));
    ask.commands.push_back(std::move(command));
  }
  return ask;
}

std::string format_hook_outcomes(const std::vector<HookOutcome>& outcomes) {
  std::string text;
  for (const HookOutcome& outcome : outcomes)
    text += outcome.refusal.empty() ? "ok " + outcome.ref + "\n"
                                    : "ng " + outcome.ref + " " + one_line(outcome.refusal) + "\n";
  return text;
}

Result<std::vector<HookOutcome>> parse_hook_outcomes(std::string_view text) {
  std::vector<HookOutcome> outcomes;
  while (!text.empty()) {
    if (outcomes.size() == push_commands_max) return fail(Code::corrupt, "too many outcomes");
    TRY(const std::string_view line, take_line(text));
    const size_t space = line.find(' ', 3);
    HookOutcome outcome{.ref = std::string(line.size() < 3 ? "" : line.substr(3, space - 3))};
    if (outcome.ref.empty()) return fail(Code::corrupt, "an outcome names no reference");
    if (line.starts_with("ng ") && space != line.npos && space + 1 < line.size())
      outcome.refusal = line.substr(space + 1);
    else if (!line.starts_with("ok ") || space != line.npos)
      return fail(Code::corrupt, "an outcome is neither ok nor ng");
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

Result<RefCommand> parse_ref_command(std::string_view line) {
  if (line.size() < 83 || line.size() > field_bytes_max || line[40] != ' ' || line[81] != ' ')
    return fail(Code::corrupt, "a reference command does not parse");
  RefCommand command;
  TRY(command.before, ObjectId::parse(line.substr(0, 40)));
  TRY(command.after, ObjectId::parse(line.substr(41, 40)));
  command.ref = line.substr(82);
  if (command.ref.find_first_of(" \n") != command.ref.npos || command.ref.find('\0') != command.ref.npos)
    return fail(Code::corrupt, "a reference command does not parse");
  return command;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, 1000)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return line.empty() ? "refused" : line;
}

}  // namespace holdfast::git
