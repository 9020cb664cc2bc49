#include "api/upstream_door.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <chrono>
#include <map>

#include "api/error_answer.h"
#include "api/file_answer.h"
#include "api/hub_views.h"
#include "api/upstream_lfs.h"
#include "codec/header_text.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/percent.h"
#include "content/hash.h"
#include "exchange/mirror.h"
#include "repo/browser.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using exchange::ArrivingRevision;
using exchange::RemoteFile;
using net::Response;

constexpr size_t paths_max = 1000, page_max = 1000;
constexpr std::chrono::seconds clone_wait{20};

// As a tree of this hub shows it; it has no Xet hash yet, so clients fetch it plainly.
Result<repo::FileEntry> entry_of(const RemoteFile& file) {
  repo::FileEntry out{
      .path = file.path, .kind = git::EntryKind::file, .id = {}, .blob_bytes = file.size, .large = {}};
  if (codec::is_lower_hex(file.blob, 40)) {
    TRY(out.id, git::ObjectId::parse(file.blob));
  }
  if (file.sha256) {
    repo::LargeFile large;
    TRY(large.sha256, content::parse_sha256(*file.sha256));
    large.size = file.size;
    out.large = large;
  }
  return out;
}

const RemoteFile* file_at(const ArrivingRevision& revision, std::string_view path) {
  for (const RemoteFile& file : *revision.files)
    if (file.path == path) return &file;
  return nullptr;
}

// Files and the folders above them, below `folder`, in the order of their paths.
Result<std::map<std::string, repo::FileEntry>> entries_below(const ArrivingRevision& revision,
                                                             std::string_view folder, git::Depth depth) {
  std::map<std::string, repo::FileEntry> out;
  const std::string prefix = folder.empty() ? "" : std::string(folder) + "/";
  for (const RemoteFile& file : *revision.files) {
    if (!file.path.starts_with(prefix)) continue;
    for (size_t slash = file.path.find('/', prefix.size()); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      const std::string above = file.path.substr(0, slash);
      out[above] = {.path = above, .kind = git::EntryKind::folder, .id = {}, .blob_bytes = 0, .large = {}};
      if (depth == git::Depth::children) break;
    }
    const bool deeper = file.path.find('/', prefix.size()) != std::string::npos;
    if (deeper && depth == git::Depth::children) continue;
    TRY(out[file.path], entry_of(file));
  }
  return out;
}

class RealUpstreamDoor final : public UpstreamDoor {
 public:
  explicit RealUpstreamDoor(exchange::Mirror& mirror) : mirror_(mirror) {}

  Result<std::optional<Response>> answer(const UpstreamQuestion& question) override {
    using Answer = std::optional<Response>;
    using Handler = Result<Response> (RealUpstreamDoor::*)(const UpstreamQuestion&, const ArrivingRevision&);
    static constexpr std::pair<std::string_view, Handler> handlers[] = {
        {"hub_info", &RealUpstreamDoor::info},
        {"hub_info_revision", &RealUpstreamDoor::info},
        {"hub_tree", &RealUpstreamDoor::tree},
        {"hub_tree_folder", &RealUpstreamDoor::tree},
        {"hub_paths_info", &RealUpstreamDoor::paths_info},
        {"hub_resolve", &RealUpstreamDoor::resolve},
        {"hub_api_resolve", &RealUpstreamDoor::resolve},
        {"git_info_refs", &RealUpstreamDoor::clone},
        {"git_info_refs_plain", &RealUpstreamDoor::clone},
        {"lfs_batch", &RealUpstreamDoor::lfs},
    };
    const auto* found = std::ranges::find(handlers, std::string_view(question.route),
                                          &std::pair<std::string_view, Handler>::first);
    if (found == std::end(handlers)) return Answer();
    const bool is_git = found->second == &RealUpstreamDoor::clone;
    if (is_git && question.request.query().get("service") != "git-upload-pack") return Answer();
    std::string revision(question.request.capture("rev"));
    if (found->second == &RealUpstreamDoor::lfs) {
      auto of_batch = lfs_download_revision(question.request);
      if (!of_batch) return Answer();
      revision = std::move(*of_batch);
    }
    if (revision.empty()) revision = "main";
    TRY(const auto arriving, mirror_.find(question.caller, question.type, question.request.capture("ns"),
                                          question.request.capture("name"), revision));
    if (!arriving) return Answer();
    TRY(Response response, (this->*found->second)(question, *arriving));
    return Answer(std::move(response));
  }

