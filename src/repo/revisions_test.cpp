#include "repo/revisions.h"

#include <gtest/gtest.h>

#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

// What the plain way finds, which opens the repository each time.
Result<Revision> plain(TestHub& hub, const Repository& where, std::string_view name) {
  const auto objects = TestHub::require_value(hub.hub().storage.open(where.id));
  return find_revision(hub.hub().publisher, objects, where.id, name);
}

TEST(Revisions, AreThoseOfThePlainWayHoweverOftenAndAfterEveryCommit) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  const Repository other = hub.create("ada", "ada/other");
  for (int round = 0; round < 3; ++round) {
    TestHub::require_value(hub.commit(ada, model, "a.txt", std::to_string(round)));
    const std::string head = TestHub::require_value(plain(hub, model, "main")).commit.hex();
    for (const std::string& name :
         {std::string("main"), std::string("HEAD"), std::string("refs/heads/main"), head, head.substr(0, 8),
          std::string("no-such-branch"), std::string("0123456789"), std::string("refs/pr/1")}) {
      for (const Repository& where : {model, other}) {
        for (int again = 0; again < 2; ++again) {
          const auto wanted = plain(hub, where, name);
          const auto found = hub.hub().revisions.find(where.id, name);
          ASSERT_EQ(found.ok(), wanted.ok()) << name;
          if (!found.ok()) {
            EXPECT_EQ(found.error().reason, wanted.error().reason);
            EXPECT_EQ(found.error().message, wanted.error().message);
            continue;
          }
          EXPECT_EQ(found.value().commit, wanted.value().commit) << name;
          EXPECT_EQ(found.value().ref, wanted.value().ref) << name;
        }
      }
    }
  }
}

}  // namespace
}  // namespace holdfast::repo
