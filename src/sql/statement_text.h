#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/database.h"

namespace holdfast::sql {

// `?` outside of string literals, quoted names and comments becomes $1, $2 …: PostgreSQL's spelling.
std::string numbered_parameters(std::string_view sql);

// {blob} and {serial} as the engine spells them.
std::string engine_spelling(Engine engine, std::string_view sql);

// The statements of a migration: pieces that end with ';' at the end of a line. Blank ones are left out.
std::vector<std::string> split_statements(std::string_view sql);

}  // namespace holdfast::sql
