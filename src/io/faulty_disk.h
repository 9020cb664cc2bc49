#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/random.h"
#include "io/disk.h"

namespace holdfast::io {

// What goes wrong, and when. Exactly these faults are injected, and no others:
//   full_after_bytes  Bytes written in all (append, write_at) beyond it fail with disk_full; what fits of the
//                     write that crosses it is written, as a kernel does. create still works; free_bytes
//                     tells.
//   fail_at           The operation of this number (from 1) and no other fails with an I/O error and does
//                     nothing. Operations are the calls of Disk that open, create, rename, remove, make, sync
//                     or list, and those of its files that read, append, write_at, truncate or sync.
//   fail_one_in       Each operation fails so with probability 1/n.
//   tear_at_write     The append or write_at of this number (from 1) writes a random part of its bytes, from
//   the
//                     start, and then fails with an I/O error: what a crash in the middle leaves.
//   syncs = lost      sync and sync_directory say done and do nothing: a disk that lies. Only a MemoryDisk
//                     below shows the difference, at its next crash.
// Not injected: bytes that read back changed (checksums are tested by writing wrong bytes), slow answers, and
// faults of map, free_bytes and stat.
struct Faults {
  enum class Syncs : uint8_t { kept, lost };

  std::optional<uint64_t> full_after_bytes = {};
  std::optional<uint64_t> fail_at = {};
  std::optional<uint64_t> fail_one_in = {};
  std::optional<uint64_t> tear_at_write = {};
  Syncs syncs = Syncs::kept;
};

// Another disk, with faults. Borrows the disk and the dice; its files must not outlive it. Safe from any
// thread, but the order of operations, and so the place of a fault, is that of the threads.
class FaultyDisk : public Disk {
 public:
  virtual void set(const Faults& faults) = 0;  // Counting starts again.
  virtual uint64_t operations() const = 0;     // Since then: to try a fault at each.
  virtual uint64_t writes() const = 0;
};
std::unique_ptr<FaultyDisk> make_faulty_disk(Disk& below, Random& random, const Faults& faults = {});

}  // namespace holdfast::io
