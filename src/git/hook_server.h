#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "git/push.h"
#include "io/disk.h"

namespace holdfast::git {

// Answers the hooks that git runs during a push (`holdfast git-hook …`, git/git_hook.h) on a unix socket only
// this user can open. A hook proves by a one-time key in its environment which running push it belongs to.
// Owns its threads: one that accepts, one a running hook (bounded by the pushes). Borrows all it is given.
class HookServer {
 public:
  virtual ~HookServer() = default;

  // A push that is running; its key stops working when this is destroyed.
  class Running {
   public:
    virtual ~Running() = default;
    virtual const std::string& key() const = 0;
  };
  virtual std::unique_ptr<Running> expect(io::Path repository, std::shared_ptr<Pusher> pusher) = 0;
};

struct HookServerOptions {
  io::Path socket;                       // At most 100 bytes: the kernel's limit for socket names.
  uint64_t blob_bytes_max = 10'000'000;  // Larger files must be LFS pointers.
};
Result<std::unique_ptr<HookServer>> start_hook_server(HookServerOptions options, PushGate& gate,
                                                      RefAuthority& authority, const Clock& clock,
                                                      Random& random, Log& log);

}  // namespace holdfast::git