 private:
  Result<Response> info(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    repo::Repository repository;
    repository.type = question.type;
    repository.ns = question.request.capture("ns");
    repository.name = question.request.capture("name");
    repository.visibility = revision.visibility;
    repository.created = repository.updated = revision.since;
    const net::Query query = question.request.query();
    json::object view = repo_view(repository, {}, revision.commit);
    view["lastModified"] = format_time(revision.since);
    if (query.flag("blobs")) {
      std::vector<repo::FileEntry> files;
      for (const RemoteFile& file : *revision.files) {
        TRY(repo::FileEntry entry, entry_of(file));
        files.push_back(std::move(entry));
      }
      view["siblings"] = siblings_view(files);
    } else {
      std::vector<std::string> paths;
      for (const RemoteFile& file : *revision.files) paths.push_back(file.path);
      view["siblings"] = siblings_view(paths);
    }
    TRY(const json::object picked, pick_properties(std::move(view), question.type, query.all("expand")));
    return json_answer(picked);
  }

  Result<Response> tree(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    const net::Query query = question.request.query();
    std::string folder(question.request.capture("path"));
    while (folder.ends_with('/')) folder.pop_back();
    TRY(const auto entries,
        entries_below(revision, folder, query.flag("recursive") ? git::Depth::all : git::Depth::children));
    if (entries.empty() && !folder.empty()) return repo::no_such_entry(folder);
    json::array out;
    std::string last;
    for (auto each = entries.upper_bound(std::string(query.get("cursor"))); each != entries.end(); ++each) {
      if (out.size() == page_max) break;
      out.emplace_back(tree_view(each->second, XetLinks::no));
      last = each->first;
    }
    Response response = json_answer(out);
    if (!entries.empty() && last != entries.rbegin()->first && !last.empty())
      response.headers.add("Link",
                           codec::link_next(fmt::format("{}?{}cursor={}", question.request.path(),
                                                        query.flag("recursive") ? "recursive=true&" : "",
                                                        codec::form_encode(last))));
    return response;
  }

  Result<Response> paths_info(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    std::vector<std::string> paths;
    if (question.request.headers.get("Content-Type").starts_with("application/json")) {
      TRY(const json::object body, codec::parse_json_object(question.request.body));
      TRY(const json::array* listed, codec::json_array(body, "paths"));
      for (const json::value& path : *listed)
        if (path.is_string()) paths.emplace_back(path.get_string());
    } else {
      TRY(const codec::FormPairs pairs, codec::parse_form(question.request.body, paths_max + 1));
      for (const auto& [key, value] : pairs)
        if (key == "paths" || key == "paths[]") paths.push_back(value);
    }
    TRY(const auto entries, entries_below(revision, "", git::Depth::all));
    json::array out;
    for (std::string_view path : paths) {
      while (path.ends_with('/')) path.remove_suffix(1);
      const auto found = entries.find(std::string(path));
      if (found != entries.end()) out.emplace_back(tree_view(found->second, XetLinks::no));
    }
    return json_answer(out);
  }

  Result<Response> resolve(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    const std::string_view path = question.request.capture("path");
    const RemoteFile* file = file_at(revision, path);
    if (file == nullptr) {
      // With the commit, so that clients note in their cache that it lacks the file.
      Response missing =
          error_answer(Dialect::hub, question.request, repo::no_such_entry(path), question.context);
      missing.headers.set("X-Repo-Commit", revision.commit);
      return missing;
    }
    const FileAnswer known{.name = file->path, .etag = file->etag(), .size = file->size};
    TRY(Response response, answer_from_ranges(question.request, known, [&](uint64_t offset, uint64_t length) {
          return mirror_.read(revision.id, file->path, offset, length);
        }));
    if (file->sha256) {
      response.headers.set("X-Linked-Size", std::to_string(file->size));
      response.headers.set("X-Linked-Etag", fmt::format("\"{}\"", *file->sha256));
    }
    response.headers.set("X-Repo-Commit", revision.commit);
    response.headers.set("Cache-Control", "private, no-cache");
    return response;
  }

  // Git has no way to hear of a file that is still coming, so it waits: a while here, and then asks again,
  // as often as it follows redirects.
  Result<Response> clone(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    TRY([[maybe_unused]] const bool published, mirror_.wait_until_published(revision.id, clone_wait));
    Response response;
    response.status = 307;
    response.headers.set("Location", std::string(question.request.path()) + "?service=git-upload-pack");
    response.headers.set("Cache-Control", "no-cache");
    return response;
  }

  Result<Response> lfs(const UpstreamQuestion& question, const ArrivingRevision& revision) {
    return arriving_lfs_batch(question, revision);
  }

  exchange::Mirror& mirror_;
};

}  // namespace

std::unique_ptr<UpstreamDoor> make_upstream_door(exchange::Mirror& mirror) {
  return std::make_unique<RealUpstreamDoor>(mirror);
}

}  // namespace holdfast::api
