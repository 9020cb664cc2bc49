#pragma once

#include <memory>

#include "base/random.h"
#include "io/disk.h"

namespace holdfast::io {

// A disk in memory that can lose power. What is durable follows the rules of disk.h: the bytes of a file
// since its last sync, and the names in a folder since its last sync_directory (make_directories syncs by
// itself). Handles opened before a crash must not be used after it. Safe from any thread, except crash.
class MemoryDisk : public Disk {
 public:
  // Keeps what was durable and nothing else: the worst a real disk may do with names, and with bytes save a
  // tear.
  virtual void crash() = 0;
  // Each name and each file's bytes not yet durable survive or not as the dice fall; bytes that survive may
  // be torn: a prefix of the new ones, the rest as it was.
  virtual void crash(Random& random) = 0;
};
std::unique_ptr<MemoryDisk> make_crashing_disk();

}  // namespace holdfast::io
