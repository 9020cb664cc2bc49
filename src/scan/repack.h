#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::scan {

// What stands in the place of a member's bytes; nothing where it stays as it is.
using MemberChange = std::function<Result<std::optional<std::string>>(std::string_view name, ByteView bytes)>;

struct RepackLimits {
  uint64_t bytes_max = uint64_t{256} << 20;  // Of all members, unpacked.
  size_t members_max = 100'000;
};

// Writes a zip or tar archive (tar plain or in gzip) again with some members changed: names, times, rights,
// links and the order stay, and the kind of archive. Nothing where no member changes. bad_request for other
// kinds of archives and those that are locked or damaged, body_too_large beyond the limits.
Result<std::optional<std::string>> repack(ByteView archive, const MemberChange& change,
                                          const RepackLimits& limits = {});

}  // namespace holdfast::scan
