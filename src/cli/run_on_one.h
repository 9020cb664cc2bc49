#pragma once

#include <span>
#include <string_view>

#include "base/arguments.h"
#include "cli/command.h"

namespace holdfast::cli {

// A command with one place or name and, among its flags, --json: reads the words, does `work(world, named,
// output, arguments)`, which gives the exit code, and reports an error in the form that was asked for.
template <class Work>
int run_on_one(World& world, std::span<const std::string_view> words, std::span<const FlagRow> rows,
               Work work) {
  const auto arguments = Arguments::parse({rows, 1, 1}, words);
  if (!arguments.ok()) return report(world, arguments.error());
  const Output output = arguments.value().has("--json") ? Output::json : Output::people;
  const Result<int> done = work(world, arguments.value().positionals()[0], output, arguments.value());
  return done.ok() ? done.value() : report(world, done.error(), output);
}

}  // namespace holdfast::cli
