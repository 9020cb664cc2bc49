#include "cli/command.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"

namespace holdfast::cli {
namespace {

std::vector<std::string_view> split_words(std::string_view words) {
  std::vector<std::string_view> parts;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    parts.push_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return parts;
}

bool begins_with(std::span<const std::string_view> arguments, std::span<const std::string_view> words) {
  return arguments.size() >= words.size() && std::equal(words.begin(), words.end(), arguments.begin());
}

void print_overview(std::span<const Command> commands, World& world, std::string_view noun) {
  world.print("usage: holdfast COMMAND [ARGUMENTS]\n\n");
  size_t width = 0;
  for (const Command& command : commands) width = std::max(width, command.words.size());
  for (const Command& command : commands)
    if (noun.empty() || command.words.starts_with(noun))
      world.print(fmt::format("  {:<{}}  {}\n", command.words, width, command.summary));
  world.print("\n`holdfast COMMAND --help` shows a command's arguments and an example.\n");
}

void print_help(const Command& command, World& world) {
  world.print(fmt::format("{}\n\nusage:   holdfast {} {}\nexample: {}\n", command.summary, command.words,
                          command.arguments, command.example));
}

}  // namespace

int dispatch(std::span<const Command> commands, World& world, std::span<const std::string_view> arguments) {
  if (!arguments.empty() && arguments.front() == "help") arguments = arguments.subspan(1);
  if (arguments.empty() || arguments.front() == "--help" || arguments.front() == "-h") {
    print_overview(commands, world, {});
    return exit_done;
  }
  const Command* best = nullptr;
  size_t best_words = 0;
  for (const Command& command : commands) {
    const auto words = split_words(command.words);
    if (words.size() > best_words && begins_with(arguments, words)) {
      best = &command;
      best_words = words.size();
    }
  }
  if (best == nullptr) {
    const std::string noun = std::string(arguments.front()) + " ";
    const bool is_noun = std::any_of(commands.begin(), commands.end(),
                                     [&](const Command& command) { return command.words.starts_with(noun); });
    if (is_noun && (arguments.size() == 1 || arguments[1] == "--help")) {
      print_overview(commands, world, noun);
      return arguments.size() == 1 ? exit_misused : exit_done;
    }
    world.complain(fmt::format("holdfast: there is no command '{}'; `holdfast help` lists them\n",
                               fmt::join(arguments, " ")));
    return exit_misused;
  }
  const auto rest = arguments.subspan(best_words);
  if (std::find(rest.begin(), rest.end(), "--help") != rest.end()) {
    print_help(*best, world);
    return exit_done;
  }
  return best->run(world, rest);
}

int report(World& world, const Error& error, Output output) {
  const ReasonRow& row = reason_row(error.code, error.reason);
  if (output == Output::json) {
    std::string message;
    append_json_escaped(message, error.message);
    world.print(fmt::format("{{\"error\":\"{}\",\"code\":\"{}\",\"retryable\":{}}}\n", message, row.name,
                            row.retryable));
  } else {
    world.complain(fmt::format("holdfast: {}\n", error.message));
  }
  return error.reason == Reason::bad_request ? exit_misused : exit_failed;
}

}  // namespace holdfast::cli
