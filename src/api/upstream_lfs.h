#pragma once

#include "api/upstream_door.h"
#include "exchange/mirror.h"

namespace holdfast::api {

// The branch or tag that a batch of downloads says it is for, "main" without one; nullopt for uploads: there
// is nothing here to upload to.
std::optional<std::string> lfs_download_revision(const net::Request& request);
// git-lfs's batch, answered from what is on its way: addresses of the arriving files, which send them as they
// come.
Result<net::Response> arriving_lfs_batch(const UpstreamQuestion& question,
                                         const exchange::ArrivingRevision& revision);

}  // namespace holdfast::api
