#include "app/machine_memory.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::app {
namespace {

constexpr size_t text_bytes_max = 16 << 10, groups_max = 32;
constexpr uint64_t kibi = 1024;

// Files of the kernel have no size to be read by.
std::optional<std::string> text_of(io::Disk& disk, const io::Path& path) {
  const auto file = disk.open(path);
  if (!file.ok()) return std::nullopt;
  std::string text;
  std::array<std::byte, 4096> piece;
  while (text.size() < text_bytes_max) {
    const auto got = file.value()->read_at(text.size(), piece);
    if (!got.ok()) return std::nullopt;
    if (got.value() == 0) break;
    text += as_text(ByteView(piece).first(got.value()));
  }
  return text;
}

std::optional<uint64_t> number_of(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return number;
}

// The number behind "NAME" at the beginning of a line.
std::optional<uint64_t> field_of(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    if (line.starts_with(name)) return number_of(line.substr(name.size()));
    at += line.size() + 1;
  }
  return std::nullopt;
}

class MachineMemory final : public serve::MemoryRoom {
 public:
  MachineMemory(io::Disk& proc, io::Disk& control_groups, uint64_t limit, int64_t parent)
      : proc_(proc), control_groups_(control_groups), limit_(limit), parent_(parent) {}

  serve::WorkerMemory taken_by(const serve::ServedModel& model) override {
    const auto all = workers();
    const auto found = all.find(model.key());
    return found == all.end() ? serve::WorkerMemory() : found->second;
  }

  Result<uint64_t> free_bytes() override {
    const auto machine = text_of(proc_, "meminfo");
    const auto available = machine ? field_of(*machine, "MemAvailable:") : std::nullopt;
    if (!available) return fail(Code::internal, "the machine's memory cannot be read");
    uint64_t free = std::min(*available * kibi, free_of_group());
    if (limit_ == 0) return free;
    uint64_t taken = 0;
    for (const auto& [key, memory] : workers()) taken += memory.bytes();
    return std::min(free, limit_ - std::min(taken, limit_));
  }

 private:
  // By the key of their model, the last part of the folder that they serve.
  std::map<std::string, serve::WorkerMemory> workers() {
    std::map<std::string, serve::WorkerMemory> out;
    const auto processes = proc_.list(".");
    if (!processes.ok()) return out;
    for (const io::Entry& process : processes.value()) {
      if (process.name.empty() || process.name.front() < '1' || process.name.front() > '9') continue;
      const io::Path folder(process.name);
      const auto status = text_of(proc_, folder / "status");
      if (!status || field_of(*status, "PPid:") != static_cast<uint64_t>(parent_)) continue;
      auto line = text_of(proc_, folder / "cmdline");
      if (!line) continue;
      while (!line->empty() && line->back() == '\0') line->pop_back();
      const size_t word = line->find('\0');
      if (word == std::string::npos || !std::string_view(*line).substr(word + 1).starts_with("worker"))
        continue;
      const size_t last = line->rfind('/');
      if (last == std::string::npos) continue;
      serve::WorkerMemory& memory = out[line->substr(last + 1)];
      ++memory.workers;
      const auto bytes = [&](std::string_view name) { return field_of(*status, name).value_or(0) * kibi; };
      memory.own_bytes += bytes("RssAnon:") + bytes("RssShmem:");
      memory.mapped_bytes = std::max(memory.mapped_bytes, bytes("RssFile:"));
    }
    return out;
  }

  // Of the control group that this process is in, and of all above it.
  uint64_t free_of_group() {
    uint64_t free = std::numeric_limits<uint64_t>::max();
    const auto mine = text_of(proc_, "self/cgroup");
    if (!mine) return free;
    const size_t at = mine->find("0::/");
    if (at == std::string::npos) return free;
    std::string path = mine->substr(at + 4, mine->find('\n', at) - at - 4);
    for (size_t above = 0; above < groups_max; ++above) {
      const io::Path folder = path.empty() ? io::Path(".") : io::Path(path);
      const auto most = text_of(control_groups_, folder / "memory.max");
      const auto now = text_of(control_groups_, folder / "memory.current");
      const auto limit = most ? number_of(*most) : std::nullopt;  // "max": none.
      const auto used = now ? number_of(*now) : std::nullopt;
      if (limit && used) {
        const auto stat = text_of(control_groups_, folder / "memory.stat");
        const uint64_t cache = stat ? field_of(*stat, "inactive_file ").value_or(0) : 0;
        const uint64_t held = *used - std::min(cache, *used);
        free = std::min(free, *limit - std::min(held, *limit));
      }
      if (path.empty()) break;
      path.resize(path.find('/') == std::string::npos ? 0 : path.rfind('/'));
    }
    return free;
  }

  io::Disk& proc_;
  io::Disk& control_groups_;
  const uint64_t limit_;
  const int64_t parent_;
};

}  // namespace

std::unique_ptr<serve::MemoryRoom> make_machine_memory(io::Disk& proc, io::Disk& control_groups,
                                                       uint64_t limit, int64_t parent) {
  return std::make_unique<MachineMemory>(proc, control_groups, limit, parent);
}

}  // namespace holdfast::app
