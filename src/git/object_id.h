#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

struct git_oid;

namespace holdfast::git {

// The name of a git object: SHA-1 of its type, size and bytes. All zero stands for "no object", as in git's
// ref commands.
class ObjectId {
 public:
  ObjectId() = default;
  explicit ObjectId(const git_oid& oid);
  // Exactly 40 hexadecimal digits, either case; bad_request otherwise.
  static Result<ObjectId> parse(std::string_view hex);

  bool zero() const { return *this == ObjectId(); }
  std::string hex() const;  // 40 lower-case digits.
  ByteView bytes() const { return raw_; }
  git_oid to_git() const;

  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;

 private:
  std::array<std::byte, 20> raw_{};
};

// The name git gives `content` as a blob.
ObjectId blob_id(ByteView content);

}  // namespace holdfast::git

template <>
struct std::hash<holdfast::git::ObjectId> {
  size_t operator()(const holdfast::git::ObjectId& id) const noexcept {
    size_t first = 0;
    __builtin_memcpy(&first, id.bytes().data(), sizeof first);
    return first;
  }
};
