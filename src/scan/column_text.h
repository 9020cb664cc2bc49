#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/parquet.h"

namespace holdfast::scan {

// A column as a table of one column, a value a line: signs that would end a line or a column are other ones
// while it is looked at.
std::string as_column_line(std::string_view value);
std::string from_column_line(std::string_view line);

// A value of a column as people would write it: texts as they are, whole numbers by their digits (also real
// ones that have no fraction, as pandas keeps whole ones beside missing ones), dates and moments by their
// day, decimals as whole numbers where nothing is behind their point. Nothing for what is missing or says
// nothing of anybody.
std::optional<std::string> column_text(const codec::ParquetLeafValues& column,
                                       const codec::ParquetValue& value);

}  // namespace holdfast::scan
