#pragma once

#include <cstdint>

#include "base/result.h"
#include "serve/serving_copy.h"

namespace holdfast::serve {

// What the workers of one model take.
struct WorkerMemory {
  size_t workers = 0;
  uint64_t own_bytes = 0;     // All workers' together, shared by nobody.
  uint64_t mapped_bytes = 0;  // Of files that all of them map: once.
  uint64_t bytes() const { return own_bytes + mapped_bytes; }
};

// The memory that workers live in. Safe from any thread; app/ has the machine's.
class MemoryRoom {
 public:
  virtual ~MemoryRoom() = default;
  virtual WorkerMemory taken_by(const ServedModel& model) = 0;
  virtual Result<uint64_t> free_bytes() = 0;  // That workers may take beside what they have.
};

// What an endpoint needs while one version answers and the next one is loaded beside it.
struct SwitchNeed {
  uint64_t standing_bytes = 0;  // What answers now takes. 0: it is not loaded, so nothing stands beside it.
  uint64_t next_bytes = 0;      // What the next one will take more.
  uint64_t free_bytes = 0;
  bool fits() const { return standing_bytes == 0 || next_bytes <= free_bytes; }
};

// Foresees it: the next version's files, and for each of its workers what one of the standing version's has
// of its own, in proportion to its files where those are larger. Of an adapter its base's worker counts, and
// its own files where that stays.
class SwitchMemory {
 public:
  // Borrows both.
  SwitchMemory(MemoryRoom& room, FileSource& files) : room_(room), files_(files) {}
  // A standing version that is not loaded needs nothing, unless a request may load it at any time: then its
  // files count as if they were.
  enum class Standing : uint8_t { as_it_is, will_be_loaded };
  Result<SwitchNeed> foresee(const ServedModel& standing, const ServedModel& next, size_t replicas,
                             Standing how = Standing::as_it_is);

 private:
  Result<uint64_t> served_bytes(const ServedModel& model);
  Result<ServedModel> host_of(const ServedModel& model);

  MemoryRoom& room_;
  FileSource& files_;
};

// unavailable, with both figures, where it does not fit.
Status check_fits(const SwitchNeed& need);

}  // namespace holdfast::serve
