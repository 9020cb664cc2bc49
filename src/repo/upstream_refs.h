#pragma once

#include <string_view>

namespace holdfast::repo {

// Refs of commits that were taken over from another hub: this and the commit's name there. They keep what
// they name, and find_revision answers to that name as well.
inline constexpr std::string_view upstream_prefix = "refs/upstream/";

}  // namespace holdfast::repo
