#pragma once

#include <memory>

#include "base/clock.h"
#include "net/client.h"

namespace holdfast::api {

// Whether a request to an outside engine asks for an answer that comes in pieces: "stream": true in its body,
// or an address that says so.
bool asks_for_stream(std::string_view rest, const std::string& body);

// Answers of outside engines that are passed on while they come. Each has a thread of its own; a caller who
// leaves ends the engine's request too. Owns the threads, and ends them with itself. Safe from any thread.
class EngineStreams {
 public:
  virtual ~EngineStreams() = default;
  // Sends the request and waits for the begin of the answer: an answer that is no event stream comes whole, a
  // failure before the first byte is an error, one after it cuts the stream. queue_full beyond streams_max.
  virtual Result<net::Response> open(net::Client& client, net::ClientRequest request,
                                     const Context& context) = 0;
};
inline constexpr size_t engine_streams_max = 64;
std::unique_ptr<EngineStreams> make_engine_streams();

}  // namespace holdfast::api
