#pragma once

#include <cstdint>
#include <string_view>

#include "scan/finding.h"
#include "scan/source.h"

namespace holdfast::scan {

// What there is to find in a file that is text: secrets (in notebooks and other JSON also behind the escapes
// of their strings, so in outputs as in sources), templates, code that a configuration asks for, personal
// data of tables. `head` is its first bytes; with a zero byte among them it is no text. Looks through
// `bytes_max`.
Status check_text(Source& source, ByteView head, std::string_view name, const Place& place,
                  uint64_t bytes_max, FileReport& report);

}  // namespace holdfast::scan
