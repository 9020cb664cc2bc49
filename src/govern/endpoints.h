#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
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

// Servers that are known to be asked as their own clients ask them.
inline constexpr std::string_view engine_kinds[] = {"openai", "tei", "tgi", "vllm", "llama.cpp", "triton"};

// An outside engine that answers for one revision of an endpoint's model.
struct Attachment {
  std::string revision{}, engine{}, url{};  // The kind of server, engine_kinds; without a last slash.
  std::string secret{};  // Of the secrets store, sent as its token; empty: its own token, or none.
  // An instance administrator attached it: it may stand on an address of the inside. Others reach public ones
  // only.
  bool anywhere = false;
  std::string engine_model{};  // What the engine calls the model; empty: as its repository is called.
};

// pending, initializing and updating become running, failed or update_failed by the keeper; paused waits for
// resume, scaled_to_zero for the next request.
enum class EndpointState : uint8_t {
  pending,
  initializing,
  updating,
  running,
  paused,
  scaled_to_zero,
  failed,
  update_failed
};
std::string_view state_name(EndpointState state);  // "scaledToZero", as the Hub's clients spell them.

// How an endpoint is kept.
struct EndpointSettings {
  int64_t replicas_min = 0, replicas_max = 1;
  int64_t idle_minutes = 0;  // Without a request, after which it is scaled to zero; 0: never.
  int64_t queue_delay_ms =
      -1;              // That a request may wait for its turn; 0: as long as it takes; -1: the server's.
  std::string spec{};  // JSON: what its maker said of it and gets back.
  friend bool operator==(const EndpointSettings&, const EndpointSettings&) = default;
};

// A base address of its own for a record's live releases, or for one revision of a model.
struct Endpoint {
  std::string id{};                           // "ns/name"
  std::string record{}, model{}, revision{};  // Either a record, or a model at a commit.
  int64_t repository = 0;
  std::string creator{};
  WallTime created{};
  std::vector<Attachment> attachments{};
  EndpointState state = EndpointState::running;
  std::string why{};                           // It failed.
  std::optional<EndpointSettings> settings{};  // None: it is not managed, and loaded when it is asked.
  WallTime updated{};
};

struct NewEndpoint {
  std::string ns{}, name{};
  std::string record{}, model{}, revision{};
  std::string url{}, engine{};                 // Of an outside engine; empty: served here.
  std::string engine_model{};                  // As it calls the model.
  Secret token{};                              // For it; or the name of one in the secrets store,
  std::string secret{};                        // which an instance administrator may give.
  std::optional<EndpointSettings> settings{};  // Managed: loaded at once.
};

// What is left out stays.
struct EndpointChange {
  std::optional<std::string> model{}, revision{};
  std::optional<EndpointSettings> settings{};
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
  // Of every endpoint, sorted, from memory: who may see it `find` says.
  std::shared_ptr<const std::vector<std::string>> names() const;
  // The endpoint that the caller means by "ns/name", or by "name": one of his own namespace, or the only one
  // of that name that he may see. Empty: none.
  std::string named(const identity::Caller& caller, std::string_view said) const;
  Status remove(const identity::Caller& caller, const std::string& id);
  // What the endpoint would be: its model and its revision's commit. Nothing is changed.
  Result<Endpoint> foresee(const identity::Caller& caller, const std::string& id,
                           const EndpointChange& change) const;
  // Another model or revision is loaded as a new one is. conflict where an outside engine or a record
  // decides.
  Result<Endpoint> update(const identity::Caller& caller, const std::string& id,
                          const EndpointChange& change);
  Result<Endpoint> pause(const identity::Caller& caller, const std::string& id);
  // bad_request, "already running", for one that is neither paused nor failed nor scaled to zero.
  Result<Endpoint> resume(const identity::Caller& caller, const std::string& id);
  // bad_request for one that is paused or failed.
  Result<Endpoint> scale_to_zero(const identity::Caller& caller, const std::string& id);

  // The keeper's and the doors' own; no caller asks.
  Result<std::vector<Endpoint>> managed() const;
  // True when it was in one of the states and is in `to` now.
  Result<bool> set_state(const std::string& id, std::span<const EndpointState> from, EndpointState to,
                         const std::string& why) const;

  Result<Secret> token_of(const std::string& endpoint, const std::string& revision) const;

 private:
  Result<bool> may_see(const identity::Caller& caller, const Endpoint& endpoint) const;
  Result<Endpoint> place(const identity::Caller& caller, const NewEndpoint& wish) const;
  Result<Endpoint> move(const identity::Caller& caller, const std::string& id, EndpointState to,
                        std::string_view action);

  void forget_names();

  Parts parts_;
  mutable std::mutex names_mutex_;
  mutable std::shared_ptr<const std::vector<std::string>> names_;  // Null: to be read again.
};

}  // namespace holdfast::govern
