#pragma once

#include <string_view>

#include "scan/finding.h"
#include "scan/pickle.h"
#include "scan/source.h"

namespace holdfast::scan {

// Tables and lines of JSON are looked through for personal data without being asked; all text when asked.
enum class PersonalIn : uint8_t { tables, all_text };

struct ScanLimits {
  PickleLimits pickle{};
  uint64_t unpacked_bytes_max = uint64_t{1} << 30;  // Of compressed members of one file, together.
  uint64_t member_bytes_max = 256 << 20;            // Of one compressed member.
  int archive_depth_max = 3;
  uint64_t text_bytes_max = 64 << 20;  // Looked through for secrets.
  PersonalIn personal = PersonalIn::tables;
};

// Everything there is to find in one file's bytes: pickles wherever they hide (plain, several in a row, zip
// and torch archives, legacy torch, npy object arrays, gzip and zlib, tar, 7z, rar, xz and more, within one
// another), archives that are traps, headers of safetensors and GGUF that cannot be right, tensors of ONNX in
// files elsewhere, graphs and layers that run code, templates that reach out of their engine, secrets,
// personal data. What a file is follows from its bytes; its name only adds what must be a pickle. Not ok only
// when the source cannot be read.
Result<FileReport> scan_file(Source& source, std::string_view name, const ScanLimits& limits = {});

}  // namespace holdfast::scan
