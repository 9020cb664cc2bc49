#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/context.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "client/retry.h"
#include "net/client.h"

namespace holdfast::client {

struct Options {
  std::string endpoint{};  // "http://127.0.0.1:8080"
  Secret token{};
  std::chrono::milliseconds timeout{60'000};  // Of one attempt.
  Retries retries{};
};

struct Question {
  std::string method = "GET", path{}, body{};
  std::string content_type = "application/json";
  Repeatable repeatable = Repeatable::no;  // Of a method that need not be: this one is.
};

struct Answer {
  int status = 200;
  net::Headers headers{};
  std::string body{};
  int attempts = 1;
};

// A Holdfast server, asked from a program. What is repeatable is tried again after 429, 5xx and failures of
// the network, with pauses that grow and never before Retry-After; nothing is after any other 4xx. Errors:
// the server's own words with the reason that X-Error-Code names, timed_out, dependency_failed (no
// connection), client_gone (the context's stop). Safe from any thread.
class Client {
 public:
  virtual ~Client() = default;
  // A status of 400 and above is an error.
  virtual Result<Answer> ask(const Question& question, const Context& context) = 0;

  // One vector a text. `model` is "ns/name", or with "@revision". Asking a model changes nothing: repeatable,
  // as the two below.
  Result<std::vector<std::vector<float>>> embed(std::string_view model, const std::vector<std::string>& texts,
                                                const Context& context);
  // The model's own task: {"inputs": …, "parameters": …}, answered as docs/clients.md says.
  Result<boost::json::value> run_task(std::string_view model, const boost::json::value& inputs,
                                      const boost::json::object& parameters, const Context& context);
  // What is said to `messages` as POST /v1/chat/completions takes them; `settings` are its other keys, but
  // "stream".
  Result<std::string> chat(std::string_view model, const boost::json::array& messages,
                           const boost::json::object& settings, const Context& context);
};

// What a client needs of the world; borrowed. `sleep` waits at most so long and returns early when told to
// stop; without it the thread sleeps.
struct World {
  net::Client& http;
  const Clock& clock;
  Random& random;
  std::function<void(std::chrono::milliseconds, const std::stop_token&)> sleep{};
};
std::unique_ptr<Client> make_client(Options options, const World& world);

}  // namespace holdfast::client
