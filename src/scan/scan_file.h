#pragma once

#include <string_view>

#include "scan/finding.h"
#include "scan/pickle.h"
#include "scan/source.h"

namespace holdfast::scan {

struct ScanLimits {
  PickleLimits pickle{};
  uint64_t unpacked_bytes_max = uint64_t{1} << 30;  // Of compressed members of one file, together.
  uint64_t member_bytes_max = 256 << 20;            // Of one compressed member.
  int archive_depth_max = 3;
  uint64_t text_bytes_max = 64 << 20;  // Looked through for secrets.
};

// Everything there is to find in one file's bytes: pickles wherever they hide (plain, several in a row, zip
// and torch archives, legacy torch, npy object arrays, gzip and zlib, within one another), archives that are
// traps, broken safetensors, secrets in text. What a file is follows from its bytes; its name only adds what
// must be a pickle. Not ok only when the source cannot be read.
Result<FileReport> scan_file(Source& source, std::string_view name, const ScanLimits& limits = {});

}  // namespace holdfast::scan
