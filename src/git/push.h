#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/lfs_pointer.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

// One reference a push wants moved. Zero `before`: create. Zero `after`: delete.
struct RefCommand {
  std::string ref;
  ObjectId before, after;
};

// Who pushes, as the door that started the push knows it; git/ passes it through untouched. Kept by
// shared_ptr between the request that runs git and the hook connection that asks for decisions.
class Pusher {
 public:
  virtual ~Pusher() = default;
};

struct Push {
  const Pusher& pusher;
  const Repository& repository;  // In the gate it also sees the quarantined objects.
  const std::vector<RefCommand>& commands;
};

// What the gate is told of the objects a push brings.
struct NewObjects {
  std::vector<std::pair<ObjectId, LfsPointer>> pointers;  // Blobs that are LFS pointers.
};

// Asked while the pushed objects are still in quarantine: a refusal leaves nothing behind. Its message is
// shown to the pusher as "remote: …" lines. The general rules (names of references, main is not deleted, no
// blob over 10 MB) are checked before. Called from the hook server's threads, several pushes at once.
class PushGate {
 public:
  virtual ~PushGate() = default;
  virtual Status check(const Push& push, const NewObjects& objects) = 0;
};

// Per command, in order: done, or why not (one line, shown by git as "! [remote rejected] … (reason)").
struct RefOutcome {
  std::string ref;
  Status status;
};

// Decides a push's references once its objects are durable: one SQL transaction, then the projection to disk.
// Must return one outcome for each command. `atomic` asks for all or none.
enum class Atomic : uint8_t { no, yes };
class RefAuthority {
 public:
  virtual ~RefAuthority() = default;
  virtual Result<std::vector<RefOutcome>> apply(const Push& push, Atomic atomic) = 0;
};

}  // namespace holdfast::git
