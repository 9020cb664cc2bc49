#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "scan/source.h"

namespace holdfast::scan {

// One member of a zip archive, as its central directory names it. CRCs and flags are not looked at: torch
// does not either.
struct ZipMember {
  std::string name{};
  uint16_t method = 0;  // 0 stored, 8 deflated; others are not read.
  uint64_t stored = 0, size = 0;
  uint64_t header_at = 0;  // Of its local header.
  bool is_link = false;    // A symbolic link of Unix; its bytes are where it leads.
};

struct ZipLimits {
  size_t members_max = 200'000;
  uint64_t directory_bytes_max = 64 << 20;
};

struct ZipDirectory {
  std::vector<ZipMember> members{};
  bool from_local_headers =
      false;         // The directory was missing or broken; members are what local headers say.
  bool cut = false;  // There are more members than are listed.
};

// Code::corrupt when there is neither a directory nor a local header.
Result<ZipDirectory> read_zip(Source& source, const ZipLimits& limits = {});

// Where the member's stored bytes begin; its local header says so.
Result<uint64_t> member_begin(Source& source, const ZipMember& member);

bool has_zip_magic(ByteView first);

}  // namespace holdfast::scan
