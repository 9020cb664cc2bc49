#include <gtest/gtest.h>

#include <map>
#include <set>

#include "api/error_answer.h"
#include "api/health.h"
#include "api/openapi.h"
#include "api/route.h"
#include "api/routes.h"
#include "api/services.h"
#include "codec/base64.h"
#include "exchange/mirror.h"
#include "exchange/schema.h"
#include "exchange/upstreams.h"
#include "exchange/webhooks.h"
#include "git/smart_http.h"
#include "govern/evaluations.h"
#include "govern/registry.h"
#include "govern/schema.h"
#include "identity/secrets.h"
#include "job/batches.h"
#include "job/schema.h"
#include "net/client.h"
#include "observe/desk.h"
#include "repo/hub_test_kit.h"
#include "repo/kinship.h"
#include "repo/masking_jobs.h"
#include "serve/models.h"

namespace holdfast::api {
namespace {

using identity::TokenRole;
using repo::TestHub;

// Reached only by those whom the framework lets through.
class NoGit final : public git::SmartHttp {
 public:
  Result<std::string> advertise(const git::GitRequest&) override {
    return fail(Reason::not_offered, "no git");
  }
  Result<std::unique_ptr<git::Exchange>> upload_pack(const git::GitRequest&) override {
    return fail(Reason::not_offered, "no git");
  }
  Result<std::unique_ptr<git::Exchange>> receive_pack(const git::GitRequest&,
                                                      std::shared_ptr<git::Pusher>) override {
    return fail(Reason::not_offered, "no git");
  }
};

class NoModels final : public serve::Models {
 public:
  Result<serve::EmbedAnswer> embed(const Context&, const serve::ServedModel&, serve::EmbedItem,
                                   const serve::Asker&) override {
    return fail(Reason::not_offered, "no models");
  }
  Result<serve::WorkerFacts> facts(const Context&, const serve::ServedModel&, const serve::Asker&) override {
    return fail(Reason::not_offered, "no models");
  }
  Status generate(const Context&, const serve::ServedModel&, serve::Generation,
                  const serve::Asker&) override {
    return fail(Reason::not_offered, "no models");
  }
  Result<Place> enter(const serve::Asker&) override { return fail(Reason::not_offered, "no models"); }
  std::vector<serve::ServedModel> loaded() const override { return {}; }
  void refresh_figures() override {}
};

class NoEngines final : public net::Client {
 public:
  Result<net::ClientResponse> send(const net::ClientRequest&, const Context&) override {
    return fail(Reason::not_offered, "no engines");
  }
};

class NoMirror final : public exchange::Mirror {
 public:
  Result<std::optional<exchange::ArrivingRevision>> find(const identity::Caller&, repo::RepoType,
                                                         std::string_view, std::string_view,
                                                         std::string_view) override {
    return std::optional<exchange::ArrivingRevision>();
  }
  Result<Bytes> read(int64_t, std::string_view, uint64_t, uint64_t) override { return none(); }
  Result<bool> wait_until_published(int64_t, std::chrono::milliseconds) override { return none(); }
  Result<int64_t> start(repo::RepoType, std::string_view, std::string_view, std::string_view) override {
    return none();
  }
  Status take_folder(const exchange::FolderRevision&) override { return none(); }
  Result<std::vector<exchange::IncomingRevision>> list(std::string_view) override {
    return std::vector<exchange::IncomingRevision>();
  }
  Result<exchange::IncomingRevision> show(int64_t) override { return none(); }
  Result<std::vector<exchange::IncomingRevision>> taken_over(repo::RepoId) override {
    return std::vector<exchange::IncomingRevision>();
  }
  Status release(const identity::Caller&, int64_t, std::string_view) override { return none(); }
  Status discard(const identity::Caller&, int64_t) override { return none(); }
  Result<std::string> sync(const repo::Repository&) override { return none(); }

