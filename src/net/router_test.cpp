#include "net/router.h"

#include <gtest/gtest.h>

namespace holdfast::net {
namespace {

Result<Response> none(const Request&, const Context&) { return Response{}; }

Status add(Router& router, std::string method, std::string pattern) {
  Route route{.method = std::move(method), .pattern = pattern, .name = pattern, .handle = Handler(none)};
  return router.add(std::move(route));
}

// "name k=v k=v", "404", "405 allowed", "400".
std::string shown(const Router& router, std::string_view method, std::string_view path) {
  const auto match = router.match(method, path);
  if (!match.ok()) return "400";
  if (match.value().route == nullptr)
    return match.value().path_known ? "405 " + match.value().allowed : "404";
  std::string out = match.value().route->name;
  for (const auto& [name, value] : match.value().captures) out += " " + name + "=" + value;
  return out;
}

Router hub() {
  Router router;
  for (const char* pattern :
       {"/", "/api/models", "/api/models/{namespace}/{name}",
        "/api/models/{namespace}/{name}/tree/{revision}/{path*}", "/api/models/{namespace}/settings",
        "/{namespace}/{name}.git/info/refs", "/{namespace}/{name}",
        "/{namespace}/{name}/resolve/{revision}/{path*}", "/files/index-{part}.json", "/files/{any}",
        "/files/{base}.json", "/assets/{path*}"})
    EXPECT_TRUE(add(router, "GET", pattern).ok()) << pattern;
  EXPECT_TRUE(add(router, "POST", "/api/models/create/new").ok());
  EXPECT_TRUE(add(router, "PUT", "/files/{any}").ok());
  return router;
}

TEST(Router, MatchesTheMostLiteralPatternOnTheRawPath) {
  const Router router = hub();
  struct Case {
    const char *why, *method, *path, *shown;
  };
  static constexpr Case cases[] = {
      {"root", "GET", "/", "/"},
      {"literal", "GET", "/api/models", "/api/models"},
      {"captures", "GET", "/api/models/a/b", "/api/models/{namespace}/{name} namespace=a name=b"},
      {"literal behind a capture", "GET", "/api/models/a/settings",
       "/api/models/{namespace}/settings namespace=a"},
      {"encoded slash stays in its segment", "GET", "/api/models/a/b/tree/refs%2Fpr%2F1/x/y",
       "/api/models/{namespace}/{name}/tree/{revision}/{path*} namespace=a name=b revision=refs/pr/1 "
       "path=x/y"},
      {"empty rest", "GET", "/api/models/a/b/tree/main",
       "/api/models/{namespace}/{name}/tree/{revision}/{path*} namespace=a name=b revision=main path="},
      {"empty rest behind a slash", "GET", "/api/models/a/b/tree/main/",
       "/api/models/{namespace}/{name}/tree/{revision}/{path*} namespace=a name=b revision=main path="},
      {"suffix", "GET", "/a/b.git/info/refs", "/{namespace}/{name}.git/info/refs namespace=a name=b"},
      {"suffix inside a suffix", "GET", "/a/b.git.git/info/refs",
       "/{namespace}/{name}.git/info/refs namespace=a name=b.git"},
      {"longer literal first", "GET", "/files/index-3.json", "/files/index-{part}.json part=3"},
      {"shorter literal next", "GET", "/files/x.json", "/files/{base}.json base=x"},
      {"plain capture last", "GET", "/files/x.txt", "/files/{any} any=x.txt"},
      {"another method, less literal", "PUT", "/files/x.json", "/files/{any} any=x.json"},
      {"back from a literal of another method", "GET", "/api/models/create/new",
       "/api/models/{namespace}/{name} namespace=create name=new"},
      {"HEAD is GET", "HEAD", "/api/models", "/api/models"},
      {"known path, other method", "DELETE", "/files/x", "405 GET, HEAD, PUT"},
      {"unknown", "GET", "/x/y/z", "404"},
      {"empty segment is no capture", "GET", "//b", "404"},
      {"trailing slash", "GET", "/api/models/", "404"},
      {"rest", "GET", "/assets/a/b.js", "/assets/{path*} path=a/b.js"},
      {"rest, decoded", "GET", "/assets/a%2Fb%20c", "/assets/{path*} path=a/b c"},
      {"plus is plus", "GET", "/assets/a+b", "/assets/{path*} path=a+b"},
      {"unicode", "GET", "/assets/%C3%A9", "/assets/{path*} path=\xc3\xa9"},
  };
  for (const Case& c : cases) EXPECT_EQ(shown(router, c.method, c.path), c.shown) << c.why;
}

TEST(Router, RefusesPathsThatWalkOrCannotBeDecoded) {
  const Router router = hub();
  for (const char* path : {"/assets/../x", "/assets/a/..",     "/assets/%2e%2e/x",
                           "/assets/.%2E", "/assets/a/./b",    "/assets/a//b",
                           "/assets/a/",   "/assets/a%2F%2Fb", "/assets/a%2F..%2Fb",
                           "/assets/%00",  "/assets/a%0Ab",    "/assets/%7f",
                           "/assets/%",    "/assets/%2",       "/assets/%zz",
                           "/a/..",        "/a/%2E%2E",        "/a/x%2F..",
                           "/a/%2Fx",      "relative",         "",
                           "/assets/a\nb"})
    EXPECT_EQ(shown(router, "GET", path), "400") << path;
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "/a";
  EXPECT_EQ(shown(router, "GET", deep), "400");
}

TEST(Router, RefusesPatternsThatAreTakenOrNone) {
  Router router;
  EXPECT_TRUE(add(router, "GET", "/{a}/x").ok());
  const Status again = add(router, "GET", "/{b}/x");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Code::conflict);
  EXPECT_TRUE(add(router, "PUT", "/{b}/x").ok());
  for (const char* pattern : {"x", "", "/{a}{b}", "/{}", "/{a", "/a}", "/{a*}/b", "/x{a*}", "/{*}"})
    EXPECT_FALSE(add(router, "GET", pattern).ok()) << pattern;
}

TEST(Router, NamesTheFirstSegmentsThatNoUserMayHave) {
  EXPECT_EQ(hub().reserved_names(), (std::vector<std::string>{"api", "assets", "files"}));
}

}  // namespace
}  // namespace holdfast::net
