#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/arguments.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/instance.h"
#include "repo/hub.h"

namespace holdfast::cli {

// What commands on a whole instance share: it is opened beside whatever else works on it, and its warnings go
// to standard error.
struct OpenedInstance {
  std::unique_ptr<LogSink> sink;
  std::unique_ptr<Log> log;
  std::unique_ptr<Instance> instance;
};
Result<OpenedInstance> open_instance(World& world, const Arguments& arguments,
                                     WhenMissing when_missing = WhenMissing::refuse);
std::unique_ptr<repo::Hub> open_hub(OpenedInstance& opened, World& world);

Output output_of(const Arguments& arguments);

// A row of the table of commands whose work answers with an exit code.
using InstanceWork = Result<int> (*)(World&, const Arguments&);
Command instance_command(std::string words, std::string arguments, std::string summary, std::string example,
                         std::vector<FlagRow> flags, size_t positionals, InstanceWork work);

}  // namespace holdfast::cli
