#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"

namespace holdfast::identity {

using UserId = Id<struct UserTag>;
using OrganisationId = Id<struct OrganisationTag>;
using TokenId = Id<struct TokenTag>;

// Each role includes the ones before it.
//   read: reads what is private. contributor: also creates repositories and writes those it created.
//   write: also writes all repositories. admin: also settings, deletion, members.
enum class OrgRole : uint8_t { read, contributor, write, admin };
// read: reads, opens discussions and pull requests. write: all its user may. fine_grained: what its scopes
// grant and its user may.
enum class TokenRole : uint8_t { read, write, fine_grained };

// What a scope of a fine-grained token may grant; on the wire "repo.content.read", "repo.write",
// "discussion.write", "infer", "admin" (hub-protocol.md section 2; the last two are ours).
enum class Grant : uint8_t { content_read, repo_write, discussion_write, infer, admin };

class GrantSet {
 public:
  GrantSet() = default;
  GrantSet(std::initializer_list<Grant> grants) {
    for (const Grant grant : grants) add(grant);
  }
  void add(Grant grant) { bits_ = static_cast<uint8_t>(bits_ | 1U << static_cast<unsigned>(grant)); }
  bool has(Grant grant) const { return (bits_ >> static_cast<unsigned>(grant) & 1U) != 0; }
  bool empty() const { return bits_ == 0; }
  friend bool operator==(const GrantSet&, const GrantSet&) = default;

 private:
  uint8_t bits_ = 0;
};

// What a scope or a question of permission is about. `everything` has no name; user and organisation are
// named "ns" and cover all in it; the others are named "ns/name".
enum class EntityKind : uint8_t { everything, user, organisation, model, dataset, space, endpoint };

struct Scope {
  EntityKind kind = EntityKind::everything;
  std::string name{};  // Case does not matter.
  GrantSet grants;
  friend bool operator==(const Scope&, const Scope&) = default;
};

struct Membership {
  OrganisationId id{};
  std::string organisation{};
  OrgRole role = OrgRole::read;
  friend bool operator==(const Membership&, const Membership&) = default;
};

// Who asks and by which token: all that decisions need, read once when the token was checked. A value; at
// most TokensOptions::staleness_max old. Without a user it is anonymous.
struct Caller {
  UserId user{};
  std::string name{};
  bool admin = false;  // The user administers the instance; counts only with a write token.
  TokenId token{};     // Below zero: a browser's session, with all that its user may.
  TokenRole role = TokenRole::read;
  std::vector<Scope> scopes{};  // Of a fine-grained token.
  std::vector<Membership> memberships{};
  // Of a token that is bound to one: it fetches and calls only what is approved for it, and changes nothing.
  std::string environment{};

  bool anonymous() const { return user.raw == 0; }
  bool by_session() const { return token.raw < 0; }
};

}  // namespace holdfast::identity
