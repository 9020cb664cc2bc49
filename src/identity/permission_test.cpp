#include "identity/permission.h"

#include <gtest/gtest.h>

#include <random>

#include "identity/names.h"

namespace holdfast::identity {
namespace {

constexpr Right rights[] = {Right::read, Right::contribute, Right::write, Right::admin};
constexpr OrgRole org_roles[] = {OrgRole::read, OrgRole::contributor, OrgRole::write, OrgRole::admin};
constexpr TokenRole token_roles[] = {TokenRole::read, TokenRole::write};
constexpr EntityKind repo_kinds[] = {EntityKind::model, EntityKind::dataset, EntityKind::space,
                                     EntityKind::endpoint};
constexpr Grant grants[] = {Grant::content_read, Grant::repo_write, Grant::discussion_write, Grant::infer,
                            Grant::admin};

Caller user(TokenRole role) {
  return Caller{.user = UserId{7}, .name = "Ada", .admin = false, .token = TokenId{1}, .role = role};
}
Caller member(OrgRole in, TokenRole role) {
  Caller caller = user(role);
  caller.memberships = {{OrganisationId{3}, "Lab", in}};
  return caller;
}

// The most of the four rights, as a letter: '-', r(ead), c(ontribute), w(rite), a(dmin).
char most(const Permission& permission, const Caller& caller, const Resource& resource) {
  char letter = '-';
  for (const Right right : rights)
    if (permission.may(caller, right, resource)) letter = "rcwa"[static_cast<int>(right)];
  return letter;
}

// Everybody × token × visibility: the whole matrix, as a page.
TEST(Permission, TheWholeMatrix) {
  struct Row {
    const char* who;
    Caller read_token, write_token;
    // Of a repository of "lab": read token on public, private; write token on public, private; the last two
    // on one that Ada created.
    const char* expected;
  };
  Caller admin_read = user(TokenRole::read), admin_write = user(TokenRole::write);
  admin_read.admin = admin_write.admin = true;
  const Row rows[] = {
      {"anonymous", {}, {}, "r- r- r-"},
      {"stranger", user(TokenRole::read), user(TokenRole::write), "c- c- c-"},
      {"read", member(OrgRole::read, TokenRole::read), member(OrgRole::read, TokenRole::write), "cc cc cc"},
      {"contributor", member(OrgRole::contributor, TokenRole::read),
       member(OrgRole::contributor, TokenRole::write), "cc cc ww"},
      {"write", member(OrgRole::write, TokenRole::read), member(OrgRole::write, TokenRole::write),
       "cc ww ww"},
      {"admin", member(OrgRole::admin, TokenRole::read), member(OrgRole::admin, TokenRole::write),
       "cc aa aa"},
      {"instance admin", admin_read, admin_write, "c- aa aa"},
  };
  const Permission permission;
  for (const auto& [who, read_token, write_token, expected] : rows) {
    std::string seen;
    const auto add = [&](const Caller& caller, std::string_view creator) {
      for (const Visibility visibility : {Visibility::public_, Visibility::private_})
        seen += most(permission, caller,
                     {.ns = "lab", .name = "engine", .visibility = visibility, .creator = creator});
      seen += ' ';
    };
    add(read_token, "");
    add(write_token, "");
    add(write_token, "ada");
    seen.pop_back();
    EXPECT_EQ(seen, expected) << who;
  }
}

TEST(Permission, AUserOwnsItsNamespaceInAnySpelling) {
  const Permission permission;
  const Resource own{.ns = "aDA", .name = "engine", .visibility = Visibility::private_};
  EXPECT_EQ(most(permission, user(TokenRole::write), own), 'a');
  EXPECT_EQ(most(permission, user(TokenRole::read), own), 'c');
  EXPECT_EQ(most(permission, {}, own), '-');
  // Anonymous has an empty name, which no namespace may equal.
  EXPECT_EQ(most(permission, {}, {.ns = "", .name = "x", .visibility = Visibility::private_}), '-');
}

TEST(Permission, AnInstanceMayHideEverythingFromTheAnonymous) {
  const Permission permission(AnonymousReads::nothing);
  const Resource open{.ns = "lab", .name = "engine", .visibility = Visibility::public_};
  EXPECT_EQ(most(permission, {}, open), '-');
  EXPECT_EQ(most(permission, user(TokenRole::read), open), 'c');
}

TEST(Permission, FineGrainedTokensMayWhatTheirScopesSay) {
  struct Case {
    const char* why;
    EntityKind kind;
    const char* name;
    GrantSet grants;
    const char* expected;  // Most on own model "ada/m" public, private; infer, create there: 'y' or 'n'.
  };
  const Case cases[] = {
      {"no grant", EntityKind::model, "ada/m", {}, "r-nn"},
      {"content", EntityKind::model, "ada/m", {Grant::content_read}, "rrnn"},
      {"write", EntityKind::model, "ada/m", {Grant::repo_write}, "wwny"},
      {"discussion alone reads nothing private",
       EntityKind::model,
       "ada/m",
       {Grant::discussion_write},
       "c-nn"},
      {"discussion and content",
       EntityKind::model,
       "ada/m",
       {Grant::discussion_write, Grant::content_read},
       "ccnn"},
      {"infer reads no files", EntityKind::model, "ada/m", {Grant::infer}, "r-yn"},
      {"admin", EntityKind::model, "ada/m", {Grant::admin}, "aayy"},
      {"another kind", EntityKind::dataset, "ada/m", {Grant::admin}, "r-nn"},
      {"another name", EntityKind::model, "ada/other", {Grant::admin}, "r-nn"},
      {"a name that starts alike", EntityKind::model, "ada/m2", {Grant::admin}, "r-nn"},
      {"another namespace", EntityKind::model, "lab/m", {Grant::admin}, "r-nn"},
      {"the namespace", EntityKind::user, "ADA", {Grant::repo_write}, "wwny"},
      {"everything", EntityKind::everything, "", {Grant::repo_write}, "wwny"},
  };
  const Permission permission;
  for (const auto& [why, kind, name, grant_set, expected] : cases) {
    Caller caller = user(TokenRole::fine_grained);
    caller.scopes = {Scope{kind, name, grant_set}};
    const Resource open{.ns = "ada", .name = "m", .visibility = Visibility::public_};
    const Resource closed{.ns = "ada", .name = "m", .visibility = Visibility::private_};
    const std::string seen{most(permission, caller, open), most(permission, caller, closed),
                           permission.may_infer(caller, closed) ? 'y' : 'n',
                           permission.may_create(caller, EntityKind::model, "ada", "m") ? 'y' : 'n'};
    EXPECT_EQ(seen, expected) << why;
  }
}

TEST(Permission, AScopeGivesNothingThatItsUserMayNot) {
  const Permission permission;
  Caller caller = user(TokenRole::fine_grained);
  caller.admin = true;
  caller.scopes = {Scope{EntityKind::everything, "", {Grant::admin, Grant::repo_write, Grant::infer}}};
  const Resource closed{.ns = "lab", .name = "engine", .visibility = Visibility::private_};
  EXPECT_EQ(most(permission, caller, closed), '-');
  EXPECT_FALSE(permission.may_infer(caller, closed));
  EXPECT_FALSE(permission.may_create(caller, EntityKind::model, "lab", "engine"));
  EXPECT_FALSE(permission.may_administer_instance(caller));
}

TEST(Permission, WhoMayCreate) {
  const Permission permission;
  const auto may = [&](const Caller& caller, std::string_view ns) {
    return permission.may_create(caller, EntityKind::model, ns, "new");
  };
  EXPECT_FALSE(may({}, ""));
  EXPECT_TRUE(may(user(TokenRole::write), "ada"));
  EXPECT_FALSE(may(user(TokenRole::read), "ada"));
  EXPECT_FALSE(may(user(TokenRole::write), "lab"));
  EXPECT_FALSE(may(member(OrgRole::read, TokenRole::write), "lab"));
  EXPECT_TRUE(may(member(OrgRole::contributor, TokenRole::write), "lab"));
  EXPECT_TRUE(may(member(OrgRole::admin, TokenRole::write), "LAB"));
  EXPECT_FALSE(may(member(OrgRole::admin, TokenRole::read), "lab"));
}

TEST(Permission, OnlyAnAdministratorsWriteTokenAdministers) {
  const Permission permission;
  Caller caller = user(TokenRole::write);
  EXPECT_FALSE(permission.may_administer_instance(caller));
  caller.admin = true;
  EXPECT_TRUE(permission.may_administer_instance(caller));
  caller.role = TokenRole::read;
  EXPECT_FALSE(permission.may_administer_instance(caller));
}

// Chance picks a situation; everything that adds power is tried, and nothing that was allowed may be lost by
// it.
class Situations {
 public:
  explicit Situations(unsigned seed) : engine_(seed) {}
  size_t below(size_t bound) { return std::uniform_int_distribution<size_t>(0, bound - 1)(engine_); }
  bool coin() { return below(2) == 1; }
  std::string_view ns() { return std::array<std::string_view, 3>{"ada", "lab", "else"}[below(3)]; }
  std::string_view name() { return std::array<std::string_view, 2>{"m", "n"}[below(2)]; }

