#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "identity/caller.h"

namespace holdfast::identity {

// The words of the wire, the database and the command line.
std::string_view org_role_name(OrgRole role);        // "contributor"
std::string_view token_role_name(TokenRole role);    // "read", "write", "fineGrained"
std::string_view grant_name(Grant grant);            // "repo.content.read"
std::string_view entity_kind_name(EntityKind kind);  // "everything", "user", "org", "model" …

std::optional<OrgRole> org_role_of(std::string_view name);
std::optional<TokenRole> token_role_of(std::string_view name);  // Also "fine-grained".
std::optional<Grant> grant_of(std::string_view name);
std::optional<EntityKind> entity_kind_of(std::string_view name);

// "model:lab/engine=repo.write,discussion.write"; "everything=infer". bad_request with what is wrong.
Result<Scope> parse_scope(std::string_view text);
std::string scope_text(const Scope& scope);

// Scopes as they are stored: [{"entity":{"type":"model","name":"lab/engine"},"permissions":["repo.write"]}].
std::string scopes_json(const std::vector<Scope>& scopes);
Result<std::vector<Scope>> parse_scopes_json(std::string_view text);

// ASCII letters in lower case: names are compared so.
std::string lower_case(std::string_view name);

}  // namespace holdfast::identity
