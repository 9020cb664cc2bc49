#pragma once

#include <mutex>
#include <vector>

#include "base/log.h"
#include "git/push.h"
#include "identity/caller.h"
#include "repo/publisher.h"
#include "repo/repository.h"

namespace holdfast::content {
class Store;
}

namespace holdfast::repo {

class Checks;
class Discussions;
class Rights;
class Uploads;

// Who pushes where: what the git door hands to receive_pack. Also carries from the gate to the decision about
// refs which files the push brings, those of older commits in it included. Safe from any thread.
class HubPusher final : public git::Pusher {
 public:
  HubPusher(identity::Caller who, Repository where) : caller(std::move(who)), repository(std::move(where)) {}
  const identity::Caller caller;
  const Repository repository;

  void bring(std::vector<HeldFile> files) const;
  std::vector<HeldFile> brought() const;

 private:
  mutable std::mutex mutex_;  // Guards files_.
  mutable std::vector<HeldFile> files_;
};

// What a push by git must satisfy, and how its refs are decided: the same checks and the same transaction as
// a commit over HTTP. Every Push handed to it must carry a HubPusher. Safe from any thread.
class PushRules final : public git::PushGate, public git::RefAuthority {
 public:
  PushRules(Storage& storage, Publisher& publisher, Uploads& uploads, Rights& rights, content::Store& content,
            Discussions& discussions, Checks& checks)
      : storage_(storage),
        publisher_(publisher),
        uploads_(uploads),
        rights_(rights),
        content_(content),
        discussions_(discussions),
        checks_(checks) {}

  Status check(const git::Push& push, const git::NewObjects& objects) override;
  Result<std::vector<git::RefOutcome>> apply(const git::Push& push, git::Atomic atomic) override;

 private:
  Status check_command(const HubPusher& pusher, const git::RefCommand& command);
  Status check_files(const git::Push& push, const HubPusher& pusher);
  Result<std::vector<HeldFile>> held_files(const git::Push& push, const HubPusher& pusher);

  Storage& storage_;
  Publisher& publisher_;
  Uploads& uploads_;
  Rights& rights_;
  content::Store& content_;
  Discussions& discussions_;
  Checks& checks_;
};

}  // namespace holdfast::repo
