#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "codec/percent.h"
#include "net/message.h"

namespace holdfast::api {

// Makes addresses that carry their own right: for one method on one path, with words that cannot be changed,
// until a time. The signature is HMAC-SHA-256 over method, path and query under a key derived from the
// instance's key and a purpose, so that an address of one door opens no other. Immutable; safe from any
// thread.
class UrlSignature {
 public:
  UrlSignature(const Secret& instance_key, std::string_view purpose);

  // "PATH?words…&expires=UNIX_SECONDS&signature=HEX". The path is as it stands in an address: encoded
  // already.
  std::string sign(std::string_view method, std::string_view path, codec::FormPairs words,
                   WallTime expires) const;
  // The words of a signed request. forbidden when they are not what was signed, or too late. HEAD passes
  // where GET was signed.
  Result<net::Query> check(const net::Request& request, WallTime now) const;

 private:
  std::string signature_of(std::string_view method, std::string_view target) const;

  Bytes key_;
};

}  // namespace holdfast::api
