#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/commit_lines.h"
#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr size_t preupload_files_max = 1000, sample_bytes_max = 1024;
constexpr uint64_t preupload_bytes_max = 4 << 20;
constexpr uint64_t commit_body_bytes_max = repo::regular_commit_bytes_max * 4 / 3 + (16 << 20);

Result<repo::PreuploadFile> file_in(const json::value& value) {
  const json::object* file = value.if_object();
  if (file == nullptr) return fail(Reason::bad_request, "\"files\" holds objects");
  TRY(const std::string_view path, codec::json_text(*file, "path"));
  TRY(const auto sample, codec::json_text_if(*file, "sample"));
  TRY(const auto size, codec::json_integer_if(*file, "size"));
  repo::PreuploadFile out{.path = std::string(path), .sample = {}, .size = 0};
  if (sample) {
    TRY(out.sample, codec::base64_decode(*sample));
    if (out.sample.size() > sample_bytes_max) out.sample.resize(sample_bytes_max);
  }
  if (size.value_or(0) < 0) return fail(Reason::bad_request, "\"size\" is negative");
  out.size = static_cast<uint64_t>(size.value_or(static_cast<int64_t>(out.sample.size())));
  return out;
}

Result<Response> preupload(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* files, codec::json_array(body, "files"));
  TRY(const auto git_ignore, codec::json_text_if(body, "gitIgnore"));
  if (files->size() > preupload_files_max)
    return fail(Reason::bad_request, fmt::format("at most {} files at once", preupload_files_max));
  std::vector<repo::PreuploadFile> wishes;
  for (const json::value& each : *files) {
    TRY(repo::PreuploadFile file, file_in(each));
    wishes.push_back(std::move(file));
  }
  TRY(const auto answers,
      services.hub.commits.preupload(call.repo(), call.capture("rev"), wishes, git_ignore));
  json::array out;
  for (const repo::PreuploadAnswer& answer : answers) {
    json::object item{{"path", answer.path},
                      {"uploadMode", answer.mode == repo::UploadMode::large ? "lfs" : "regular"},
                      {"shouldIgnore", answer.ignore}};
    if (!answer.oid.empty()) item["oid"] = answer.oid;
    out.emplace_back(std::move(item));
  }
  return json_answer(json::object{{"files", out}});
}

// Puts the commit together while its lines arrive.
class CommitSink final : public net::BodySink {
 public:
  CommitSink(const Call& call, std::unique_ptr<repo::CommitDraft> draft)
      : draft_(std::move(draft)),
        lines_(*draft_),
        repository_(call.repo()),
        revision_(call.capture("rev")),
        as_(call.query().flag("create_pr") ? repo::CommitTarget::As::pull_request
                                           : repo::CommitTarget::As::commit),
        base_url_(call.base_url) {}

  Status write(ByteView bytes) override { return lines_.update(as_text(bytes)); }

  Result<Response> finish() override {
    TRY_DONE(lines_.finish());
    repo::CommitTarget target = lines_.target();
    target.revision = revision_;
    target.as = as_;
    TRY(const repo::CommitDone done, draft_->finish(target));
    const std::string url = repo_url(base_url_, repository_);
    json::object out{{"success", true},
                     {"commitOid", done.commit.hex()},
                     {"commitUrl", fmt::format("{}/commit/{}", url, done.commit.hex())},
                     {"hookOutput", ""}};
    if (done.pull_request) out["pullRequestUrl"] = fmt::format("{}/discussions/{}", url, *done.pull_request);
    return json_answer(out);
  }

 private:
  std::unique_ptr<repo::CommitDraft> draft_;
  CommitLines lines_;
  repo::Repository repository_;
  std::string revision_;
  repo::CommitTarget::As as_;
  std::string base_url_;
};

// A caller who can neither write nor own the pull request hears so before the body is read.
Result<std::unique_ptr<net::BodySink>> begin_commit(Services& services, const Call& call) {
  if (!call.query().flag("create_pr") && !services.hub.rights.may_write(call.caller, call.repo())) {
    TRY(const bool own, services.hub.discussions.may_push(call.caller, call.repo(), call.capture("rev")));
    if (!own)
      return fail(Reason::forbidden,
                  fmt::format("You don't have the rights to write to {}; a pull request is open to you",
                              call.repo().full_name()));
  }
  TRY(auto draft, services.hub.commits.begin(call.caller, call.repo()));
  return std::unique_ptr<net::BodySink>(std::make_unique<CommitSink>(call, std::move(draft)));
}

}  // namespace

void add_hub_commit_routes(RouteTable& table, Services& services) {
  table.add({.method = "POST",
             .pattern = "/api/{T}/{id}/preupload/{rev}",
             .name = "hub_preupload",
             .access = Access::repo_contribute,
             .body_bytes_max = preupload_bytes_max,
             .handle = [&services](const Call& call) { return preupload(services, call); }});
  table.add(
      {.method = "POST",
       .pattern = "/api/{T}/{id}/commit/{rev}",
       .name = "hub_commit",
       .access = Access::repo_contribute,
       .body_bytes_max = commit_body_bytes_max,
       .handle = CallSinkMaker([&services](const Call& call) { return begin_commit(services, call); })});
}

}  // namespace holdfast::api
