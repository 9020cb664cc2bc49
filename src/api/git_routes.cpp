#include "api/git_routes.h"

#include "api/bound_token.h"
#include "api/services.h"
#include "base/data_layout.h"
#include "git/smart_http.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

constexpr uint64_t negotiation_bytes_max = 64 << 20;
constexpr uint64_t push_bytes_max = uint64_t{2} << 30;  // Pointers and small files; weights go by LFS.

class PulledBody final : public net::BodySource {
 public:
  explicit PulledBody(std::unique_ptr<git::ByteSource> source) : source_(std::move(source)) {}
  Result<size_t> read(std::span<std::byte> into) override { return source_->read(into); }

 private:
  std::unique_ptr<git::ByteSource> source_;
};

void forbid_caching(net::Response& response) {
  response.headers.set("Cache-Control", "no-cache, max-age=0, must-revalidate");
  response.headers.set("Pragma", "no-cache");
  response.headers.set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT");
}

Result<net::Response> finish(git::Exchange& exchange, git::Service service) {
  TRY(std::unique_ptr<git::ByteSource> source, exchange.finish());
  net::Response response;
  response.headers.set("Content-Type", git::result_type(service));
  forbid_caching(response);
  response.body = std::make_unique<PulledBody>(std::move(source));
  return response;
}

class PushSink final : public net::BodySink {
 public:
  explicit PushSink(std::unique_ptr<git::Exchange> exchange) : exchange_(std::move(exchange)) {}
  Status write(ByteView bytes) override { return exchange_->write(bytes); }
  Result<net::Response> finish() override { return api::finish(*exchange_, git::Service::receive_pack); }

 private:
  std::unique_ptr<git::Exchange> exchange_;
};

// The handlers of both spellings of a repository's address. Safe from any thread.
class GitDoor {
 public:
  GitDoor(Services& services, git::SmartHttp& git, io::Disk& data)
      : services_(services), git_(git), data_(data) {}

  Result<net::Response> info_refs(const Call& call) const {
    const auto query = call.query();
    const auto service = git::service_of_name(query.get("service"));
    if (!service)
      return fail(Reason::bad_request, "Only git's smart protocol is spoken here: update your git client");
    TRY_DONE(check_right(call, *service));
    net::Response response;
    TRY(const git::GitRequest request, request_of(call, *service));
    TRY(response.body, git_.advertise(request));
    response.headers.set("Content-Type", git::advertisement_type(*service));
    forbid_caching(response);
    return response;
  }

  Result<net::Response> upload_pack(const Call& call) const {
    constexpr auto service = git::Service::upload_pack;
    TRY_DONE(check_type(call, service));
    TRY(const git::GitRequest request, request_of(call, service));
    TRY(const auto commits, clonable(services_, call));
    if (commits) TRY_DONE(git::check_wants(as_bytes(call.request.body), *commits));
    TRY(const std::unique_ptr<git::Exchange> exchange, git_.upload_pack(request));
    TRY_DONE(exchange->write(as_bytes(call.request.body)));
    return finish(*exchange, service);
  }

  Result<std::unique_ptr<net::BodySink>> receive_pack(const Call& call) const {
    constexpr auto service = git::Service::receive_pack;
    TRY_DONE(check_type(call, service));
    TRY_DONE(check_right(call, service));
    const std::string_view encoding = call.request.headers.get("Content-Encoding");
    if (!encoding.empty() && encoding != "identity")
      return fail(Reason::unsupported_media, "A push is sent without content encoding");
    TRY(const git::GitRequest request, request_of(call, service));
    TRY(std::unique_ptr<git::Exchange> exchange,
        git_.receive_pack(request, std::make_shared<repo::HubPusher>(call.caller, call.repo())));
    return std::unique_ptr<net::BodySink>(std::make_unique<PushSink>(std::move(exchange)));
  }

 private:
  // A bound token gets its approved revisions, as a repository of their own without what came before.
  Result<git::GitRequest> request_of(const Call& call, git::Service service) const {
    git::GitRequest request{.repository = services_.hub.storage.folder(call.repo().id),
                            .service = service,
                            .protocol = std::string(call.request.headers.get("Git-Protocol")),
                            .stop = call.context.stop};
    if (service != git::Service::upload_pack) return request;
    TRY(const auto commits, clonable(services_, call));
    if (!commits) return request;
    request.history = git::ShownHistory::tips;
    TRY(request.repository, git::ensure_tips_view(data_, data_layout::views, request.repository, *commits));
    return request;
  }

  static Status check_type(const Call& call, git::Service service) {
    if (call.request.headers.get("Content-Type") == git::request_type(service)) return Done{};
    return fail(Reason::unsupported_media, "The body must be " + git::request_type(service));
  }

  // Fetching needs what downloading does. Pushing needs the right to write, or a pull request of one's own.
  Status check_right(const Call& call, git::Service service) const {
    const repo::Rights& rights = services_.hub.rights;
    if (service == git::Service::upload_pack) {
      TRY(const bool past_gate, rights.may_read_files(call.caller, call.repo()));
      return past_gate ? check_pull(services_, call) : repo::gate_refusal(call.repo(), call.base_url);
    }
    if (call.caller.anonymous())
      return fail(Reason::unauthenticated, "Pushing needs a token: none was given");
    if (rights.may_write(call.caller, call.repo())) return Done{};
    const repo::DiscussionFilter own{.kind = repo::DiscussionKind::pull_request,
                                     .state = repo::DiscussionFilter::State::open,
                                     .author = call.caller.name,
                                     .count_max = 1};
    TRY(const repo::DiscussionPage page, services_.hub.discussions.list(call.repo().id, own));
    if (page.total > 0 && rights.may(call.caller, identity::Right::contribute, call.repo())) return Done{};
    return fail(Reason::forbidden, "You don't have the rights to write to " + call.repo().full_name());
  }

  Services& services_;
  git::SmartHttp& git_;
  io::Disk& data_;
};

}  // namespace

void add_git_routes(RouteTable& table, Services& services, git::SmartHttp& git, io::Disk& data) {
  const auto door = std::make_shared<const GitDoor>(services, git, data);  // Shared by the routes.
  const auto info_refs = [door](const Call& call) { return door->info_refs(call); };
  const auto upload_pack = [door](const Call& call) { return door->upload_pack(call); };
  const auto receive_pack = [door](const Call& call) { return door->receive_pack(call); };
  for (const auto& [repository, suffix] : {std::pair("/{id}.git", ""), std::pair("/{id}", "_plain")}) {
    const std::string path = repository, name = suffix;
    table.add({"GET", path + "/info/refs", "git_info_refs" + name, Access::repo_read, 0,
               CallHandler(info_refs), Dialect::git});
    table.add({"POST", path + "/git-upload-pack", "git_upload_pack" + name, Access::repo_content,
               negotiation_bytes_max, CallHandler(upload_pack), Dialect::git});
    table.add({"POST", path + "/git-receive-pack", "git_receive_pack" + name, Access::repo_contribute,
               push_bytes_max, CallSinkMaker(receive_pack), Dialect::git});
  }
}

}  // namespace holdfast::api
