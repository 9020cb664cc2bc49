#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/lfs_address.h"
#include "base/random.h"
#include "io/disk.h"

namespace holdfast::api {

// How many parts an object has, and how large one of them is.
uint32_t part_count(uint64_t size, uint64_t part_bytes);
uint64_t part_size(uint64_t size, uint64_t part_bytes, uint32_t number);

// A part on its way to the disk. Destroyed without `finish`, or when the size is not the announced one,
// nothing stays.
class PartWriter {
 public:
  virtual ~PartWriter() = default;
  virtual Status write(ByteView bytes) = 0;
  virtual Result<std::string> finish() = 0;  // Its ETag, quotes included.
};

// Parts of objects that are not complete, as files in folders of their own on the data disk. They need not be
// durable: the whole is hashed when it is put together, and a lost part is sent again. Safe from any thread;
// two writers of the same part replace each other whole.
class LfsParts {
 public:
  LfsParts(io::Disk& disk, Random& random, io::Path folder)
      : disk_(disk), random_(random), root_(std::move(folder)) {}

  Result<std::unique_ptr<PartWriter>> begin(const LfsPart& part);
  // Gives all bytes in order. object_missing when a part is not there or of another size.
  Status read_all(const LfsTicket& ticket, std::string_view folder, uint64_t part_bytes,
                  const std::function<Status(ByteView)>& each);
  Status remove(std::string_view folder);
  // Removes the folders whose time is over. For the maintenance timer, and before new uploads in parts.
  Status remove_old(WallTime now);

 private:
  io::Disk& disk_;
  Random& random_;
  io::Path root_;
};

}  // namespace holdfast::api