 private:
  static Error none() { return fail(Code::not_found, "no mirror"); }
};

class NoChecker final : public govern::Checker {
 public:
  Result<std::vector<govern::CheckedFact>> check(const repo::Repository&, const git::ObjectId&,
                                                 const govern::Record&) override {
    return std::vector<govern::CheckedFact>();
  }
};

class NoFiles final : public serve::FileSource {
 public:
  Result<std::vector<File>> list(const serve::ServedModel&) override { return std::vector<File>(); }
  Status copy(const serve::ServedModel&, const std::string&, io::WriteFile&) override {
    return fail(Reason::not_offered, "no files");
  }
};

// A hub with every kind of caller, and all routes mounted twice: as they are, and with handlers that only say
// that they were reached.
class Doors {
 public:
  Doors()
      : services_{.clock = hub_.clock(),
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
                  .public_url = "http://hub.test"} {
    TestHub::require(sql::migrate(hub_.database(), exchange::migrations(), 1));
    TestHub::require(sql::migrate(hub_.database(), govern::migrations(), 1));
    TestHub::require(sql::migrate(hub_.database(), job::migrations(), 1));
    add_all_routes(table_, services_,
                   {.git = git_,
                    .models = models_,
                    .instance_key = key_,
                    .data = hub_.disk(),
                    .govern = {.registry = registry_,
                               .evaluations = evaluations_,
                               .public_engines = engines_,
                               .any_engines = engines_},
                    .job = {.files = job_files_, .batches = batches_},
                    .secrets = &secrets_,
                    .upstreams = &upstreams_,
                    .mirror = &mirror_,
                    .webhooks = &webhooks_,
                    .kinship = &kinship_,
                    .masking = &masking_,
                    .desk = &desk_});
    add_openapi_routes(table_, "1");
    add_health_routes(table_, services_, [] { return Status(Done{}); });
    TestHub::require(mount(table_, services_, router_));
    for (const ApiRoute& route : table_.routes()) {
      ApiRoute reached = route;
      const bool own_check =
          route.access.access == Access::cas_token || route.access.access == Access::signed_url;
      if (!own_check)
        reached.handle = CallHandler([](const Call&) {
          return Result<net::Response>(
              net::Response{.status = 299, .headers = {}, .body = {}, .content_length = {}});
        });
      reaching_table_.add(std::move(reached));
    }
    TestHub::require(mount(reaching_table_, services_, reaching_router_));
    hub_.add_user("will");
    TestHub::require(hub_.accounts().set_member("(test)", "lab", "will", identity::OrgRole::write));
    TestHub::require_value(hub_.accounts().create_user(
        "(test)", {.name = "root", .fullname = "", .email = "", .kind = identity::UserKind::administrator}));
    for (const auto type : {repo::RepoType::model, repo::RepoType::dataset, repo::RepoType::space}) {
      hub_.create("ada", "lab/open", repo::Visibility::public_, type);
      hub_.create("ada", "lab/closed", repo::Visibility::private_, type);
    }
  }

  net::Response call(const net::Router& router, const std::string& method, const std::string& target,
                     const std::string& token, bool basic = false) {
    net::Request request;
    request.method = method;
    request.target = target;
    request.headers.add("Host", "hub.test");
    if (!token.empty())
      request.headers.add("Authorization", basic
                                               ? "Basic " + codec::base64_encode(as_bytes("anyone:" + token))
                                               : "Bearer " + token);
    auto match = TestHub::require_value(router.match(method, request.path()));
    EXPECT_NE(match.route, nullptr) << method << " " << target;
    if (match.route == nullptr) return {};
    request.captures = std::move(match.captures);
    Context context;
    context.trace_id = std::string(32, '0');
    if (const auto* handler = std::get_if<net::Handler>(&match.route->handle)) {
      auto answer = (*handler)(request, context);
      return answer.ok() ? std::move(answer).value() : write_error(request, answer.error(), context);
    }
    auto sink = std::get<net::SinkMaker>(match.route->handle)(request, context);
    if (!sink.ok()) return write_error(request, sink.error(), context);
    auto answer = sink.value()->finish();
    return answer.ok() ? std::move(answer).value() : write_error(request, answer.error(), context);
  }

