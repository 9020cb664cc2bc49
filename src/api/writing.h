#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/call.h"
#include "api/services.h"
#include "serve/models.h"

namespace holdfast::api {

// What a protocol makes of the answers to one request, several choices at once perhaps. Called by one thread
// at a time: the model's, and at the end the one that waits.
class AnswerForm {
 public:
  virtual ~AnswerForm() = default;
  virtual bool streams() const = 0;
  // Of a stream: the bytes to send for an event, and those behind the last choice's end.
  virtual std::string piece(size_t choice, const serve::GenerateEvent& event) = 0;
  virtual std::string ending() = 0;
  // Of a stream that had begun: what is said before it is cut.
  virtual std::string failure(const Error& error) = 0;
  // Of a whole answer: each event, then all together.
  virtual void keep(size_t choice, const serve::GenerateEvent& event) = 0;
  virtual Result<net::Response> whole() = 0;
};

inline constexpr size_t choices_max = 128;  // Of one request.

// Asks the model for one answer a request and gives back what the form makes of them: at once where it
// streams, as soon as it is sure that there is something to send. A caller who left ends all of them.
Result<net::Response> write_answers(Services& services, serve::Models& models, const Call& call,
                                    const serve::ServedModel& model, std::vector<std::string> requests,
                                    std::unique_ptr<AnswerForm> form);

}  // namespace holdfast::api
