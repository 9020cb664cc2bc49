#include "io/free_memory.h"

#include <algorithm>
#include <limits>
#include <string>

#include "io/kernel_text.h"

namespace holdfast::io {
namespace {

constexpr size_t groups_max = 32;
constexpr uint64_t kibi = 1024;

uint64_t cached_bytes(Disk& control_groups, const Path& folder, PageCache cache) {
  const auto stat = read_kernel_text(control_groups, folder / "memory.stat");
  if (!stat) return 0;
  const uint64_t inactive = field_of(*stat, "inactive_file ").value_or(0);
  return cache == PageCache::inactive ? inactive : inactive + field_of(*stat, "active_file ").value_or(0);
}

uint64_t free_of_groups(Disk& proc, Disk& control_groups, PageCache cache) {
  uint64_t free = std::numeric_limits<uint64_t>::max();
  const auto mine = read_kernel_text(proc, "self/cgroup");
  if (!mine) return free;
  const size_t at = mine->find("0::/");
  if (at == std::string::npos) return free;
  std::string path = mine->substr(at + 4, mine->find('\n', at) - at - 4);
  for (size_t above = 0; above < groups_max; ++above) {
    const Path folder = path.empty() ? Path(".") : Path(path);
    const auto most = read_kernel_text(control_groups, folder / "memory.max");
    const auto now = read_kernel_text(control_groups, folder / "memory.current");
    const auto limit = most ? number_of(*most) : std::nullopt;  // "max": none.
    const auto used = now ? number_of(*now) : std::nullopt;
    if (limit && used) {
      const uint64_t held = *used - std::min(cached_bytes(control_groups, folder, cache), *used);
      free = std::min(free, *limit - std::min(held, *limit));
    }
    if (path.empty()) break;
    path.resize(path.find('/') == std::string::npos ? 0 : path.rfind('/'));
  }
  return free;
}

}  // namespace

std::optional<uint64_t> free_memory(Disk& proc, Disk& control_groups, PageCache cache) {
  const auto machine = read_kernel_text(proc, "meminfo");
  const auto available = machine ? field_of(*machine, "MemAvailable:") : std::nullopt;
  if (!available) return std::nullopt;
  return std::min(*available * kibi, free_of_groups(proc, control_groups, cache));
}

}  // namespace holdfast::io
