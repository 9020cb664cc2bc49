#pragma once

#include <boost/json/fwd.hpp>
#include <memory>

#include "api/lfs_address.h"
#include "api/lfs_parts.h"
#include "api/lfs_routes.h"

namespace holdfast::api {

struct Services;

// What the handlers of the LFS routes share. Owned by their routes together; immutable, safe from any thread.
struct LfsDoor {
  LfsDoor(Services& all, const Secret& instance_key, io::Disk& disk, LfsLimits given);

  Services& services;
  LfsLimits limits;
  LfsAddresses addresses;
  mutable LfsParts parts;

  // How large the parts of an object are.
  uint64_t part_bytes_of(uint64_t size) const;
};

// Answers, one file each.
Result<net::Response> lfs_batch(const LfsDoor& door, const Call& call);
Result<net::Response> lfs_verify(const LfsDoor& door, const Call& call);
Result<net::Response> lfs_download(const LfsDoor& door, const Call& call);
Result<std::unique_ptr<net::BodySink>> lfs_upload(const LfsDoor& door, const Call& call);
Result<std::unique_ptr<net::BodySink>> lfs_upload_part(const LfsDoor& door, const Call& call);
Result<net::Response> lfs_complete(const LfsDoor& door, const Call& call);

// The address was signed for a token: which still holds, and whose repository is still there. forbidden
// otherwise.
Result<identity::Caller> lfs_uploader(const LfsDoor& door, const LfsTicket& ticket);
// An answer in git-lfs's own media type.
net::Response lfs_answer(const boost::json::value& value, int status = 200);

}  // namespace holdfast::api
