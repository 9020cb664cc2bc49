#include "api/upstream_lfs.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "api/lfs_door.h"
#include "codec/json.h"
#include "codec/percent.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using exchange::RemoteFile;

constexpr size_t objects_max = 1000;

json::object missing(std::string_view oid, int64_t size) {
  return {
      {"oid", oid},
      {"size", size},
      {"error", json::object{{"code", 404}, {"message", "The upstream's revision holds no such object"}}}};
}

}  // namespace

std::optional<std::string> lfs_download_revision(const net::Request& request) {
  const auto body = codec::parse_json_object(request.body);
  if (!body.ok()) return std::nullopt;
  const auto operation = codec::json_text_if(body.value(), "operation");
  if (!operation.ok() || operation.value() != "download") return std::nullopt;
  const auto ref = codec::json_object_if(body.value(), "ref");
  if (!ref.ok() || ref.value() == nullptr) return "main";
  const auto name = codec::json_text_if(*ref.value(), "name");
  if (!name.ok() || !name.value()) return "main";
  std::string_view text = *name.value();
  for (const std::string_view prefix : {"refs/heads/", "refs/tags/"})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  return text.empty() ? "main" : std::string(text);
}

Result<net::Response> arriving_lfs_batch(const UpstreamQuestion& question,
                                         const exchange::ArrivingRevision& revision) {
  TRY(const json::object body, codec::parse_json_object(question.request.body));
  TRY(const json::array* objects, codec::json_array(body, "objects"));
  if (objects->size() > objects_max)
    return fail(Reason::body_too_large, fmt::format("at most {} objects at a time", objects_max));
  std::map<std::string_view, const RemoteFile*> files;
  for (const RemoteFile& file : *revision.files)
    if (file.sha256) files.emplace(*file.sha256, &file);
  const std::string base =
      fmt::format("{}/{}{}/{}/resolve/{}/", question.base_url, repo::url_prefix(question.type),
                  question.request.capture("ns"), question.request.capture("name"), revision.commit);
  const std::string_view authorization = question.request.headers.get("Authorization");
  json::array out;
  for (const json::value& value : *objects) {
    if (!value.is_object()) return fail(Reason::bad_request, "\"objects\" must hold objects");
    TRY(const std::string_view oid, codec::json_text(value.get_object(), "oid"));
    TRY(const int64_t size, codec::json_integer(value.get_object(), "size"));
    const auto found = files.find(oid);
    if (found == files.end() || static_cast<int64_t>(found->second->size) != size) {
      out.emplace_back(missing(oid, size));
      continue;
    }
    json::object fetch{
        {"href", base + codec::percent_encode(found->second->path, codec::PercentKeep::slash)}};
    // To this same server, as the client sent it.
    if (!authorization.empty()) fetch["header"] = json::object{{"Authorization", authorization}};
    out.emplace_back(json::object{{"oid", oid},
                                  {"size", size},
                                  {"authenticated", true},
                                  {"actions", json::object{{"download", std::move(fetch)}}}});
  }
  net::Response response =
      lfs_answer(json::object{{"transfer", "basic"}, {"objects", std::move(out)}, {"hash_algo", "sha256"}});
  response.headers.set("Cache-Control", "no-store");
  return response;
}

}  // namespace holdfast::api
