#pragma once

#include <cstdint>
#include <string>

#include "base/context.h"
#include "base/result.h"
#include "identity/caller.h"

namespace holdfast::job {

struct Asked {
  int status = 200;
  std::string body;    // One line of JSON, of an answer and of a failure.
  bool later = false;  // There was no room: the same may be answered later.
  // Of the models that were asked: tokens read and written, their workers' time, what that costs in
  // billionths of the operator's currency.
  int64_t tokens_read = 0, tokens_written = 0, worker_us = 0, cost_nano = 0;
};

// Puts one request through the server's own doors, with its caller's rights. api/ gives the implementation.
// Safe from any thread.
class RequestAsker {
 public:
  virtual ~RequestAsker() = default;
  // Whether batches may ask there: "/v1/embeddings", "/models/ns/name".
  virtual bool answers(const std::string& endpoint) const = 0;
  virtual Asked ask(const Context& context, const identity::Caller& caller, const std::string& endpoint,
                    const std::string& body) = 0;
};

}  // namespace holdfast::job
