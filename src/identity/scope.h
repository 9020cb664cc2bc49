#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/caller.h"

namespace holdfast::identity {

inline constexpr size_t scopes_max = 100;  // Of one token.

// The form of the command line: "model:lab/engine=repo.write,discussion.write", "everything=infer".
// bad_request with what is wrong.
Result<Scope> parse_scope(std::string_view text);
std::string scope_text(const Scope& scope);
std::vector<Grant> grants_of(const Scope& scope);

// The form in which they are stored:
// [{"entity":{"type":"model","name":"lab/engine"},"permissions":["repo.write"]}].
std::string scopes_json(const std::vector<Scope>& scopes);
Result<std::vector<Scope>> parse_scopes_json(std::string_view text);

// The entity's name fits its kind: none, "ns" or "ns/name".
Status check_scope(const Scope& scope);

}  // namespace holdfast::identity
