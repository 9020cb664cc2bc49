#pragma once

#include <optional>
#include <string>
#include <string_view>

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

// ASCII letters in lower case: names are compared so.
std::string lower_case(std::string_view name);
bool equal_names(std::string_view left, std::string_view right);

// 1 to 96 characters of [A-Za-z0-9_.-], neither starting nor ending with '-' or '.', without ".." or "--":
// what the clients accept as the first half of a repository's name. bad_request otherwise.
Status check_account_name(std::string_view name);
// Shown to people: UTF-8 of at most `bytes_max` without control characters. `what` is for the message.
Status check_display_text(std::string_view text, size_t bytes_max, std::string_view what);

}  // namespace holdfast::identity
