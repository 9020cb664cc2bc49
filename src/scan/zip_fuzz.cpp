#include "scan/scan_file.h"
#include "scan/zip.h"

// A zip archive: every member that is named lies within the file or is refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const auto source = scan::memory_source(std::as_bytes(std::span(data, size)));
  auto directory = scan::read_zip(*source, {.members_max = 1000, .directory_bytes_max = 1 << 20});
  if (directory.ok() && directory.value().members.size() > 1000) __builtin_trap();
  scan::ScanLimits limits;
  limits.pickle.opcodes_max = 10'000;
  limits.unpacked_bytes_max = 4 << 20;
  limits.member_bytes_max = 1 << 20;
  if (!scan::scan_file(*source, "a.zip", limits).ok()) __builtin_trap();
  return 0;
}
