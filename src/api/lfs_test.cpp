#include <fmt/core.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>

#include "api/lfs_routes.h"
#include "api/services.h"
#include "base/data_layout.h"
#include "base/secret.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "net/router.h"
#include "repo/hub_test_kit.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using identity::TokenRole;
using repo::TestHub;

const Secret instance_key("0123456789abcdef");

std::string sha256_of(std::string_view text) {
  codec::Sha256 hash;
  hash.update(as_bytes(text));
  return codec::to_hex(hash.finish());
}

// The LFS door of a hub with ada's repositories ada/open and ada/closed; objects above 1,000 bytes go in
// parts of 400.
class LfsTest : public testing::Test {
 protected:
  LfsTest() {
    add_lfs_routes(
        table_, services_, instance_key, hub_.disk(),
        {.object_bytes_max = 100'000, .objects_max = 20, .part_bytes = 400, .parts_above_bytes = 1000});
    TestHub::require(mount(table_, services_, router_));
    open_ = hub_.create("ada", "ada/open");
    closed_ = hub_.create("ada", "ada/closed", repo::Visibility::private_);
    ada_ = hub_.token("ada");
    bob_ = hub_.token("bob");
  }

  // As the server would: routed, the body in pieces where the route has a sink.
  net::Response send(const std::string& method, std::string target, const std::string& token,
                     const std::string& body = {}, const std::string& range = {}) {
    if (target.starts_with(base_)) target.erase(0, base_.size());
    net::Request request;
    request.method = method;
    request.target = std::move(target);
    request.headers.add("Host", "hub.test");
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    if (!range.empty()) request.headers.add("Range", range);
    request.content_length = body.size();
    auto match = TestHub::require_value(router_.match(method, request.path()));
    EXPECT_NE(match.route, nullptr) << method << " " << request.target;
    if (match.route == nullptr) return {};
    request.captures = std::move(match.captures);
    Context context;
    context.trace_id = std::string(32, '0');
    if (const auto* handler = std::get_if<net::Handler>(&match.route->handle)) {
      request.body = body;
      return TestHub::require_value((*handler)(request, context));
    }
    auto sink = TestHub::require_value(std::get<net::SinkMaker>(match.route->handle)(request, context));
    for (size_t at = 0; at < body.size(); at += 7)
      TestHub::require(sink->write(as_bytes(std::string_view(body).substr(at, 7))));
    return TestHub::require_value(sink->finish());
  }

  static std::string text_of(net::Response& response) {
    if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
    std::string text;
    auto* source = std::get_if<std::unique_ptr<net::BodySource>>(&response.body);
    if (source == nullptr) return text;
    Bytes piece(13);
    while (true) {
      const size_t got = TestHub::require_value((*source)->read(piece));
      if (got == 0) return text;
      text += as_text(ByteView(piece).first(got));
    }
  }

  json::object batch(const std::string& operation, const std::vector<std::string>& contents,
                     const std::string& token, const std::string& repo = "ada/open", int status = 200,
                     const std::string& transfers = R"(["basic","multipart"])") {
    json::array objects;
    for (const std::string& content : contents)
      objects.push_back(json::object{{"oid", sha256_of(content)}, {"size", content.size()}});
    const std::string body =
        fmt::format(R"({{"operation":"{}","transfers":{},"objects":{},"hash_algo":"sha256"}})", operation,
                    transfers, codec::to_text(objects));
    net::Response response = send("POST", "/" + repo + ".git/info/lfs/objects/batch", token, body);
    EXPECT_EQ(response.status, status) << text_of(response);
    EXPECT_EQ(response.headers.get("Content-Type"), "application/vnd.git-lfs+json");
    return TestHub::require_value(codec::parse_json_object(text_of(response)));
  }
  static json::object first(const json::object& answer) { return answer.at("objects").at(0).as_object(); }
  static std::string href(const json::object& object, const char* action) {
    return std::string(object.at("actions").at(action).at("href").as_string());
  }

  // Uploads in one piece where it is not there yet, and commits, so that the repository holds it.
  void hold(const std::string& content, const std::string& token, const repo::Repository& where) {
    const json::object object = first(batch("upload", {content}, token, where.full_name()));
    if (object.contains("actions")) {
      ASSERT_EQ(send("PUT", href(object, "upload"), "", content).status, 200);
    }
    const auto caller = TestHub::require_value(hub_.tokens().authenticate(token));
    auto draft = TestHub::require_value(hub_.hub().commits.begin(caller, where));
    TestHub::require(draft->put_large(
        "model.bin", TestHub::require_value(content::parse_sha256(sha256_of(content))), content.size()));
    TestHub::require_value(
        draft->finish({.revision = "main", .parent_commit = "", .summary = "add", .description = ""}));
  }

  const std::string base_ = "http://hub.test";
  TestHub hub_;
  net::Router router_;
  RouteTable table_;
  Services services_{.clock = hub_.clock(),
                     .random = hub_.random(),
                     .log = hub_.log(),
                     .metrics = hub_.metrics(),
                     .database = hub_.database(),
                     .accounts = hub_.accounts(),
                     .tokens = hub_.tokens(),
                     .sessions = hub_.sessions(),
                     .permission = hub_.permission(),
                     .audit = hub_.audit(),
                     .content = hub_.content(),
                     .hub = hub_.hub(),
                     .router = router_,
                     .public_url = base_};
  repo::Repository open_, closed_;
  std::string ada_, bob_;
};

TEST_F(LfsTest, an_object_goes_up_without_any_header_and_comes_down_in_ranges) {
  const std::string content = "some weights, not text\n";
  const json::object object = first(batch("upload", {content}, ada_));
  EXPECT_FALSE(object.contains("error"));
  const std::string address = href(object, "upload");
  EXPECT_TRUE(address.starts_with(base_ + "/lfs/objects/" + sha256_of(content) + "?")) << address;
  EXPECT_EQ(send("PUT", address, "", content).status, 200);

  const std::string verify =
      codec::to_text(json::object{{"oid", sha256_of(content)}, {"size", content.size()}});
  EXPECT_EQ(send("POST", href(object, "verify"), ada_, verify).status, 200);
  EXPECT_EQ(send("POST", href(object, "verify"), bob_, verify).status, 404);
  EXPECT_EQ(send("POST", href(object, "verify"), "", verify).status, 401);
  const std::string wrong = codec::to_text(json::object{{"oid", sha256_of(content)}, {"size", 3}});
  EXPECT_EQ(send("POST", href(object, "verify"), ada_, wrong).status, 400);

  hold(content, ada_, open_);
  const std::string fetch = href(first(batch("download", {content}, "")), "download");
  net::Response whole = send("GET", fetch, "");
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(text_of(whole), content);
  net::Response part = send("GET", fetch, "", "", "bytes=5-11");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(text_of(part), "weights");
  EXPECT_EQ(part.headers.get("Content-Range"), fmt::format("bytes 5-11/{}", content.size()));
  EXPECT_EQ(send("GET", fetch, "", "", "bytes=900-").status, 416);
  EXPECT_EQ(send("HEAD", fetch, "").content_length, content.size());
}

TEST_F(LfsTest, what_is_stored_and_nameable_needs_no_upload_and_nobody_else_is_told) {
  const std::string content = "a secret model";
  hold(content, ada_, closed_);
  EXPECT_FALSE(first(batch("upload", {content}, ada_, "ada/open")).contains("actions"));
  // To bob the same bytes are new, here and everywhere.
  EXPECT_TRUE(first(batch("upload", {content}, bob_, "ada/open")).contains("actions"));
  EXPECT_EQ(first(batch("download", {content}, bob_, "ada/open")).at("error").at("code"), 404);
  EXPECT_EQ(first(batch("download", {content}, ada_, "ada/open")).at("error").at("code"), 404);
  EXPECT_TRUE(first(batch("download", {content}, ada_, "ada/closed")).contains("actions"));
}

TEST_F(LfsTest, who_may_not_see_the_repository_is_told_as_of_a_missing_one) {
  batch("upload", {"x"}, bob_, "ada/closed", 404);
  batch("download", {"x"}, bob_, "ada/closed", 404);
  batch("download", {"x"}, bob_, "ada/none", 404);
  batch("download", {"x"}, "", "ada/closed", 401);
  batch("upload", {"x"}, "", "ada/open", 401);
  batch("upload", {"x"}, "hf_wrong", "ada/open", 401);
}

TEST_F(LfsTest, bytes_that_are_not_what_their_name_says_are_never_stored) {
  const std::string content = "the true bytes";
  const std::string address = href(first(batch("upload", {content}, ada_)), "upload");
  net::Response changed = send("PUT", address, "", "the fake bytes");
  EXPECT_EQ(changed.status, 400);
  EXPECT_EQ(changed.headers.get("X-Error-Code"), "DigestMismatch");
  EXPECT_EQ(send("PUT", address, "", "short").status, 400);
  EXPECT_EQ(send("PUT", address, "", content + " and more").status, 400);
  EXPECT_TRUE(first(batch("upload", {content}, ada_)).contains("actions"));
  EXPECT_FALSE(hub_.content().find(content::parse_sha256(sha256_of("the fake bytes")).value()).ok());
  EXPECT_EQ(send("PUT", address, "", content).status, 200);
  EXPECT_FALSE(first(batch("upload", {content}, ada_)).contains("actions"));
}

TEST_F(LfsTest, an_address_holds_for_its_object_its_time_and_its_token) {
  const std::string content = "bytes";
  const std::string address = href(first(batch("upload", {content}, ada_)), "upload");
  std::string other = address;
  other.replace(other.find(sha256_of(content)), 64, sha256_of("other"));
  EXPECT_EQ(send("PUT", other, "", "other").status, 403);
  std::string larger = address;
  larger.replace(larger.find("size=5"), 6, "size=6");
  EXPECT_EQ(send("PUT", larger, "", "bytes!").status, 403);
  EXPECT_EQ(send("GET", address, "").status, 403);
  EXPECT_EQ(send("PUT", "/lfs/objects/" + sha256_of(content), ada_, content).status, 403);

  const auto caller = TestHub::require_value(hub_.tokens().authenticate(ada_));
  TestHub::require(hub_.tokens().revoke("(test)", caller.token));
  EXPECT_EQ(send("PUT", address, "", content).status, 403);
  const std::string late = href(first(batch("upload", {content}, bob_)), "upload");
  hub_.clock().advance(std::chrono::hours(13));
  EXPECT_EQ(send("PUT", late, "", content).status, 403);
}

TEST_F(LfsTest, a_large_object_goes_in_parts_in_any_order_and_twice) {
  std::string content;
  for (int i = 0; i < 300; ++i) content += fmt::format("{:04}", i);  // 1,200 bytes: three parts of 400.
  content += "tail";
  const json::object answer = batch("upload", {content}, ada_);
  EXPECT_EQ(answer.at("transfer"), "multipart");
  const json::object object = first(answer);
  const json::object& header = object.at("actions").at("upload").at("header").as_object();
  ASSERT_EQ(header.size(), 5U);
  EXPECT_EQ(header.at("chunk_size"), "400");
  const auto part = [&](int number) { return content.substr(400 * (number - 1), 400); };
  const auto address = [&](int number) {
    return std::string(header.at(fmt::format("{:05}", number)).as_string());
  };
  json::array parts;
  for (int number : {4, 2, 1, 2}) {
    net::Response sent = send("PUT", address(number), "", part(number));
    EXPECT_EQ(sent.status, 200);
    EXPECT_FALSE(sent.headers.get("ETag").empty());
  }
  for (int number = 1; number <= 4; ++number)
    parts.push_back(json::object{{"partNumber", number}, {"etag", "x"}});
  const std::string done = codec::to_text(json::object{{"oid", sha256_of(content)}, {"parts", parts}});
  const std::string complete = href(object, "upload");
  EXPECT_EQ(send("POST", complete, "", done).status, 404);  // Part 3 is missing.
  EXPECT_EQ(send("PUT", address(3), "", part(3) + "x").status, 400);
  EXPECT_EQ(send("PUT", address(3), "", part(3)).status, 200);
  const std::string fewer =
      R"({"oid":")" + sha256_of(content) + R"(","parts":[{"partNumber":1,"etag":"x"}]})";
  EXPECT_EQ(send("POST", complete, "", fewer).status, 400);
  EXPECT_EQ(send("POST", complete, "", done).status, 200);
  EXPECT_EQ(send("POST", complete, "", done).status, 200);  // The first answer was not heard.
  EXPECT_FALSE(first(batch("upload", {content}, ada_)).contains("actions"));
  EXPECT_TRUE(TestHub::require_value(hub_.disk().list(data_layout::uploads)).empty());
}

TEST_F(LfsTest, parts_are_only_offered_to_whom_asks_and_where_they_are_needed) {
  const std::string large(1001, 'x'), small(1000, 'x');
  EXPECT_EQ(batch("upload", {large}, ada_, "ada/open", 200, R"(["basic"])").at("transfer"), "basic");
  EXPECT_EQ(batch("upload", {large}, ada_, "ada/open", 200, "null").at("transfer"), "basic");
  EXPECT_EQ(batch("upload", {small}, ada_).at("transfer"), "basic");
  const json::object mixed = batch("upload", {small, large}, ada_);
  EXPECT_EQ(mixed.at("transfer"), "multipart");
  EXPECT_EQ(first(mixed).at("actions").at("upload").at("header").as_object().size(), 4U);
}

TEST_F(LfsTest, parts_that_make_another_object_are_refused_and_removed) {
  const std::string content(1100, 'a');
  const json::object object = first(batch("upload", {content}, ada_));
  const json::object& header = object.at("actions").at("upload").at("header").as_object();
  json::array parts;
  for (int number = 1; number <= 3; ++number) {
    const std::string bytes(number == 3 ? 300 : 400, 'b');
    EXPECT_EQ(send("PUT", std::string(header.at(fmt::format("{:05}", number)).as_string()), "", bytes).status,
              200);
    parts.push_back(json::object{{"partNumber", number}, {"etag", "x"}});
  }
  const std::string done = codec::to_text(json::object{{"oid", sha256_of(content)}, {"parts", parts}});
  EXPECT_EQ(send("POST", href(object, "upload"), "", done).headers.get("X-Error-Code"), "DigestMismatch");
  EXPECT_TRUE(TestHub::require_value(hub_.disk().list(data_layout::uploads)).empty());
}

TEST_F(LfsTest, abandoned_parts_are_removed_after_their_time) {
  const std::string content(1100, 'a');
  const json::object object = first(batch("upload", {content}, ada_));
  const auto& header = object.at("actions").at("upload").at("header").as_object();
  EXPECT_EQ(send("PUT", std::string(header.at("00001").as_string()), "", content.substr(0, 400)).status, 200);
  EXPECT_EQ(TestHub::require_value(hub_.disk().list(data_layout::uploads)).size(), 1U);
  hub_.clock().advance(std::chrono::hours(49));
  batch("upload", {std::string(1100, 'c')}, ada_);
  EXPECT_TRUE(TestHub::require_value(hub_.disk().list(data_layout::uploads)).empty());
}

TEST_F(LfsTest, one_bad_object_does_not_spoil_the_others) {
  const std::string body = R"({"operation":"upload","objects":[{"oid":"xyz","size":1},{"oid":")" +
                           sha256_of("a") + R"(","size":-1},{"oid":")" + sha256_of("b") +
                           R"(","size":200000},{"oid":")" + sha256_of("c") + R"(","size":1}]})";
  net::Response response = send("POST", "/ada/open.git/info/lfs/objects/batch", ada_, body);
  const auto objects =
      TestHub::require_value(codec::parse_json_object(text_of(response))).at("objects").as_array();
  EXPECT_EQ(objects.at(0).at("error").at("code"), 400);
  EXPECT_EQ(objects.at(1).at("error").at("code"), 400);
  EXPECT_EQ(objects.at(2).at("error").at("code"), 413);
  EXPECT_TRUE(objects.at(3).as_object().contains("actions"));
}

TEST_F(LfsTest, malformed_batches_are_refused) {
  const std::string target = "/ada/open.git/info/lfs/objects/batch";
  for (const char* body :
       {"", "[]", "{}", R"({"operation":"sing","objects":[]})", R"({"operation":"upload"})",
        R"({"operation":"upload","objects":[1]})", R"({"operation":"upload","objects":{}})"})
    EXPECT_EQ(send("POST", target, ada_, body).status, 400) << body;
  EXPECT_EQ(send("POST", target, ada_, R"({"operation":"upload","objects":[],"hash_algo":"sha512"})").status,
            409);
  std::vector<std::string> many(21, "x");
  batch("upload", many, ada_, "ada/open", 413);
}

TEST_F(LfsTest, locks_are_not_offered) {
  EXPECT_EQ(send("POST", "/ada/open.git/info/lfs/locks/verify", ada_, "{}").status, 404);
  net::Response list = send("GET", "/ada/open.git/info/lfs/locks", ada_);
  EXPECT_EQ(text_of(list), R"({"locks":[]})");
}

}  // namespace
}  // namespace holdfast::api
