#include "serve/switch_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace holdfast::serve {
namespace {

std::string told(uint64_t bytes) { return fmt::format("{} MiB", (bytes + (1 << 20) - 1) >> 20); }

}  // namespace

Result<uint64_t> SwitchMemory::served_bytes(const ServedModel& model) {
  TRY(const std::vector<FileSource::File> all, files_.list(model));
  std::set<std::string, std::less<>> paths;
  for (const FileSource::File& file : all) paths.insert(file.path);
  uint64_t bytes = 0;
  for (const FileSource::File& file : all)
    if (is_served_file(file.path, file.size) && !is_stood_for(file.path, paths)) bytes += file.size;
  return bytes;
}

Result<ServedModel> SwitchMemory::host_of(const ServedModel& model) {
  TRY(std::optional<ServedModel> host, adapter_host(files_, model));
  return host ? *std::move(host) : model;
}

Result<SwitchNeed> SwitchMemory::foresee(const ServedModel& standing, const ServedModel& next,
                                         size_t replicas, Standing how) {
  SwitchNeed need;
  TRY(need.free_bytes, room_.free_bytes());
  TRY(const ServedModel host, host_of(standing));
  TRY(const ServedModel next_host, host_of(next));
  const WorkerMemory now = room_.taken_by(host);
  need.standing_bytes = now.bytes();
  if (standing.same_as(next)) return need;
  if (!next_host.same_as(next)) {
    TRY(const uint64_t adapter, served_bytes(next));
    need.next_bytes = adapter * std::max<size_t>(replicas, 1);  // Each of the base's workers reads it.
  }
  if (host.same_as(next_host)) return need;
  TRY(const uint64_t next_files, served_bytes(next_host));
  TRY(const uint64_t standing_files, served_bytes(host));
  if (now.workers == 0 && how == Standing::will_be_loaded) {
    need.standing_bytes = standing_files;
    need.free_bytes -= std::min(need.free_bytes, standing_files);
  }
  const WorkerMemory there = room_.taken_by(next_host);  // Another endpoint may have it loaded.
  const size_t more = std::max<size_t>(replicas, 1) - std::min(std::max<size_t>(replicas, 1), there.workers);
  if (there.workers == 0) need.next_bytes += next_files;
  if (now.workers == 0) return need;
  const uint64_t own = now.own_bytes / now.workers;
  // The runtime's part does not grow with the files, and does not shrink with them.
  const double larger =
      standing_files == 0 ? 1 : static_cast<double>(next_files) / static_cast<double>(standing_files);
  need.next_bytes += more * static_cast<uint64_t>(static_cast<double>(own) * std::max(larger, 1.0));
  return need;
}

Status check_fits(const SwitchNeed& need) {
  if (need.fits()) return Done{};
  return fail(
      Code::unavailable,
      fmt::format("both versions at once need {}, of which {} are taken, and {} are free: end others, "
                  "or pause the endpoint before it is changed",
                  told(need.standing_bytes + need.next_bytes), told(need.standing_bytes),
                  told(need.free_bytes)));
}

}  // namespace holdfast::serve
