#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "serve/serving_copy.h"

namespace holdfast::serve {

// A request that is about to reach a model. Views are borrowed for the call.
struct ReleaseQuestion {
  ServedModel model;
  enum class Revision : uint8_t { left_open, named } revision = Revision::left_open;
  std::string_view user, environment;    // Environment of the token; empty: bound to none.
  std::string_view feature, data_class;  // As the caller states them; empty: not stated.
  std::string_view key;                  // The same key, the same side of a traffic split.
  std::string_view record;               // Asked through this record's endpoint; empty: find the record.
};

// What may answer it. `model` is the one asked for, or the release that stands for it.
struct ReleaseAnswer {
  ServedModel model;
  std::string deployment = "on-demand";  // "demo/support/2/canary"
  std::string base{};           // "ns/name@commit" of what the model is an adapter of; told by the door.
  std::string tokenizer;        // SHA-256 of tokenizer.json; empty when there is none.
  std::string record, feature;  // Empty: no record governs the model.
  int64_t release = 0;
};

// How such a request ended, with what it takes to ask again.
struct ServedCall {
  std::string id;  // The request's trace id.
  ReleaseAnswer by;
  std::string user, door;  // The route's name.
  std::vector<std::pair<std::string, std::string>> captures;
  std::string content_type, input, output;
  int status = 200;
  std::chrono::milliseconds took{};
};

// The gate on the path of every call (design decision 9): no request reaches a model without its answer.
// govern/ gives the implementation, app/ hands it to the doors. Safe from any thread.
class ReleaseGate {
 public:
  virtual ~ReleaseGate() = default;
  // policy_refused with what is missing, in words for the caller.
  virtual Result<ReleaseAnswer> ask(const ReleaseQuestion& question) = 0;
  // After the answer was made; never fails the request. May drop what it has no room for.
  virtual void served(ServedCall call) = 0;
};

}  // namespace holdfast::serve
