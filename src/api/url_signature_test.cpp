#include "api/url_signature.h"

#include <gtest/gtest.h>

namespace holdfast::api {
namespace {

const Secret instance_key("0123456789abcdef");
constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

net::Request request_for(std::string method, std::string target) {
  net::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  return request;
}

TEST(UrlSignature, a_signed_address_gives_its_words_back) {
  const UrlSignature signature(instance_key, "lfs");
  const std::string target = signature.sign("PUT", "/lfs/objects/00ff", {{"size", "3"}, {"name", "a b&c=é"}},
                                            now + std::chrono::hours(1));
  const auto words = signature.check(request_for("PUT", target), now);
  ASSERT_TRUE(words.ok()) << words.error().message;
  EXPECT_EQ(words.value().get("size"), "3");
  EXPECT_EQ(words.value().get("name"), "a b&c=é");
}

TEST(UrlSignature, any_changed_byte_is_refused) {
  const UrlSignature signature(instance_key, "lfs");
  const std::string target =
      signature.sign("PUT", "/lfs/objects/00ff", {{"size", "3"}}, now + std::chrono::hours(1));
  for (size_t at = 0; at < target.size(); ++at) {
    std::string changed = target;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_EQ(signature.check(request_for("PUT", changed), now).error().reason, Reason::forbidden) << changed;
  }
  for (size_t size = 0; size < target.size(); ++size)
    EXPECT_FALSE(signature.check(request_for("PUT", target.substr(0, size)), now).ok());
  EXPECT_FALSE(signature.check(request_for("PUT", target + "&size=4"), now).ok());
  EXPECT_FALSE(signature.check(request_for("GET", target), now).ok());
}

TEST(UrlSignature, other_purposes_and_other_instances_sign_differently) {
  const std::string target =
      UrlSignature(instance_key, "lfs").sign("GET", "/x", {}, now + std::chrono::hours(1));
  EXPECT_TRUE(UrlSignature(instance_key, "lfs").check(request_for("GET", target), now).ok());
  EXPECT_TRUE(UrlSignature(instance_key, "lfs").check(request_for("HEAD", target), now).ok());
  EXPECT_FALSE(UrlSignature(instance_key, "xet").check(request_for("GET", target), now).ok());
  EXPECT_FALSE(UrlSignature(Secret("other"), "lfs").check(request_for("GET", target), now).ok());
}

TEST(UrlSignature, it_expires) {
  const UrlSignature signature(instance_key, "lfs");
  const std::string target = signature.sign("GET", "/x", {}, now + std::chrono::seconds(10));
  EXPECT_TRUE(signature.check(request_for("GET", target), now + std::chrono::seconds(9)).ok());
  const auto late = signature.check(request_for("GET", target), now + std::chrono::seconds(10));
  EXPECT_NE(late.error().message.find("expired"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::api
