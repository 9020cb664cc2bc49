#include "model/memory_check.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "io/disk.h"

namespace holdfast::model {
namespace {

// "MemAvailable:   12345 kB" of /proc/meminfo.
std::optional<uint64_t> bytes_available() {
  constexpr std::string_view key = "MemAvailable:";
  constexpr size_t bytes_max = 1 << 14;
  const auto disk = io::open_posix_disk("/proc");
  if (!disk.ok()) return std::nullopt;
  const auto file = disk.value()->open(io::Path("meminfo"));
  if (!file.ok()) return std::nullopt;
  std::string text(bytes_max, '\0');  // The kernel gives such a file's size as 0.
  const auto count = file.value()->read_at(0, std::as_writable_bytes(std::span(text)));
  if (!count.ok()) return std::nullopt;
  text.resize(count.value());
  const size_t at = text.find(key);
  if (at == std::string::npos) return std::nullopt;
  const char* begin = text.data() + at + key.size();
  const char* end = text.data() + text.size();
  while (begin < end && *begin == ' ') ++begin;
  uint64_t kibibytes = 0;
  if (std::from_chars(begin, end, kibibytes).ec != std::errc{}) return std::nullopt;
  return kibibytes * 1024;
}

uint64_t bytes_of(tensor::Precision precision) {
  switch (precision) {
    case tensor::Precision::f32:
      return 4;
    case tensor::Precision::bf16:
      return 2;
    case tensor::Precision::int8:
      return 1;
  }
  return 4;
}

}  // namespace

Status check_memory(uint64_t bytes_needed) {
  const auto available = bytes_available();
  if (!available || bytes_needed <= *available) return Done{};
  constexpr uint64_t mebibyte = 1 << 20;
  return fail(Code::unavailable, fmt::format("the model needs {} MiB of memory, {} MiB are there",
                                             bytes_needed / mebibyte, *available / mebibyte));
}

Status check_memory(const tensor::Weights& weights, tensor::Compute compute) {
  uint64_t needed = 0;
  for (const std::string& name : weights.names())
    needed += weights.find(name)->elements() * bytes_of(compute.precision);
  return check_memory(needed);
}

}  // namespace holdfast::model
