#include "model/memory_check.h"

#include <fmt/format.h>

#include <optional>

#include "io/disk.h"
#include "io/free_memory.h"

namespace holdfast::model {
namespace {

// All that the kernel could give up counts: what is refused here could have been tried.
std::optional<uint64_t> bytes_available() {
  const auto proc = io::open_posix_disk("/proc"), control_groups = io::open_posix_disk("/sys/fs/cgroup");
  if (!proc.ok()) return std::nullopt;
  const auto none = io::make_memory_disk();
  return io::free_memory(*proc.value(), control_groups.ok() ? *control_groups.value() : *none,
                         io::PageCache::all);
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
