#pragma once

#include <string>
#include <vector>

namespace holdfast::cli {

// Lines with columns under each other, two spaces apart, for people. The first row is the heading; the last
// column is not filled up. Width is counted in characters, not bytes.
std::string text_table(const std::vector<std::vector<std::string>>& rows);

}  // namespace holdfast::cli
