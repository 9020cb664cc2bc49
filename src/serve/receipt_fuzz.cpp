#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "serve/receipt.h"

// A receipt comes from whoever shows it. What is read and written again is read alike.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast::serve;
  const auto read = parse_receipt(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!read.ok()) return 0;
  const auto again = parse_receipt(receipt_text(read.value()));
  if (!again.ok() || !(again.value() == read.value())) std::abort();
  (void)verify_receipt(read.value(), read.value().key).ok();
  return 0;
}
