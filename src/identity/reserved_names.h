#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::identity {

// First path segments that are routes now or are promised to be (design.md, "HTTP, all on one port"): nobody
// may be called so, in any case of letters. The server compares this list with its router's own table at
// start.
std::span<const std::string_view> reserved_names();
bool is_reserved_name(std::string_view name);
// The same as AccountsOptions takes them.
std::vector<std::string> reserved_name_list();

}  // namespace holdfast::identity
