#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/context.h"
#include "net/message.h"

namespace holdfast::net {

// Which addresses a client may connect to. The address itself is checked, after the name was looked up and
// again at every redirect, so that no name can point inside.
enum class AddressPolicy : uint8_t {
  public_only,  // For URLs that users give: no loopback, private, link-local, multicast or reserved address.
  any,          // For places an operator configured.
};

struct ClientOptions {
  AddressPolicy addresses = AddressPolicy::public_only;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds idle_timeout{60'000};  // Without a byte in either direction; whole seconds.
  size_t connections_kept_max = 16;
  std::string certificate_authorities_file = {};  // PEM; empty: the system's.
  std::string user_agent = "holdfast";
};

struct ClientRequest {
  std::string method = "GET";
  std::string url = {};  // http or https; path and query as they go on the wire.
  Headers headers = {};
  // A source's bytes are sent as they come: with Content-Length when content_length is there, else chunked.
  // It is borrowed and called on the caller's thread.
  std::variant<std::string, BodySource*> body = {};
  std::optional<uint64_t> content_length = {};
  std::chrono::milliseconds timeout{120'000};  // For all of it, beside the context's deadline.
  int redirects_max = 0;                       // Followed by GET and HEAD only.
  // Takes the body of a 2xx answer piece by piece; its error ends the call and is returned. Without it, and
  // for other statuses, the body is text of at most body_bytes_max, else body_too_large.
  std::function<Status(ByteView)> take = {};
  uint64_t body_bytes_max = 16 << 20;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

// Calls other HTTP servers, TLS verified, and waits for the answer: on pool threads only, never on net
// threads. Any status is an answer, not an error. Errors: timed_out, dependency_failed (no connection, TLS,
// cut short), policy_refused (address), client_gone (the context's stop), bad_request (URL). Safe from any
// thread.
class Client {
 public:
  virtual ~Client() = default;
  virtual Result<ClientResponse> send(const ClientRequest& request, const Context& context) = 0;
};
std::unique_ptr<Client> make_client(ClientOptions options, const Clock& clock);

}  // namespace holdfast::net
