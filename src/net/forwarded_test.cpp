#include "net/forwarded.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

struct ForwardedCase {
  std::string name, peer, list, proto, trusted, address;
  bool secure = false;
};

TEST(Forwarded, IsBelievedOnlyAsFarBackAsTheProxiesAreTrusted) {
  const std::vector<ForwardedCase> cases = {
      {"nobody is trusted", "10.0.0.1", "1.2.3.4", "https", "", "10.0.0.1", false},
      {"another is trusted", "10.0.0.9", "1.2.3.4", "https", "10.0.0.1", "10.0.0.9", false},
      {"one proxy", "10.0.0.1", "1.2.3.4", "https", "10.0.0.1", "1.2.3.4", true},
      {"what a client invents before", "10.0.0.1", "6.6.6.6, 1.2.3.4", "", "10.0.0.1", "1.2.3.4", false},
      {"two proxies", "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "http", "10.0.0.1, 10.0.0.2", "1.2.3.4",
       false},
      {"all are trusted", "10.0.0.1", "10.0.0.3, 10.0.0.2", "", "10.0.0.1,10.0.0.2,10.0.0.3", "10.0.0.3",
       false},
      {"no list", "10.0.0.1", "", "https", "10.0.0.1", "10.0.0.1", true},
      {"text that is no address", "10.0.0.1", "1.2.3.4, <script>", "", "10.0.0.1", "10.0.0.1", false},
      {"no address in the middle", "10.0.0.1", "1.2.3.4, unknown, 10.0.0.2", "", "10.0.0.1, 10.0.0.2",
       "10.0.0.2", false},
      {"spellings of one address", "::1", "2001:DB8:0::7", "", "0:0:0:0:0:0:0:1", "2001:db8::7", false},
      {"empty places", "10.0.0.1", " , ,", "", "10.0.0.1", "10.0.0.1", false},
  };
  for (const ForwardedCase& one : cases) {
    Headers headers;
    if (!one.list.empty()) headers.add("x-forwarded-for", one.list);
    if (!one.proto.empty()) headers.add("X-Forwarded-Proto", one.proto);
    const auto trusted = parse_addresses(one.trusted);
    ASSERT_TRUE(trusted.ok()) << one.name;
    const Asker asker = forwarded(headers, {one.peer, false}, trusted.value());
    EXPECT_EQ(asker.address, one.address) << one.name;
    EXPECT_EQ(asker.secure, one.secure) << one.name;
  }
}

TEST(Forwarded, SeveralFieldsAreOneListAndAConnectionThatIsSecureStaysSo) {
  Headers headers;
  headers.add("X-Forwarded-For", "1.1.1.1");
  headers.add("X-Forwarded-For", "2.2.2.2");
  headers.add("X-Forwarded-Proto", "http");
  const Asker asker = forwarded(headers, {"10.0.0.1", true}, {"10.0.0.1", "2.2.2.2"});
  EXPECT_EQ(asker.address, "1.1.1.1");
  EXPECT_TRUE(asker.secure);
}

TEST(Forwarded, WhatIsNoAddressIsRefused) {
  EXPECT_TRUE(parse_addresses("").value().empty());
  for (const char* bad : {"localhost", "10.0.0.0/8", "1.2.3", "::g", "1.2.3.4 5.6.7.8"})
    EXPECT_FALSE(parse_addresses(bad).ok()) << bad;
}

}  // namespace
}  // namespace holdfast::net
