#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"
#include "api/route.h"
#include "serve/guardrails.h"

namespace holdfast::api {

struct Services;

// Asks an endpoint, as the server itself, what stands at `rest` below its address. Its own guardrails do not
// hold for that. Outlives the call that it was made for.
using GuardAsker = std::function<Result<net::Response>(const Call& call, const std::string& endpoint,
                                                       const std::string& rest)>;

// What a stage needs to look. Borrowed for one look.
struct GuardLook {
  Services& services;
  const Call& call;
  const std::string& endpoint;
  const GuardAsker& ask;
};

// What a stage finds in these texts, by the label; empty for nothing.
Result<std::string> found_by(const GuardLook& look, const serve::GuardStage& stage,
                             const std::vector<std::string_view>& texts);
// The same of a stage that asks a model for labels or moderations, in pieces that were cut already.
Result<std::string> found_in_pieces(const GuardLook& look, const serve::GuardStage& stage,
                                    const std::vector<std::string>& pieces);

// What came of a look: counted, and what is no pass is logged, without the text.
enum class GuardEnded : uint8_t { passed, flagged, refused, failed };
void note_look(const GuardLook& look, const serve::GuardStage& stage, size_t number, GuardEnded ended,
               std::string_view found);
// The same of one that failed; what the caller is told where that closes the endpoint.
Error look_failed(const GuardLook& look, const serve::GuardStage& stage, size_t number, const Error& why);
// What the caller is told where it cannot be read, and of what was found.
Error look_cannot_read(const serve::GuardStage& stage, size_t number);
Error look_refuses(const serve::GuardStage& stage, size_t number, std::string_view found);
// "4 after hate", for the header and, in a stream, the comment of this name.
inline constexpr std::string_view guardrails_header = "X-Holdfast-Guardrails";
std::string told_flag(const serve::GuardStage& stage, size_t number, std::string label);

}  // namespace holdfast::api
