#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>

#include "scan/scan_file.h"

// The first byte names the file, so that each format's reader is reached.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  static constexpr const char* names[] = {"a.onnx",   "a.pb",         "a.gguf", "tokenizer_config.json",
                                          "a.jinja",  "a.csv",        "a.tar",  "a.ipynb",
                                          "model.pt", "a.safetensors"};
  if (size == 0) return 0;
  const auto source = scan::memory_source(std::as_bytes(std::span(data, size).subspan(1)));
  scan::ScanLimits limits;
  limits.member_bytes_max = 1 << 20;
  limits.unpacked_bytes_max = 4 << 20;
  (void)scan::scan_file(*source, names[data[0] % std::size(names)], limits).ok();
  return 0;
}
