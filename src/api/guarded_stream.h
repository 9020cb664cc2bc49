#pragma once

#include <memory>
#include <string>

#include "api/call.h"
#include "api/guard_look.h"
#include "api/route.h"
#include "base/ticks.h"
#include "serve/guardrails.h"

namespace holdfast::api {

// The stages of one endpoint that look at what is answered.
struct GuardWatch {
  std::string endpoint;
  std::shared_ptr<const serve::GuardStages> stages;
  GuardAsker ask;
  Dialect dialect = Dialect::hub;
};

// Streams that are looked at while they go out: an event waits until every stage that may refuse has looked
// at all that it says, and at so much behind it that no word or secret begins in it. Words and secrets are
// looked for at each event; a model is asked about the text so far at the ends of sentences, every
// guard_bytes_max bytes, and before the last part goes out. What is found ends the stream as its protocol has
// it (stream_cut.h), with nothing of what was held; what is only flagged is told in a comment at the end.
// Each stream has a thread of its own. Owns the threads, and ends them with itself. Safe from any thread.
class GuardedStreams {
 public:
  virtual ~GuardedStreams() = default;
  // What this call answers in pieces goes through these stages, behind those of an earlier watch. queue_full
  // beyond guarded_streams_max; not_offered where nobody tells of the call's streams.
  virtual Status watch(Services& services, const Call& call, GuardWatch watch) = 0;
};
inline constexpr size_t guarded_streams_max = 256, guard_bytes_max = 400;
std::unique_ptr<GuardedStreams> make_guarded_streams(const Ticks& ticks);

// Whether the call's stream goes through such a watch.
bool is_watched(const Call& call);

}  // namespace holdfast::api
