#pragma once

#include <string>
#include <string_view>

#include "api/cas_token.h"
#include "api/route.h"
#include "api/url_signature.h"
#include "content/hash.h"
#include "content/store.h"

namespace holdfast::api {

struct Services;

// What the handlers of the Xet routes share. Owned by their routes together; immutable, safe from any thread.
struct XetDoor {
  XetDoor(Services& all, const Secret& instance_key);

  Services& services;
  CasTokens tokens;
  UrlSignature data_addresses;
};

// Who comes with a CAS token, as the hub token behind it is good for now.
struct CasCaller {
  CasClaims claims;
  identity::Caller caller;
  repo::Repository repository;
};
// unauthenticated or bad_credentials without a good token, forbidden when it is only for reading,
// repo_not_found when the repository is gone or its files are no longer the caller's to read.
Result<CasCaller> cas_caller(const XetDoor& door, const Call& call, CasScope wanted);
// Whether the caller may name chunks, as content::MayUse.
content::MayUse may_use(const XetDoor& door, const identity::Caller& caller);
// The file, when the token's repository holds it or the caller may name it; object_missing otherwise.
Result<content::FileInfo> readable_file(const XetDoor& door, const CasCaller& caller,
                                        const content::FileHash& file);

// The {hash} of a path: in Xet's text form; whatever is no hash is not found.
template <class H>
Result<H> hash_in_path(const Call& call) {
  auto hash = content::parse_hash<H>(call.capture("hash"));
  if (!hash.ok()) return fail(Reason::object_missing, "Not found");
  return hash;
}

// Answers, by file.
Result<std::unique_ptr<net::BodySink>> xet_put_xorb(const XetDoor& door, const Call& call);  // xet_upload.cpp
Result<net::Response> xet_head_xorb(const XetDoor& door, const Call& call);
Result<net::Response> xet_put_shard_v1(const XetDoor& door, const Call& call);
Result<net::Response> xet_put_shard_v2(const XetDoor& door, const Call& call);
Result<net::Response> xet_dedup(const XetDoor& door, const Call& call);
Result<net::Response> xet_reconstruction_v1(const XetDoor& door, const Call& call);  // xet_download.cpp
Result<net::Response> xet_reconstruction_v2(const XetDoor& door, const Call& call);
Result<net::Response> xet_reconstructions(const XetDoor& door, const Call& call);
Result<net::Response> xet_head_file(const XetDoor& door, const Call& call);
Result<net::Response> xet_data(const XetDoor& door, const Call& call);

}  // namespace holdfast::api
