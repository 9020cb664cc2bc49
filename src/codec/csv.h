#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::codec {

struct CsvLimits {
  size_t rows_max = 5'000'000;
  size_t columns_max = 10'000;
};

// Comma-separated values as RFC 4180 has them, with \n or \r\n, quotes doubled inside quotes, line ends
// inside quotes. Empty lines are no rows. Every row is as long as the first, else bad_request with the line's
// number.
Result<std::vector<std::vector<std::string>>> parse_csv(std::string_view text, const CsvLimits& limits = {});

}  // namespace holdfast::codec
