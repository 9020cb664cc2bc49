#pragma once

#include <cstdint>
#include <string_view>

#include "identity/caller.h"

namespace holdfast::identity {

// Each right includes the ones before it. contribute: open discussions and pull requests, which every
// signed-in reader may.
enum class Right : uint8_t { read, contribute, write, admin };

enum class Visibility : uint8_t { public_, private_ };

// What a question is about; borrowed for the call.
struct Resource {
  EntityKind kind = EntityKind::model;
  std::string_view ns{};
  std::string_view name{};  // Empty: the namespace itself.
  Visibility visibility = Visibility::private_;
  std::string_view creator{};  // The user who created it; empty when not known. Contributors write their own.
};

enum class AnonymousReads : uint8_t { public_repositories, nothing };

// Decides what a caller may do, from the caller alone: pure, default deny, safe from any thread.
// The namespace of the caller's own name gives it every right; an organisation gives what the role in it
// gives; visibility public_ gives everybody read, and contribute to those signed in. The token then narrows:
// read to read and contribute, fine_grained to its scopes (public things stay readable). An instance
// administrator may everything, with a write token only.
class Permission {
 public:
  explicit Permission(AnonymousReads anonymous_reads = AnonymousReads::public_repositories)
      : anonymous_reads_(anonymous_reads) {}

  bool may(const Caller& caller, Right right, const Resource& resource) const;
  // A new repository in the namespace: own name, or contributor and above.
  bool may_create(const Caller& caller, EntityKind kind, std::string_view ns, std::string_view name) const;
  // Call a model or endpoint: sees it, is signed in, and a fine-grained token has the grant infer on it.
  bool may_infer(const Caller& caller, const Resource& resource) const;
  // Users, tokens of others, settings of the instance.
  bool may_administer_instance(const Caller& caller) const;

 private:
  AnonymousReads anonymous_reads_;
};

}  // namespace holdfast::identity
