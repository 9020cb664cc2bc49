#pragma once

#include <cstdint>

#include "api/route.h"

namespace holdfast {
class Secret;
}
namespace holdfast::io {
class Disk;
}

namespace holdfast::api {

struct LfsLimits {
  uint64_t object_bytes_max = 1ULL << 40;
  size_t objects_max = 1000;                   // Of one batch.
  uint64_t parts_above_bytes = 5'000'000'000;  // Larger ones go in parts, where the client can.
  uint64_t part_bytes = 64 << 20;              // Grows so that an object has at most `parts_max`.
  uint32_t parts_max = 1000;
};

// The door of git-lfs, huggingface_hub and the `hf lfs-multipart-upload` agent (hub-protocol.md 1.7):
//   POST {repo}.git/info/lfs/objects/batch, …/objects/verify, GET|POST …/locks, POST …/locks/verify
//   the signed addresses of lfs_address.h, on which the bytes travel.
// Borrows the disk, which is the data folder; parts of uploads lie in data_layout::uploads.
void add_lfs_routes(RouteTable& table, Services& services, const Secret& instance_key, io::Disk& disk,
                    LfsLimits limits = {});

}  // namespace holdfast::api
