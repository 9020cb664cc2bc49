#include "page/pages.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "page/assets.h"

namespace holdfast::page {
namespace {

const Error unknown_path = fail(Code::not_found, "no such path");

net::Request asked(const std::string& target, const std::string& accept = "text/html,*/*",
                   const std::string& method = "GET") {
  net::Request request;
  request.method = method;
  request.target = target;
  request.headers.add("Accept", accept);
  return request;
}

TEST(Pages, ABrowserGetsTheDocumentWhereNoRouteAnswers) {
  for (const char* path : {"/", "/login", "/lab/engine", "/datasets/lab/mails", "/lab/engine/tree/main/a%2Fb",
                           "/registry/releases/7", "/lab/engine?tab=files", "/static.files/x"}) {
    const auto answer = answer_browser(asked(path), unknown_path);
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 200) << path;
    EXPECT_EQ(answer->headers.get("Content-Type"), "text/html; charset=utf-8");
    EXPECT_NE(std::get<std::string>(answer->body).find("<!doctype html>"), std::string::npos);
  }
  EXPECT_TRUE(answer_browser(asked("/lab/engine/ask-access"), fail(Reason::method_not_allowed, "")));
}

TEST(Pages, ProgramsMachinePathsAndOtherErrorsDoNot) {
  EXPECT_FALSE(answer_browser(asked("/lab/engine", "*/*"), unknown_path)) << "curl and the Hub's clients";
  EXPECT_FALSE(answer_browser(asked("/lab/engine", "application/json"), unknown_path));
  EXPECT_FALSE(answer_browser(asked("/lab/engine", "text/html", "POST"), unknown_path));
  EXPECT_FALSE(answer_browser(asked("/lab/engine"), fail(Reason::repo_not_found, "")));
  EXPECT_FALSE(answer_browser(asked("/lab/engine"), fail(Reason::rate_limited, "")));
  for (const char* path : {"/api/nothing", "/api", "/v1/nothing", "/cas/x", "/lfs/x", "/metrics/x",
                           "/static/x", "/favicon.ico", "/robots.txt"})
    EXPECT_FALSE(answer_browser(asked(path), unknown_path)) << path;
}

TEST(Pages, TheDocumentMayLoadFromThisServerAlone) {
  const auto answer = answer_browser(asked("/"), unknown_path);
  ASSERT_TRUE(answer);
  const std::string policy(answer->headers.get("Content-Security-Policy"));
  EXPECT_TRUE(policy.starts_with("default-src 'none'"));
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find("http"), std::string::npos);
  EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
  const std::string& document = std::get<std::string>(answer->body);
  EXPECT_EQ(document.find("<style"), std::string::npos);
  EXPECT_EQ(document.find("//"), std::string::npos) << "no address of another host";
}

TEST(Pages, AssetsAreSentAsTheyAreWantedAndKept) {
  net::Router router;
  ASSERT_TRUE(add_asset_routes(router).ok());
  for (const Asset& asset : assets()) {
    auto match = router.match("GET", "/static/" + std::string(asset.path));
    ASSERT_TRUE(match.ok() && match.value().route != nullptr);
    const auto& handler = std::get<net::Handler>(match.value().route->handle);
    net::Request request = asked("/static/" + std::string(asset.path));
    request.captures = match.value().captures;
    const auto plain = handler(request, {});
    ASSERT_TRUE(plain.ok());
    EXPECT_TRUE(plain.value().headers.get("Content-Encoding").empty());
    request.headers.add("Accept-Encoding", "gzip, br");
    const auto zipped = handler(request, {});
    EXPECT_EQ(zipped.value().headers.get("Content-Encoding"), asset.gzipped ? "gzip" : "");
    EXPECT_EQ(std::get<std::string>(zipped.value().body), asset.bytes);
    if (asset.gzipped) {
      EXPECT_NE(plain.value().headers.get("ETag"), zipped.value().headers.get("ETag"));
    }
    request.headers.add("If-None-Match", std::string(zipped.value().headers.get("ETag")));
    EXPECT_EQ(handler(request, {}).value().status, 304);
    EXPECT_EQ(plain.value().headers.get("Cache-Control").find("immutable") != std::string_view::npos,
              asset.hashed);
    request.method = "HEAD";
    request.headers.set("If-None-Match", "");
    EXPECT_EQ(handler(request, {}).value().content_length, asset.bytes.size());
  }
  EXPECT_TRUE(std::ranges::is_sorted(assets(), {}, &Asset::path));
  EXPECT_EQ(find_asset("../secret"), nullptr);
}

}  // namespace
}  // namespace holdfast::page
