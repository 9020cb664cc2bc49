#pragma once

#include "api/lfs_limits.h"
#include "api/route.h"

namespace holdfast {
class Secret;
}
namespace holdfast::io {
class Disk;
}

namespace holdfast::api {

// The door of git-lfs, huggingface_hub and the `hf lfs-multipart-upload` agent (hub-protocol.md 1.7):
//   POST {repo}.git/info/lfs/objects/batch, …/objects/verify, GET|POST …/locks, POST …/locks/verify
//   the signed addresses of lfs_address.h, on which the bytes travel.
// Borrows the disk, which is the data folder; parts of uploads lie in data_layout::uploads.
void add_lfs_routes(RouteTable& table, Services& services, const Secret& instance_key, io::Disk& disk,
                    LfsLimits limits = {});

}  // namespace holdfast::api
