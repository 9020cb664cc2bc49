#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "git/push.h"
#include "git/push_check.h"
#include "io/disk.h"

namespace holdfast::git {

// A push that is running; its key stops working when this is destroyed.
class RunningPush {
 public:
  virtual ~RunningPush() = default;
  virtual const std::string& key() const = 0;
};

// Answers the hooks that git runs during a push (`holdfast git-hook …`, git/git_hook.h) on a unix socket only
// this user can open. A hook proves by the key in its environment which running push it belongs to. Owns its
// threads: one that accepts, and those that answer. Safe from any thread.
class HookServer {
 public:
  virtual ~HookServer() = default;
  virtual const io::Path& socket() const = 0;
  virtual std::unique_ptr<RunningPush> expect(io::Path repository, std::shared_ptr<Pusher> pusher) = 0;
};

struct HookServerOptions {
  io::Path socket;  // At most 100 bytes: the kernel's limit for socket names.
  PushRules rules{};
  int threads = 8;
};
// Borrows all but the options for its life.
Result<std::unique_ptr<HookServer>> start_hook_server(HookServerOptions options, PushGate& gate,
                                                      RefAuthority& authority, const Clock& clock,
                                                      Random& random, Log& log);

}  // namespace holdfast::git
