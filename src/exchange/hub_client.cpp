#include "exchange/hub_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <map>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/percent.h"

namespace holdfast::exchange {
namespace {

namespace json = boost::json;

constexpr std::string_view lfs_type = "application/vnd.git-lfs+json";
constexpr std::chrono::hours transfer_timeout{12};
constexpr size_t answer_bytes_max = 256 << 20;
constexpr int redirects_max = 5;
constexpr int64_t wait_seconds_max = 600;
constexpr int pages_max = 1'000;
constexpr size_t files_max = 1'000'000;

Reason reason_of(int status, std::string_view error_code) {
  for (const ReasonRow& row : reasons())
    if (row.error_code == error_code) return row.reason;
  if (status == 401) return Reason::unauthenticated;
  if (status == 403) return Reason::forbidden;
  if (status == 404) return Reason::entry_not_found;
  if (status == 409) return Reason::already_exists;
  if (status == 412) return Reason::stale_parent;
  if (status == 413) return Reason::body_too_large;
  if (status == 429) return Reason::rate_limited;
  if (status == 507) return Reason::disk_full;
  if (status >= 500) return Reason::dependency_failed;
  return Reason::bad_request;
}

std::string message_of(const net::ClientResponse& answer) {
  std::string message(answer.headers.get("X-Error-Message"));
  if (const auto parsed = codec::parse_json_object(answer.body); message.empty() && parsed.ok()) {
    const auto error = codec::json_text_if(parsed.value(), "error");
    if (error.ok() && error.value()) message = *error.value();
  }
  if (message.empty()) message = fmt::format("the hub answered with status {}", answer.status);
  const std::string_view id = answer.headers.get("X-Request-Id");
  return id.empty() ? message : fmt::format("{} (request {})", message, id);
}

std::string repo_path(const RemoteRepo& repo) {
  return fmt::format("/api/{}/{}", remote_plural(repo.type), repo.name);
}

json::object split_name(const RemoteRepo& repo) {
  const size_t slash = repo.name.find('/');
  json::object body{{"name", slash == std::string::npos ? repo.name : repo.name.substr(slash + 1)}};
  if (slash != std::string::npos) body["organization"] = repo.name.substr(0, slash);
  if (repo.type != RemoteType::model) body["type"] = repo.type == RemoteType::dataset ? "dataset" : "space";
  return body;
}

// Nothing where the hub does not say what the file weighs.
Result<std::optional<RemoteFile>> read_sibling(const json::object& sibling) {
  if (!sibling.contains("size") || !sibling.contains("blobId")) return std::optional<RemoteFile>();
  RemoteFile file;
  TRY(std::string_view path, codec::json_text(sibling, "rfilename"));
  TRY(int64_t size, codec::json_integer(sibling, "size"));
  TRY(std::string_view blob, codec::json_text(sibling, "blobId"));
  file.path = path;
  file.size = static_cast<uint64_t>(std::max<int64_t>(size, 0));
  file.blob = blob;
  TRY(const json::object* lfs, codec::json_object_if(sibling, "lfs"));
  if (lfs != nullptr) {
    TRY(std::string_view sha256, codec::json_text(*lfs, "sha256"));
    file.sha256 = sha256;
  }
  return std::optional(std::move(file));
}

// A row of a tree, where the names of things are others; nothing for a folder.
Result<std::optional<RemoteFile>> read_tree_row(const json::object& row) {
  TRY(const std::string_view type, codec::json_text(row, "type"));
  if (type != "file") return std::optional<RemoteFile>();
  RemoteFile file;
  TRY(std::string_view path, codec::json_text(row, "path"));
  TRY(int64_t size, codec::json_integer(row, "size"));
  TRY(std::string_view blob, codec::json_text(row, "oid"));
  file.path = path;
  file.size = static_cast<uint64_t>(std::max<int64_t>(size, 0));
  file.blob = blob;
  TRY(const json::object* lfs, codec::json_object_if(row, "lfs"));
  if (lfs != nullptr) {
    TRY(std::string_view sha256, codec::json_text(*lfs, "oid"));
    file.sha256 = sha256;
  }
  return std::optional(std::move(file));
}

// The address of `Link: <address>; rel="next"` among others, or nothing.
std::string_view next_page(std::string_view link) {
  while (!link.empty()) {
    const size_t open = link.find('<'), close = link.find('>', open);
    if (open == std::string_view::npos || close == std::string_view::npos) return {};
    const std::string_view rest = link.substr(close + 1), words = rest.substr(0, rest.find('<'));
    if (words.find("rel=\"next\"") != std::string_view::npos) return link.substr(open + 1, close - open - 1);
    link = rest;
  }
  return {};
}

// "…;t=55" of `ratelimit`, or seconds of Retry-After; a date of it is not read.
int64_t wait_of(const net::Headers& headers) {
  std::string_view digits = headers.get("Retry-After");
  const std::string_view limit = headers.get("ratelimit");
  if (const size_t at = limit.find(";t="); at != std::string_view::npos) digits = limit.substr(at + 3);
  int64_t seconds = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  return read.ec == std::errc() && seconds > 0 ? std::min(seconds, wait_seconds_max) : 0;
}

std::string commit_line(const CommitPart& part) {
  json::object value{{"path", part.path}};
  std::string_view key;
  switch (part.kind) {
    case CommitPart::Kind::regular:
      key = "file";
      value["content"] = codec::base64_encode(as_bytes(part.content));
      value["encoding"] = "base64";
      break;
    case CommitPart::Kind::large:
      key = "lfsFile";
      value["algo"] = "sha256";
      value["oid"] = part.sha256;
      value["size"] = part.size;
      break;
    case CommitPart::Kind::removed:
      key = "deletedFile";
      break;
  }
  return codec::to_text(json::object{{"key", key}, {"value", std::move(value)}}) + "\n";
}

}  // namespace

std::string_view remote_plural(RemoteType type) {
  switch (type) {
    case RemoteType::model:
      return "models";
    case RemoteType::dataset:
      return "datasets";
    case RemoteType::space:
      return "spaces";
  }
  std::abort();
}

std::string_view remote_prefix(RemoteType type) {
  switch (type) {
    case RemoteType::model:
      return "";
    case RemoteType::dataset:
      return "datasets/";
    case RemoteType::space:
      return "spaces/";
  }
  std::abort();
}

std::optional<RemoteType> remote_type(std::string_view name) {
  if (name == "model") return RemoteType::model;
  if (name == "dataset") return RemoteType::dataset;
  if (name == "space") return RemoteType::space;
  return std::nullopt;
}

net::ClientRequest HubClient::request(std::string method, std::string path) const {
  net::ClientRequest request;
  request.method = std::move(method);
  request.url = endpoint_ + path;
  request.body_bytes_max = answer_bytes_max;
  if (!token_.empty()) request.headers.set("Authorization", "Bearer " + token_.reveal());
  return request;
}

Result<net::ClientResponse> HubClient::ask(const net::ClientRequest& request, const Context& context) {
  TRY(net::ClientResponse answer, client_.send(request, context));
  if (answer.status >= 200 && answer.status < 300) return answer;
  asked_to_wait_->store(answer.status == 429 || answer.status >= 500 ? wait_of(answer.headers) : 0);
  return fail(reason_of(answer.status, answer.headers.get("X-Error-Code")), message_of(answer));
}

Result<std::string> HubClient::whoami(const Context& context) {
  TRY(net::ClientResponse answer, ask(request("GET", "/api/whoami-v2"), context));
  TRY(json::object user, codec::parse_json_object(answer.body));
  TRY(std::string_view name, codec::json_text(user, "name"));
  return std::string(name);
}

Result<std::string> HubClient::create_repo(const RemoteRepo& repo, std::string_view visibility,
                                           IfExists if_exists, const Context& context) {
  auto create = request("POST", "/api/repos/create");
  create.headers.set("Content-Type", "application/json");
  json::object body = split_name(repo);
  body["visibility"] = visibility;
  create.body = codec::to_text(body);
  auto answer = ask(create, context);
  if (!answer.ok()) {
    if (answer.error().code == Code::conflict && if_exists == IfExists::accept)
      return fmt::format("{}/{}{}", endpoint_, remote_prefix(repo.type), repo.name);
    return std::move(answer).error();
  }
  TRY(json::object made, codec::parse_json_object(answer.value().body));
  TRY(std::string_view url, codec::json_text(made, "url"));
  return std::string(url);
}

Status HubClient::delete_repo(const RemoteRepo& repo, const Context& context) {
  auto remove = request("DELETE", "/api/repos/delete");
  remove.headers.set("Content-Type", "application/json");
  remove.body = codec::to_text(split_name(repo));
  TRY([[maybe_unused]] net::ClientResponse answer, ask(remove, context));
  return Done{};
}

Result<RemoteRevision> HubClient::revision(const RemoteRepo& repo, std::string_view revision,
                                           const Context& context) {
  auto get = request(
      "GET", fmt::format("{}/revision/{}?blobs=true", repo_path(repo), codec::percent_encode(revision)));
  get.redirects_max = redirects_max;  // A repository that was renamed.
  TRY(net::ClientResponse answer, ask(get, context));
  TRY(json::object info, codec::parse_json_object(answer.body, {.bytes_max = answer_bytes_max}));
  RemoteRevision found;
  TRY(std::string_view commit, codec::json_text(info, "sha"));
  found.commit = commit;
  TRY(const json::array* siblings, codec::json_array(info, "siblings"));
  for (const json::value& sibling : *siblings) {
    if (!sibling.is_object()) return fail(Code::corrupt, "the hub lists a file that is no object");
    TRY(auto file, read_sibling(sibling.get_object()));
    if (!file) {
      TRY(found.files, tree(repo, found.commit, context));
      return found;
    }
    found.files.push_back(std::move(*file));
  }
  return found;
}

Result<std::vector<RemoteFile>> HubClient::tree(const RemoteRepo& repo, const std::string& commit,
                                                const Context& context) {
  std::vector<RemoteFile> files;
  std::string path = fmt::format("{}/tree/{}?recursive=true&expand=false", repo_path(repo), commit);
  for (int page = 0; !path.empty(); ++page) {
    if (page == pages_max) return fail(Code::corrupt, "the hub lists its files without an end");
    auto get = request("GET", path);
    get.redirects_max = redirects_max;
    TRY(const net::ClientResponse answer, ask(get, context));
    TRY(const json::value rows, codec::parse_json(answer.body, {.bytes_max = answer_bytes_max}));
    if (!rows.is_array()) return fail(Code::corrupt, "the hub's tree is no list");
    for (const json::value& row : rows.get_array()) {
      if (!row.is_object() || files.size() == files_max)
        return fail(Code::corrupt, "the hub lists a file that is no object, or too many");
      TRY(auto file, read_tree_row(row.get_object()));
      if (file) files.push_back(std::move(*file));
    }
    std::string_view next = next_page(answer.headers.get("Link"));
    // Asked of the hub itself whatever host it names: nobody else gets the token.
    if (next.starts_with(endpoint_)) {
      next.remove_prefix(endpoint_.size());
    } else if (const size_t scheme = next.find("://"); scheme != std::string_view::npos) {
      next.remove_prefix(std::min(next.size(), next.find('/', scheme + 3)));
    }
    if (!next.empty() && !next.starts_with('/'))
      return fail(Code::corrupt, "the hub's next page is no address");
    path = next;
  }
  return files;
}

Result<std::vector<bool>> HubClient::wants_large(const RemoteRepo& repo, std::string_view branch,
                                                 const std::vector<Candidate>& files,
                                                 const Context& context) {
  constexpr size_t asked_max = 256;  // A call, as the reference client asks.
  std::map<std::string, bool> large;
  for (size_t begin = 0; begin < files.size(); begin += asked_max) {
    json::array asked;
    for (size_t i = begin; i < std::min(begin + asked_max, files.size()); ++i)
      asked.push_back(json::object{{"path", files[i].path},
                                   {"sample", codec::base64_encode(as_bytes(files[i].sample))},
                                   {"size", files[i].size}});
    auto preupload =
        request("POST", fmt::format("{}/preupload/{}", repo_path(repo), codec::percent_encode(branch)));
    preupload.headers.set("Content-Type", "application/json");
    preupload.body = codec::to_text(json::object{{"files", std::move(asked)}});
    TRY(net::ClientResponse answer, ask(preupload, context));
    TRY(json::object told, codec::parse_json_object(answer.body));
    TRY(const json::array* rows, codec::json_array(told, "files"));
    for (const json::value& row : *rows) {
      if (!row.is_object()) return fail(Code::corrupt, "the hub's answer lists something that is no file");
      TRY(std::string_view path, codec::json_text(row.get_object(), "path"));
      TRY(std::string_view mode, codec::json_text(row.get_object(), "uploadMode"));
      large[std::string(path)] = mode == "lfs";
    }
  }
  std::vector<bool> answers;
  for (const Candidate& file : files) answers.push_back(large[file.path]);
  return answers;
}

Result<uint64_t> HubClient::upload_large(const RemoteRepo& repo, std::string_view sha256, uint64_t size,
                                         net::BodySource& bytes, const Context& context) {
  auto batch =
      request("POST", fmt::format("/{}{}.git/info/lfs/objects/batch", remote_prefix(repo.type), repo.name));
  batch.headers.set("Content-Type", std::string(lfs_type));
  batch.headers.set("Accept", std::string(lfs_type));
  batch.body =
      codec::to_text(json::object{{"operation", "upload"},
                                  {"transfers", json::array{"basic"}},
                                  {"hash_algo", "sha256"},
                                  {"objects", json::array{json::object{{"oid", sha256}, {"size", size}}}}});
  TRY(net::ClientResponse answer, ask(batch, context));
  TRY(json::object told, codec::parse_json_object(answer.body));
  TRY(const json::array* objects, codec::json_array(told, "objects"));
  if (objects->size() != 1 || !objects->front().is_object())
    return fail(Code::corrupt, "the hub's LFS answer has no object");
  const json::object& object = objects->front().get_object();
  TRY(const json::object* error, codec::json_object_if(object, "error"));
  if (error != nullptr) {
    TRY(std::string_view message, codec::json_text(*error, "message"));
    TRY(int64_t code, codec::json_integer(*error, "code"));
    return fail(reason_of(static_cast<int>(code), {}), std::string(message));
  }
  TRY(const json::object* actions, codec::json_object_if(object, "actions"));
  if (actions == nullptr) return uint64_t{0};
  TRY(const json::object* upload, codec::json_object(*actions, "upload"));
  TRY(std::string_view href, codec::json_text(*upload, "href"));
  net::ClientRequest put;
  put.method = "PUT";
  put.url = href;
  put.body = &bytes;
  put.content_length = size;
  put.timeout = transfer_timeout;
  TRY(const json::object* header, codec::json_object_if(*upload, "header"));
  if (header != nullptr)
    for (const auto& field : *header)
      if (field.value().is_string())
        put.headers.set(std::string(field.key()), std::string(field.value().get_string()));
  TRY([[maybe_unused]] net::ClientResponse stored, ask(put, context));
  return size;
}

Result<std::string> HubClient::commit(const RemoteRepo& repo, std::string_view branch,
                                      const CommitRequest& request_, const Context& context) {
  json::object head{{"summary", request_.summary}, {"description", request_.description}};
  if (request_.parent) head["parentCommit"] = *request_.parent;
  std::string body = codec::to_text(json::object{{"key", "header"}, {"value", std::move(head)}}) + "\n";
  for (const CommitPart& part : request_.parts) body += commit_line(part);
  auto commit = request("POST", fmt::format("{}/commit/{}", repo_path(repo), codec::percent_encode(branch)));
  commit.headers.set("Content-Type", "application/x-ndjson");
  commit.body = std::move(body);
  commit.timeout = transfer_timeout;
  TRY(net::ClientResponse answer, ask(commit, context));
  TRY(json::object made, codec::parse_json_object(answer.body));
  TRY(std::string_view oid, codec::json_text(made, "commitOid"));
  return std::string(oid);
}

net::ClientRequest HubClient::file_request(const RemoteRepo& repo, std::string_view commit,
                                           std::string_view path) const {
  auto get = request("GET", fmt::format("/{}{}/resolve/{}/{}", remote_prefix(repo.type), repo.name,
                                        codec::percent_encode(commit),
                                        codec::percent_encode(path, codec::PercentKeep::slash)));
  get.timeout = transfer_timeout;
  get.redirects_max = redirects_max;
  return get;
}

Result<HubClient::Sent> HubClient::download_range(const RemoteRepo& repo, std::string_view commit,
                                                  std::string_view path, uint64_t offset, uint64_t length,
                                                  const std::function<Status(ByteView)>& take,
                                                  const Context& context) {
  auto get = file_request(repo, commit, path);
  get.take = take;
  if (length > 0) get.headers.set("Range", fmt::format("bytes={}-{}", offset, offset + length - 1));
  TRY(const net::ClientResponse answer, ask(get, context));
  return answer.status == 206 ? Sent::range : Sent::whole;
}

Result<std::string> HubClient::ref_of(const RemoteRepo& repo, std::string_view name, const Context& context) {
  auto get = request("GET", repo_path(repo) + "/refs");
  get.redirects_max = redirects_max;
  TRY(const net::ClientResponse answer, ask(get, context));
  TRY(const json::object refs, codec::parse_json_object(answer.body, {.bytes_max = answer_bytes_max}));
  for (const std::string_view kind : {"branches", "tags"}) {
    TRY(const json::array* rows, codec::json_array_if(refs, kind));
    if (rows == nullptr) continue;
    for (const json::value& row : *rows) {
      if (!row.is_object()) continue;
      TRY(const std::string_view short_name, codec::json_text(row.get_object(), "name"));
      if (short_name == name)
        return fmt::format("refs/{}/{}", kind == std::string_view("tags") ? "tags" : "heads", name);
    }
  }
  return std::string();
}

Status HubClient::download(const RemoteRepo& repo, std::string_view commit, std::string_view path,
                           uint64_t offset, const std::function<Status(ByteView)>& take,
                           const Context& context) {
  auto get = file_request(repo, commit, path);
  get.take = take;
  if (offset > 0) get.headers.set("Range", fmt::format("bytes={}-", offset));
  TRY(net::ClientResponse answer, ask(get, context));
  if (offset > 0 && answer.status != 206)
    return fail(Reason::dependency_failed, "the hub does not resume downloads");
  return Done{};
}

}  // namespace holdfast::exchange
