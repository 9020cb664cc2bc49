#include "cli/instance_command.h"

#include <unistd.h>

namespace holdfast::cli {

Result<OpenedInstance> open_instance(World& world, const Arguments& arguments, WhenMissing when_missing) {
  OpenedInstance opened;
  opened.sink = make_fd_log_sink(STDERR_FILENO);
  opened.log = std::make_unique<Log>(*opened.sink, world.clock(), LogLevel::warn);
  InstanceOptions options;
  options.data = arguments.value_or("--data", world.environment("HOLDFAST_DATA").value_or("data"));
  options.database = arguments.value_or("--database", world.environment("HOLDFAST_DATABASE").value_or(""));
  TRY(opened.instance, Instance::open(options, when_missing, world.clock(), world.random(), *opened.log));
  return opened;
}

Output output_of(const Arguments& arguments) {
  return arguments.has("--json") ? Output::json : Output::people;
}

std::unique_ptr<repo::Hub> open_hub(OpenedInstance& opened, World& world) {
  Instance& instance = *opened.instance;
  repo::HubParts parts{instance.database(), instance.disk(), instance.content(), instance.permission(),
                       instance.audit(),    world.clock(),   world.random(),     *opened.log};
  return std::make_unique<repo::Hub>(parts);
}

Command instance_command(std::string words, std::string arguments, std::string summary, std::string example,
                         std::vector<FlagRow> flags, size_t positionals, InstanceWork work) {
  arguments += "\n\n" + flags_help(flags);
  auto run = [flags, positionals, work](World& world, std::span<const std::string_view> given) {
    const auto parsed = Arguments::parse({flags, positionals, positionals}, given);
    if (!parsed.ok()) return report(world, parsed.error());
    const auto outcome = work(world, parsed.value());
    return outcome.ok() ? outcome.value() : report(world, outcome.error(), output_of(parsed.value()));
  };
  return {std::move(words), std::move(arguments), std::move(summary), std::move(example), run};
}

}  // namespace holdfast::cli
