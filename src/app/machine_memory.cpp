#include "app/machine_memory.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "io/free_memory.h"
#include "io/kernel_text.h"

namespace holdfast::app {
namespace {

constexpr uint64_t kibi = 1024;

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
    const auto free = io::free_memory(proc_, control_groups_, io::PageCache::inactive);
    if (!free) return fail(Code::internal, "the machine's memory cannot be read");
    if (limit_ == 0) return *free;
    uint64_t taken = 0;
    for (const auto& [key, memory] : workers()) taken += memory.bytes();
    return std::min(*free, limit_ - std::min(taken, limit_));
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
      const auto status = io::read_kernel_text(proc_, folder / "status");
      if (!status || io::field_of(*status, "PPid:") != static_cast<uint64_t>(parent_)) continue;
      auto line = io::read_kernel_text(proc_, folder / "cmdline");
      if (!line) continue;
      while (!line->empty() && line->back() == '\0') line->pop_back();
      const size_t word = line->find('\0');
      if (word == std::string::npos || !std::string_view(*line).substr(word + 1).starts_with("worker"))
        continue;
      const size_t last = line->rfind('/');
      if (last == std::string::npos) continue;
      serve::WorkerMemory& memory = out[line->substr(last + 1)];
      ++memory.workers;
      const auto bytes = [&](std::string_view name) {
        return io::field_of(*status, name).value_or(0) * kibi;
      };
      memory.own_bytes += bytes("RssAnon:") + bytes("RssShmem:");
      memory.mapped_bytes = std::max(memory.mapped_bytes, bytes("RssFile:"));
    }
    return out;
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
