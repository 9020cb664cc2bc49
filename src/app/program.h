#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "app/serve_options.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/first_admin.h"

namespace holdfast::app {

// The whole server: every service opened in order, connected, and closed in reverse. Used by one thread; what
// it owns says for itself.
class Program {
 public:
  virtual ~Program() = default;  // Stops.
  virtual std::string url() const = 0;
  // Set on the very first start only: the one moment at which the administrator's token can be shown.
  virtual const std::optional<identity::FirstAdmin>& first_admin() const = 0;
  // Graceful: running answers are finished, then everything is closed.
  virtual void stop() = 0;
};

// `program_path` is this executable: git's hooks and the workers are started from it. conflict when another
// process serves the data folder.
Result<std::unique_ptr<Program>> start_program(const ServeOptions& options, const std::string& program_path,
                                               const Clock& clock, Random& random, Log& log);

// The command `serve`.
std::vector<cli::Command> serve_commands();

}  // namespace holdfast::app
