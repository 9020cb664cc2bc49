#pragma once

#include <string_view>

#include "api/call.h"
#include "api/services.h"
#include "serve/models.h"

namespace holdfast::api {

// The model that a body or an address names: "ns/name", or "ns/name@revision" (main otherwise).
// repo_not_found for one that does not exist or that the caller may not see, alike; gated as downloads are;
// forbidden where the token may not infer, policy_refused where the gate does not let this version answer.
Result<serve::ServedModel> find_served_model(Services& services, const Call& call, std::string_view name);

// On whose behalf the call asks a model: its token takes turns with others, X-Holdfast-Priority says which of
// its own go first, and what a model took is added up in the call's note.
serve::Asker asker_of(const Call& call);
// X-Holdfast-Deadline, milliseconds from now, into the context, where the caller says one; bad_request for
// what is no such number, or no such priority.
// Whether the caller said one.
bool says_deadline(const net::Request& request);
Status read_urgency(const Services& services, const net::Request& request, Context& context);

// Decides the side of a traffic split: what the caller gave, else the request itself.
std::string_view call_key(const Call& call);

}  // namespace holdfast::api
