#include "observe/answered.h"

#include <algorithm>

#include "govern/prediction.h"

namespace holdfast::observe {
namespace {

// Of an outside engine's own status.
ErrorClass class_of_status(int status) {
  if (status == 429 || status == 503) return ErrorClass::capacity;
  if (status == 504) return ErrorClass::timeout;
  return status < 500 ? ErrorClass::client : ErrorClass::dependency;
}

Outcome outcome_of(ErrorClass error_class, int status) {
  if (error_class == ErrorClass::capacity) return Outcome::refused;
  return status >= 500 ? Outcome::failed : Outcome::rejected;
}

// An answer of a classifier without a label is none, whatever its status says.
bool is_valid(const serve::ServedCall& call, Expected expected) {
  return expected == Expected::anything || !govern::predictions_of(call.output).empty();
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::failed:
      return "failed";
    case Outcome::refused:
      return "refused";
    case Outcome::rejected:
      return "rejected";
  }
  return "failed";
}

Judgement judge(const Answered& answered, Expected expected) {
  Judgement out;
  out.expected = expected;
  const serve::Work& work = answered.work;
  out.post = std::max(answered.took - work.queue - work.load - work.tokenize - work.model - work.guard,
                      std::chrono::nanoseconds{});
  if (answered.error != nullptr) {
    const ReasonRow& row = reason_row(answered.error->code, answered.error->reason);
    out.error_class = row.error_class;
    out.reason = row.name;
    out.outcome = outcome_of(row.error_class, row.http_status);
  } else if (answered.call.status >= 400) {
    out.error_class = class_of_status(answered.call.status);
    out.reason = "engine_status";
    out.outcome = outcome_of(*out.error_class, answered.call.status);
  } else if (!is_valid(answered.call, expected)) {
    out.error_class = ErrorClass::model;
    out.reason = "invalid_output";
    out.outcome = Outcome::failed;
  }
  return out;
}

}  // namespace holdfast::observe
