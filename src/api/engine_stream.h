#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/ticks.h"
#include "net/client.h"
#include "serve/work.h"

namespace holdfast::api {

class StreamTelling;

// Whether a request to an outside engine asks for an answer that comes in pieces: "stream": true in its body,
// or an address that says so.
bool asks_for_stream(std::string_view rest, const std::string& body);

// What an engine's stream goes through, and how its failure is written there, in its protocol.
struct EnginePassing {
  std::shared_ptr<StreamTelling> telling;
  std::function<std::string(const Error& error)> failure;
};

// Answers of outside engines that are passed on while they come, whole events at a time. Each has a thread of
// its own; a caller who leaves ends the engine's request too. Owns the threads, and ends them with itself.
// Safe from any thread.
class EngineStreams {
 public:
  virtual ~EngineStreams() = default;
  // Sends the request and waits for the begin of the answer: an answer that is no event stream comes whole, a
  // failure before the first event is an error, one after it is written behind the last whole event.
  // queue_full beyond engine_streams_max.
  virtual Result<net::Response> open(net::Client& client, net::ClientRequest request, const Context& context,
                                     EnginePassing passing) = 0;
};
inline constexpr size_t engine_streams_max = 64;
std::unique_ptr<EngineStreams> make_engine_streams(const Ticks& ticks);

// What an engine of OpenAI's kind, or text-generation-inference, says in an answer that this took: the tokens
// of the prompt and those that were written.
void add_engine_usage(const boost::json::object& said, serve::Work& work);

}  // namespace holdfast::api
