#include "git/object_id.h"

#include <git2/oid.h>

#include <algorithm>
#include <cstring>

#include "codec/hex.h"
#include "codec/sha1.h"

namespace holdfast::git {

ObjectId::ObjectId(const git_oid& oid) { std::memcpy(raw_.data(), oid.id, raw_.size()); }

Result<ObjectId> ObjectId::parse(std::string_view hex) {
  if (hex.size() != 40)
    return fail(Reason::bad_request, "the name of a git object has 40 hexadecimal digits");
  TRY(const Bytes raw, codec::from_hex(hex));
  ObjectId id;
  std::copy(raw.begin(), raw.end(), id.raw_.begin());
  return id;
}

std::string ObjectId::hex() const { return codec::to_hex(raw_); }

git_oid ObjectId::to_git() const {
  git_oid oid;
  std::memcpy(oid.id, raw_.data(), raw_.size());
  return oid;
}

ObjectId blob_id(ByteView content) {
  const codec::Sha1Digest digest = codec::git_blob_sha1(content);
  git_oid oid;
  std::memcpy(oid.id, digest.data(), digest.size());
  return ObjectId(oid);
}

}  // namespace holdfast::git
