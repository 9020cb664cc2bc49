#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/url_signature.h"
#include "base/clock.h"
#include "codec/sha256.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::api {

// One object that one token may move for one repository: what a signed LFS address says.
struct LfsTicket {
  codec::Sha256Digest oid{};
  uint64_t size = 0;
  repo::RepoId repo;
  identity::UserId user;  // Zero for an anonymous download.
  identity::TokenId token;
};

// A part of an object that is sent in parts. The folder names the upload: "EXPIRES-NAME", so that what was
// abandoned is told by its name (unix seconds, and 32 hexadecimal digits of token and object).
struct LfsPart {
  std::string folder;
  uint32_t number = 0;  // From 1.
  uint64_t size = 0;
};

// The signed addresses of the LFS door, and their reading:
//   PUT  /lfs/objects/OID            the whole object
//   GET  /lfs/objects/OID
//   PUT  /lfs/parts/FOLDER/NUMBER    a part
//   POST /lfs/parts/FOLDER           all parts are there
// Uploads may last as long as the session in which the object may be named afterwards; downloads are begun
// soon. Immutable; safe from any thread.
class LfsAddresses {
 public:
  static constexpr std::chrono::hours upload_span{12}, download_span{1};

  LfsAddresses(const Secret& instance_key, const Clock& clock)
      : signature_(instance_key, "lfs"), clock_(clock) {}

  std::string upload(std::string_view base_url, const LfsTicket& ticket) const;
  std::string download(std::string_view base_url, const LfsTicket& ticket) const;
  std::string part(std::string_view base_url, const LfsTicket& ticket, const LfsPart& part) const;
  std::string complete(std::string_view base_url, const LfsTicket& ticket, std::string_view folder,
                       uint64_t part_bytes) const;

  // forbidden when the address was not signed for this request, or has expired.
  Result<LfsTicket> read(const net::Request& request) const;
  Result<LfsPart> read_part(const net::Request& request) const;  // After `read`: of a PUT of a part.
  Result<uint64_t> read_part_bytes(
      const net::Request& request) const;  // After `read`: of a POST of all parts.

  WallTime upload_expires() const { return clock_.wall() + upload_span; }
  WallTime download_expires() const { return clock_.wall() + download_span; }
  // The folder of this ticket's parts.
  std::string part_folder(const LfsTicket& ticket) const;

 private:
  UrlSignature signature_;
  const Clock& clock_;
};

}  // namespace holdfast::api