  TestHub hub_;
  NoGit git_;
  NoModels models_;
  NoEngines engines_;
  NoChecker checker_;
  Secret key_{std::string(64, 'b')};
  govern::Registry registry_{{.database = hub_.database(),
                              .permission = hub_.permission(),
                              .accounts = hub_.accounts(),
                              .audit = hub_.audit(),
                              .hub = hub_.hub(),
                              .checker = checker_,
                              .instance_key = key_,
                              .program_version = "test",
                              .clock = hub_.clock(),
                              .random = hub_.random(),
                              .log = hub_.log()}};
  identity::Secrets secrets_{hub_.database(), hub_.audit(), hub_.clock(), hub_.random(),
                             Secret(std::string(64, 'c'))};
  exchange::Upstreams upstreams_{hub_.database(), hub_.accounts(), hub_.audit(), hub_.clock()};
  exchange::Webhooks webhooks_{hub_.database(), hub_.clock(), hub_.random(), Secret(std::string(64, 'c'))};
  NoMirror mirror_;
  repo::Kinship kinship_{hub_.database(), hub_.content(), hub_.audit(), hub_.clock()};
  SystemTicks ticks_;
  repo::MaskingJobs masking_{{.database = hub_.database(),
                              .hub = hub_.hub(),
                              .content = hub_.content(),
                              .caller_again = [](auto, const std::string&) -> Result<identity::Caller> {
                                return fail(Reason::bad_credentials, "nobody asks here");
                              },
                              .clock = hub_.clock(),
                              .random = hub_.random(),
                              .log = hub_.log()}};
  NoFiles files_;
  govern::Evaluations evaluations_{{.database = hub_.database(),
                                    .registry = registry_,
                                    .accounts = hub_.accounts(),
                                    .hub = hub_.hub(),
                                    .files = files_,
                                    .metric_code = "test",
                                    .clock = hub_.clock(),
                                    .ticks = ticks_,
                                    .log = hub_.log()}};
  job::Files job_files_{{.database = hub_.database(), .clock = hub_.clock(), .random = hub_.random()}};
  job::Batches batches_{{.database = hub_.database(),
                         .files = job_files_,
                         .accounts = hub_.accounts(),
                         .tokens = hub_.tokens(),
                         .clock = hub_.clock(),
                         .random = hub_.random(),
                         .log = hub_.log()}};
  observe::SeriesNames series_{key_};
  observe::Desk desk_{{},
                      {.names = series_,
                       .instance_key = key_,
                       .clock = hub_.clock(),
                       .ticks = ticks_,
                       .random = hub_.random(),
                       .log = hub_.log(),
                       .metrics = hub_.metrics()}};
  net::Router router_, reaching_router_;
  Services services_;
  RouteTable table_, reaching_table_;
};

// A path the pattern matches, for the repository "lab/NAME".
std::string path_for(std::string pattern, const std::string& name) {
  const std::map<std::string, std::string> known = {{"ns", "lab"},         {"name", name},    {"rev", "main"},
                                                    {"path*", "a.txt"},    {"branch", "dev"}, {"num", "1"},
                                                    {"status", "pending"}, {"user", "ada"},   {"org", "lab"}};
  for (size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{')) {
    const size_t close = pattern.find('}', open);
    const auto value = known.find(pattern.substr(open + 1, close - open - 1));
    pattern.replace(open, close - open + 1, value == known.end() ? "x" : value->second);
  }
  return pattern;
}

enum class Who : uint8_t { anonymous, stranger, reader, contributor, writer, admin, instance_admin };
enum class With : uint8_t { no_token, read_token, write_token, fine_token };

struct Outcome {
  bool allowed;
  int status;  // When refused.
};

// What must be, written down here independently of the code under test.
Outcome expected(Access access, Dialect dialect, Who who, With with, bool is_private) {
  const bool signed_in = who != Who::anonymous && with != With::no_token;
  const bool writes = signed_in && with == With::write_token;
  const bool member = signed_in && who >= Who::reader && (who != Who::instance_admin || writes);
  const bool sees = !is_private || member;
  const bool challenged = dialect == Dialect::git || dialect == Dialect::lfs;
  const Outcome allowed{.allowed = true, .status = 0};
  const Outcome unauthenticated{.allowed = false, .status = 401}, forbidden{.allowed = false, .status = 403};
  const auto on_repository = [&](bool may) -> Outcome {
    if (!sees) return {.allowed = false, .status = challenged && !signed_in ? 401 : 404};
    if (may) return allowed;
    return signed_in ? forbidden : unauthenticated;
  };
  switch (access) {
    case Access::open:
      return allowed;
    case Access::signed_in:
      return signed_in ? allowed : unauthenticated;
    case Access::signed_in_write:
      return writes ? allowed : signed_in ? forbidden : unauthenticated;
    case Access::repo_read:
    case Access::repo_content:
      return on_repository(true);
    case Access::repo_contribute:
      return on_repository(signed_in && with != With::fine_token);
    case Access::repo_write:
      return on_repository(writes && who >= Who::writer);
    case Access::repo_admin:
      return on_repository(writes && who >= Who::admin);
    case Access::instance_admin:
      return writes && who == Who::instance_admin ? allowed : signed_in ? forbidden : unauthenticated;
    case Access::cas_token:
    case Access::signed_url:
      return unauthenticated;
  }
  return forbidden;
}

constexpr std::array<const char*, 7> user_of = {"", "bob", "rea", "cleo", "will", "ada", "root"};

TEST(AccessMatrix, EveryRouteTimesEveryCallerTimesEveryTokenIsAsItsRuleSays) {
  Doors doors;
  std::map<std::pair<Who, With>, std::string> tokens;
  for (int who = 1; who <= static_cast<int>(Who::instance_admin); ++who) {
    const std::string user = user_of[static_cast<size_t>(who)];
    tokens[{Who(who), With::read_token}] = doors.hub_.token(user, TokenRole::read);
    tokens[{Who(who), With::write_token}] = doors.hub_.token(user, TokenRole::write);
    tokens[{Who(who), With::fine_token}] = doors.hub_.token(user, TokenRole::fine_grained,
                                                            {{.kind = identity::EntityKind::organisation,
                                                              .name = "lab",
                                                              .grants = {identity::Grant::content_read}}});
  }
  size_t checked = 0;
  std::set<Access> seen;
  for (const ApiRoute& route : doors.reaching_table_.routes()) {
    seen.insert(route.access.access);
    for (const ExpandedPattern& pattern : expand_pattern(route.pattern)) {
      for (const bool is_private : {false, true}) {
        if (is_private && !pattern.names_repository) continue;
        const std::string path = path_for(pattern.pattern, is_private ? "closed" : "open");
        for (int who = 0; who <= static_cast<int>(Who::instance_admin); ++who) {
          for (int with = 0; with <= static_cast<int>(With::fine_token); ++with) {
            if (who == 0 && with != 0) continue;
            const Outcome want =
                expected(route.access.access, route.dialect, Who(who), With(with), is_private);
            const net::Response got =
                doors.call(doors.reaching_router_, route.method, path, tokens[{Who(who), With(with)}]);
            ++checked;
            const auto where = route.name + " " + path + " by " + user_of[static_cast<size_t>(who)] +
                               " with token kind " + std::to_string(with);
            const bool own_check =
                route.access.access == Access::cas_token || route.access.access == Access::signed_url;
            if (own_check)
              EXPECT_GE(got.status, 400) << where;
            else
              EXPECT_EQ(got.status, want.allowed ? 299 : want.status) << where;
          }
        }
      }
    }
  }
  EXPECT_GT(checked, 2000U);
}

// Everything but the name asked for.
std::string as_text(const net::Response& response, const std::string& name) {
  std::string out = std::to_string(response.status) + "\n";
  for (const auto& [key, value] : response.headers.fields()) out += key + ": " + value + "\n";
  out += std::get<std::string>(response.body);
  for (size_t at = out.find(name); at != std::string::npos; at = out.find(name))
    out.replace(at, name.size(), "NAME");
  return out;
}

TEST(AccessMatrix, APrivateRepositoryAnswersLikeAMissingOneByteForByte) {
  Doors doors;
  const std::string strangers = doors.hub_.token("bob");
  size_t checked = 0;
  for (const ApiRoute& route : doors.table_.routes()) {
    for (const ExpandedPattern& pattern : expand_pattern(route.pattern)) {
      if (!pattern.names_repository) continue;
      if (route.access.access == Access::signed_url || route.access.access == Access::cas_token) continue;
      for (const std::string& token : {std::string(), strangers}) {
        const auto closed =
            doors.call(doors.router_, route.method, path_for(pattern.pattern, "closed"), token);
        const auto absent =
            doors.call(doors.router_, route.method, path_for(pattern.pattern, "absent"), token);
        EXPECT_EQ(as_text(closed, "closed"), as_text(absent, "absent")) << route.name;
        EXPECT_EQ(closed.headers.get("X-Error-Code"), "RepoNotFound") << route.name;
        ++checked;
      }
    }
  }
  EXPECT_GT(checked, 100U);
}

TEST(AccessMatrix, WrongCredentialsAreRefusedEverywhereWithTheOneText) {
  Doors doors;
  for (const bool basic : {false, true}) {
    const auto answer = doors.call(doors.router_, "GET", "/api/models/lab/open", "hf_wrong", basic);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.headers.get("X-Error-Message"), "Invalid credentials in Authorization header");
  }
  const auto good = doors.call(doors.router_, "GET", "/api/models/lab/closed", doors.hub_.token("rea"), true);
  EXPECT_EQ(good.status, 200) << "Basic with any name and the token as password";
}

TEST(AccessMatrix, AMovedRepositoryRedirectsThoseWhoMaySeeIt) {
  Doors doors;
  const auto ada = doors.hub_.caller("ada");
  const auto model =
      *TestHub::require_value(doors.hub_.hub().repositories.find(repo::RepoType::model, "lab", "closed"));
  TestHub::require_value(doors.hub_.hub().repositories.move(
      ada, model, {.type = repo::RepoType::model, .ns = "lab", .name = "elsewhere"}));
  const std::string readers = doors.hub_.token("rea");
  const auto api =
      doors.call(doors.router_, "GET", "/api/models/lab/closed/tree/main?recursive=true", readers);
  EXPECT_EQ(api.status, 307);
  EXPECT_EQ(api.headers.get("Location"), "/api/models/lab/elsewhere/tree/main?recursive=true");
  const auto file = doors.call(doors.router_, "HEAD", "/lab/closed/resolve/refs%2Fpr%2F1/a.txt", readers);
  EXPECT_EQ(file.headers.get("Location"), "/lab/elsewhere/resolve/refs%2Fpr%2F1/a.txt");
  const auto hidden = doors.call(doors.router_, "GET", "/api/models/lab/closed", "");
  EXPECT_EQ(hidden.status, 404);
}

}  // namespace
}  // namespace holdfast::api
