#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "govern/access.h"
#include "govern/decisions.h"
#include "govern/sealed.h"

namespace holdfast::repo {
struct Hub;
}

namespace holdfast::govern {

// An outside engine that answers for one revision of an endpoint's model.
struct Attachment {
  std::string revision{}, engine{}, url{};  // "openai" or "tei"; without a last slash.
  // An instance administrator attached it: it may stand on an address of the inside. Others reach public ones
  // only.
  bool anywhere = false;
};

// A base address of its own for a record's live releases, or for one revision of a model.
struct Endpoint {
  std::string id{};                           // "ns/name"
  std::string record{}, model{}, revision{};  // Either a record, or a model at a commit.
  int64_t repository = 0;
  std::string creator{};
  WallTime created{};
  std::vector<Attachment> attachments{};
};

struct NewEndpoint {
  std::string ns{}, name{};
  std::string record{}, model{}, revision{};
  std::string url{}, engine{};  // Of an outside engine; empty: served here.
  Secret token{};               // For it.
};

// Endpoints: made, attached, listed, deleted. Which release answers there is the gate's decision. Safe from
// any thread.
class Endpoints {
 public:
  struct Parts {
    sql::Database& database;
    const RegistryAccess& access;
    const Decisions& decisions;
    DataKeys& keys;
    repo::Hub& hub;
    const identity::Permission& permission;
  };
  explicit Endpoints(const Parts& parts) : parts_(parts) {}

  // An engine for another revision of an endpoint that exists is added to it; already_exists otherwise.
  Result<Endpoint> create(const identity::Caller& caller, const NewEndpoint& wish);
  Result<Endpoint> find(const identity::Caller& caller,
                        const std::string& id) const;  // not_found, hidden alike
  Result<std::vector<Endpoint>> list(const identity::Caller& caller) const;
  Status remove(const identity::Caller& caller, const std::string& id);
  Result<Secret> token_of(const std::string& endpoint, const std::string& revision) const;

 private:
  Result<bool> may_see(const identity::Caller& caller, const Endpoint& endpoint) const;
  Result<Endpoint> place(const identity::Caller& caller, const NewEndpoint& wish) const;

  Parts parts_;
};

}  // namespace holdfast::govern
