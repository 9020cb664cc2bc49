#include "scan/pickle.h"
#include "scan/scan_file.h"

// The first byte chooses the name; the rest is the file. What is found must stay within the limits.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  if (size == 0) return 0;
  static constexpr std::string_view names[] = {"a.pkl", "a.bin", "a.npy", "a.txt"};
  const ByteView bytes = std::as_bytes(std::span(data + 1, size - 1));
  const auto source = scan::memory_source(bytes);
  scan::ScanLimits limits;
  limits.pickle.opcodes_max = 100'000;
  limits.pickle.stack_max = 10'000;
  limits.unpacked_bytes_max = 4 << 20;
  limits.member_bytes_max = 1 << 20;
  const auto report = scan::scan_file(*source, names[data[0] % 4], limits);
  if (!report.ok() || report.value().findings.size() > scan::findings_max) __builtin_trap();
  scan::FileReport found[2];
  scan::PickleOutcome outcomes[2];
  for (const bool plainly : {false, true}) {
    limits.pickle.plainly = plainly;
    outcomes[plainly] = scan::follow_pickle(*source, 0, {}, limits.pickle, found[plainly]);
  }
  if (outcomes[0].how != outcomes[1].how || outcomes[0].end != outcomes[1].end ||
      outcomes[0].opcodes != outcomes[1].opcodes || outcomes[0].detail != outcomes[1].detail ||
      found[0].findings.size() != found[1].findings.size() ||
      found[0].imports.size() != found[1].imports.size())
    __builtin_trap();
  return 0;
}
