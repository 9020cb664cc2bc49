#pragma once

#include <vector>

#include "base/random.h"
#include "observe/answered.h"
#include "observe/span.h"
#include "observe/trace_record.h"

namespace holdfast::observe {

// The trace of one request: a server span, and under it one span a stage it went through: queue, load,
// tokenize, model (or upstream, of an outside engine) and post. Stages stand one after the other in the order
// in which they happen, each as long as it took. Attributes follow OpenTelemetry's conventions for HTTP and
// for generative AI; nothing that was asked or answered is in them.
std::vector<Span> request_spans(const TraceRecord& record);
std::vector<Span> request_spans(const Answered& answered, const Judgement& judgement, Random& random);

}  // namespace holdfast::observe
