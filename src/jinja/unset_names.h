#pragma once

#include <string>
#include <vector>

#include "jinja/tree.h"

namespace holdfast::jinja {

// jinja2 decides before rendering what a name is in each scope: one whose first mention there writes it, and
// that no scope around mentions, is undefined until then, also for the scopes within and where a variable of
// that name was given. Puts these names into Statement::unset; those of the template itself are returned.
std::vector<std::string> mark_unset_names(Body& body);

}  // namespace holdfast::jinja
