#include "cli/version.h"

#include <fmt/format.h>

namespace holdfast::cli {

std::string_view program_version() { return "0.1.0"; }

std::vector<Command> version_commands() {
  auto run = [](World& world, std::span<const std::string_view> arguments) {
    const bool json = !arguments.empty() && arguments.front() == "--json";
    world.print(json ? fmt::format("{{\"version\":\"{}\"}}\n", program_version())
                     : fmt::format("holdfast {}\n", program_version()));
    return exit_done;
  };
  return {{"version", "[--json]", "Prints the program's version.", "holdfast version --json", run}};
}

}  // namespace holdfast::cli