  Resource resource() {
    return {.kind = repo_kinds[below(4)],
            .ns = ns(),
            .name = name(),
            .visibility = coin() ? Visibility::public_ : Visibility::private_,
            .creator = coin() ? "ada" : "bob"};
  }
  Scope scope() {
    Scope scope;
    scope.kind = std::array{EntityKind::everything, EntityKind::user, EntityKind::model,
                            EntityKind::dataset}[below(4)];
    if (scope.kind == EntityKind::user) scope.name = ns();
    if (scope.kind == EntityKind::model || scope.kind == EntityKind::dataset)
      scope.name = std::string(ns()) + "/" + std::string(name());
    for (const Grant grant : grants)
      if (coin()) scope.grants.add(grant);
    return scope;
  }
  Caller caller() {
    Caller caller = user(std::array{TokenRole::read, TokenRole::write, TokenRole::fine_grained}[below(3)]);
    caller.admin = below(8) == 0;
    if (coin()) caller.memberships = {{OrganisationId{3}, "lab", org_roles[below(4)]}};
    if (caller.role == TokenRole::fine_grained)
      for (size_t count = below(3); count > 0; --count) caller.scopes.push_back(scope());
    return caller;
  }

 private:
  std::mt19937 engine_;
};

std::string allowed(const Permission& permission, const Caller& caller, const Resource& resource) {
  std::string bits;
  for (const Right right : rights) bits += permission.may(caller, right, resource) ? '1' : '0';
  bits += permission.may_create(caller, resource.kind, resource.ns, resource.name) ? '1' : '0';
  bits += permission.may_infer(caller, resource) ? '1' : '0';
  bits += permission.may_administer_instance(caller) ? '1' : '0';
  return bits;
}

bool includes(const std::string& more, const std::string& less) {
  for (size_t i = 0; i < less.size(); ++i)
    if (less[i] == '1' && more[i] == '0') return false;
  return true;
}

TEST(Permission, MorePowerNeverMeansLessRight) {
  const unsigned seed = std::random_device()();
  Situations pick(seed);
  const Permission permission;
  for (int round = 0; round < 20'000; ++round) {
    const Caller caller = pick.caller();
    const Resource resource = pick.resource();
    const std::string now = allowed(permission, caller, resource);
    const auto expect_more = [&](const char* what, const Caller& stronger, const Resource& easier) {
      ASSERT_TRUE(includes(allowed(permission, stronger, easier), now))
          << what << ", seed " << seed << ", round " << round << ": " << now << " became "
          << allowed(permission, stronger, easier);
    };
    // Each right includes the ones before it.
    ASSERT_EQ(now.substr(0, 4).find("01"), std::string::npos) << "seed " << seed << ", round " << round;

    Caller stronger = caller;
    stronger.role = TokenRole::write;
    expect_more("a write token", stronger, resource);
    stronger = caller;
    stronger.admin = true;
    expect_more("an administrator", stronger, resource);
    stronger = caller;
    if (stronger.memberships.empty())
      stronger.memberships = {{OrganisationId{3}, "lab", OrgRole::read}};
    else if (stronger.memberships[0].role != OrgRole::admin)
      stronger.memberships[0].role = org_roles[static_cast<size_t>(stronger.memberships[0].role) + 1];
    expect_more("a higher role", stronger, resource);
    stronger = caller;
    if (stronger.role == TokenRole::fine_grained) stronger.scopes.push_back(pick.scope());
    expect_more("one more scope", stronger, resource);
    Resource easier = resource;
    easier.visibility = Visibility::public_;
    expect_more("made public", caller, easier);
    easier = resource;
    easier.creator = "ada";
    expect_more("created by the caller", caller, easier);
    ASSERT_TRUE(includes(now, allowed(permission, {}, resource))) << "anonymous, seed " << seed;
  }
}

TEST(Names, LegalAndIllegal) {
  struct Case {
    const char* why;
    std::string name;
    bool legal;
  };
  for (const auto& [why, name, legal] : {
           Case{"plain", "ada", true},
           Case{"leading underscores", "__DUMMY_HUB_USER__", true},
           Case{"all kinds", "A-b_c.9", true},
           Case{"one", "a", true},
           Case{"longest", std::string(96, 'a'), true},
           Case{"too long", std::string(97, 'a'), false},
           Case{"empty", "", false},
           Case{"slash", "a/b", false},
           Case{"space", "a b", false},
           Case{"zero byte", std::string("a\0b", 3), false},
           Case{"not ASCII", "ad\xc3\xa4", false},
           Case{"dot", ".", false},
           Case{"dots", "..", false},
           Case{"hidden", ".git", false},
           Case{"last dot", "a.", false},
           Case{"an option", "-rf", false},
           Case{"two dots inside", "a..b", false},
           Case{"two dashes inside", "a--b", false},
       })
    EXPECT_EQ(check_account_name(name).ok(), legal) << why;
}

TEST(Names, EveryWordReadsBack) {
  for (const OrgRole role : org_roles) EXPECT_EQ(org_role_of(org_role_name(role)), role);
  for (const TokenRole role : token_roles) EXPECT_EQ(token_role_of(token_role_name(role)), role);
  EXPECT_EQ(token_role_of("fine-grained"), TokenRole::fine_grained);
  EXPECT_EQ(token_role_of("fineGrained"), TokenRole::fine_grained);
  for (const Grant grant : grants) EXPECT_EQ(grant_of(grant_name(grant)), grant);
  for (const EntityKind kind : repo_kinds) EXPECT_EQ(entity_kind_of(entity_kind_name(kind)), kind);
  EXPECT_EQ(org_role_of("owner"), std::nullopt);
}

}  // namespace
}  // namespace holdfast::identity
