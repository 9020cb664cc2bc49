#include "exchange/upstreams.h"

#include <gtest/gtest.h>

#include "exchange/schema.h"
#include "repo/hub_test_kit.h"

namespace holdfast::exchange {
namespace {

using repo::TestHub;

class UpstreamsTest : public testing::Test {
 protected:
  UpstreamsTest() { TestHub::require(sql::migrate(hub_.database(), migrations(), 1)); }
  TestHub hub_;
  Upstreams upstreams_{hub_.database(), hub_.accounts(), hub_.audit(), hub_.clock()};
};

TEST_F(UpstreamsTest, StandBehindTheirNamespacesByTheirRules) {
  TestHub::require(upstreams_.set("root", {.name = "hub",
                                           .url = "https://hub.example.org",
                                           .namespaces = "demo, mirror=their-lab",
                                           .allow = "demo/*,their-lab/b*",
                                           .deny = "*secret*"}));
  const auto place = TestHub::require_value(upstreams_.behind("Mirror", "bert"));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->remote, "their-lab/bert");
  EXPECT_TRUE(check_rules(*place).ok());
  EXPECT_EQ(check_rules(*TestHub::require_value(upstreams_.behind("mirror", "gpt"))).error().reason,
            Reason::policy_refused);
  EXPECT_FALSE(check_rules(*TestHub::require_value(upstreams_.behind("demo", "a-secret-one"))).ok());
  EXPECT_FALSE(TestHub::require_value(upstreams_.behind("lab", "bert")));
  EXPECT_TRUE(hub_.accounts().find_organisation("demo").ok()) << "the namespace is not taken";
  TestHub::require(upstreams_.remove("root", "hub"));
  EXPECT_FALSE(TestHub::require_value(upstreams_.behind("demo", "bert")));
}

TEST_F(UpstreamsTest, NamespacesOfOthersAreNotTaken) {
  TestHub::require(upstreams_.set("root", {.name = "one", .url = "http://a", .namespaces = "demo"}));
  for (const Upstream& wrong : {Upstream{.name = "two", .url = "http://b", .namespaces = "demo"},
                                Upstream{.name = "two", .url = "http://b", .namespaces = "ada"},
                                Upstream{.name = "two", .url = "http://b", .namespaces = ""},
                                Upstream{.name = "two", .url = "http://b/", .namespaces = "x"},
                                Upstream{.name = "two", .url = "http://me:pass@b", .namespaces = "x"},
                                Upstream{.name = "two", .url = "file:///etc", .namespaces = "x"},
                                Upstream{.name = "", .url = "http://b", .namespaces = "x"}})
    EXPECT_EQ(upstreams_.set("root", wrong).error().reason, Reason::bad_request) << wrong.url;
}

TEST(Upstreams, HostsAreReadFromAddresses) {
  EXPECT_EQ(host_of("https://Hub.Example.org:8443/x"), "hub.example.org");
  EXPECT_EQ(host_of("http://127.0.0.1:80"), "127.0.0.1");
  EXPECT_EQ(host_of("http://[::1]:80/a"), "[::1]");
  EXPECT_EQ(host_of("https://hub"), "hub");
}

}  // namespace
}  // namespace holdfast::exchange
