// The command `serve`: starts the program, says where it listens, and waits for the signal to stop.
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "app/heap.h"
#include "app/program.h"

namespace holdfast::app {
namespace {

void tell(cli::World& world, const ServeOptions& options, const Program& program) {
  const auto& admin = program.first_admin();
  if (options.output == cli::Output::json) {
    if (admin)
      world.print(fmt::format("{{\"event\":\"first_admin\",\"name\":\"{}\",\"token\":\"{}\"}}\n", admin->name,
                              admin->token.reveal()));
    world.print(fmt::format("{{\"event\":\"listening\",\"url\":\"{}\"}}\n", program.url()));
    return;
  }
  if (admin)
    world.print(fmt::format(
        "First start. The administrator is \"{}\"; this token is shown now and never again:\n\n  {}\n\n",
        admin->name, admin->token.reveal()));
  world.print(fmt::format("Holdfast listens on {}\n  export HF_ENDPOINT={}\n", program.url(), program.url()));
}

int serve(cli::World& world, std::span<const std::string_view> words) {
  auto options = read_serve_options(words, world);
  if (!options.ok()) return cli::report(world, options.error());

  limit_heap_arenas();
  // Blocked before any thread starts, so that only the wait below gets them.
  sigset_t stopping;
  sigemptyset(&stopping);
  sigaddset(&stopping, SIGTERM);
  sigaddset(&stopping, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stopping, nullptr);

  const auto sink = make_fd_log_sink(STDERR_FILENO);
  Log log(*sink, world.clock(), options.value().log_level);
  std::error_code unknown;
  const std::string program_path = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  auto program = start_program(options.value(), program_path, world.clock(), world.random(), log);
  if (!program.ok()) {
    log.failure("start_failed", program.error());
    return cli::report(world, program.error(), options.value().output);
  }
  tell(world, options.value(), *program.value());
  int signal = 0;
  sigwait(&stopping, &signal);
  log.info("stopping", {{"signal", signal}});
  program.value()->stop();
  log.info("stopped");
  return cli::exit_done;
}

}  // namespace

std::vector<cli::Command> serve_commands() {
  return {{"serve", "[--config FILE] [OPTIONS]\n\n" + options_help(serve_options()), "Runs the server.",
           "holdfast serve --listen 127.0.0.1:8080 --data /srv/holdfast", serve}};
}

}  // namespace holdfast::app
