#pragma once

#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// A member of a zip archive whose members lie in it as they are; borrows the archive.
struct StoredMember {
  std::string_view name;
  ByteView bytes;
};

// By the central directory, with the 64 bit extensions. bad_request for compressed or encrypted members, for
// directories and members that are not within the archive, and for names that repeat. Sorted by name.
Result<std::vector<StoredMember>> read_stored_zip(ByteView archive);

// Null when there is none.
const StoredMember* find_member(const std::vector<StoredMember>& members, std::string_view name);

}  // namespace holdfast::codec
