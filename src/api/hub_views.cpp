#include "api/hub_views.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/clock.h"
#include "codec/json.h"
#include "content/hash.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

json::value parsed_or(const std::string& text, json::value fallback) {
  if (text.empty()) return fallback;
  auto parsed = codec::parse_json(text);
  return parsed.ok() ? std::move(parsed).value() : std::move(fallback);
}

json::value gate_view(repo::Gate gate) {
  switch (gate) {
    case repo::Gate::none:
      return false;
    case repo::Gate::automatic:
      return "auto";
    case repo::Gate::manual:
      return "manual";
  }
  return false;
}

// The properties `expand` may name (hub-protocol.md 1.3).
constexpr auto model_properties = std::to_array<std::string_view>({"author",
                                                                   "baseModels",
                                                                   "cardData",
                                                                   "childrenModelCount",
                                                                   "config",
                                                                   "createdAt",
                                                                   "disabled",
                                                                   "downloads",
                                                                   "downloadsAllTime",
                                                                   "evalResults",
                                                                   "gated",
                                                                   "gguf",
                                                                   "inference",
                                                                   "inferenceProviderMapping",
                                                                   "lastModified",
                                                                   "library_name",
                                                                   "likes",
                                                                   "mask_token",
                                                                   "model-index",
                                                                   "pipeline_tag",
                                                                   "private",
                                                                   "resourceGroup",
                                                                   "safetensors",
                                                                   "sha",
                                                                   "siblings",
                                                                   "spaces",
                                                                   "tags",
                                                                   "transformersInfo",
                                                                   "trendingScore",
                                                                   "usedStorage",
                                                                   "widgetData",
                                                                   "xetEnabled"});
constexpr auto dataset_properties = std::to_array<std::string_view>({"author",
                                                                     "cardData",
                                                                     "citation",
                                                                     "createdAt",
                                                                     "description",
                                                                     "disabled",
                                                                     "downloads",
                                                                     "downloadsAllTime",
                                                                     "gated",
                                                                     "lastModified",
                                                                     "likes",
                                                                     "mainSize",
                                                                     "paperswithcode_id",
                                                                     "private",
                                                                     "resourceGroup",
                                                                     "sha",
                                                                     "siblings",
                                                                     "tags",
                                                                     "trendingScore",
                                                                     "usedStorage",
                                                                     "xetEnabled"});
constexpr auto space_properties = std::to_array<std::string_view>(
    {"author",   "cardData",  "createdAt", "datasets",      "disabled",    "lastModified", "likes",
     "models",   "private",   "region",    "resourceGroup", "runtime",     "sdk",          "sha",
     "siblings", "subdomain", "tags",      "trendingScore", "usedStorage", "xetEnabled"});

std::span<const std::string_view> properties_of(repo::RepoType type) {
  switch (type) {
    case repo::RepoType::model:
      return model_properties;
    case repo::RepoType::dataset:
      return dataset_properties;
    case repo::RepoType::space:
      return space_properties;
  }
  return {};
}

json::object model_fields(const repo::Card& card, const json::value& data) {
  json::object out;
  if (!card.library.empty()) out["library_name"] = card.library;
  if (!card.pipeline.empty()) out["pipeline_tag"] = card.pipeline;
  if (!card.config.empty()) out["config"] = parsed_or(card.config, json::object());
  if (!card.safetensors.empty()) out["safetensors"] = parsed_or(card.safetensors, nullptr);
  const json::object* fields = data.if_object();
  const json::value* index = fields == nullptr ? nullptr : fields->if_contains("model-index");
  out["model-index"] = index == nullptr ? json::value(nullptr) : *index;
  out["spaces"] = json::array();
  return out;
}

}  // namespace

std::string repo_url(std::string_view base_url, const repo::Repository& repository) {
  return fmt::format("{}/{}{}", base_url, repo::url_prefix(repository.type), repository.full_name());
}

json::object repo_view(const repo::Repository& repository, const repo::Card& card, std::string_view commit) {
  const json::value data = parsed_or(card.data, json::object());
  json::object out;
  out["_id"] = fmt::format("{:024x}", repository.id.raw);
  out["id"] = repository.full_name();
  if (repository.type == repo::RepoType::model) out["modelId"] = repository.full_name();
  out["author"] = repository.ns;
  if (!commit.empty()) out["sha"] = commit;
  out["createdAt"] = format_time(repository.created);
  out["lastModified"] = format_time(repository.updated);
  out["private"] = repository.visibility == repo::Visibility::private_;
  out["gated"] = gate_view(repository.gate);
  out["disabled"] = repository.disabled;
  out["downloads"] = repository.downloads;
  out["downloadsAllTime"] = repository.downloads;
  out["likes"] = repository.likes;
  out["trendingScore"] = 0;
  out["xetEnabled"] = true;  // Asked for by huggingface_hub 0.x before a large upload.
  json::array tags;
  for (const std::string& tag : card.tags) tags.emplace_back(tag);
  out["tags"] = std::move(tags);
  out["cardData"] = data;
  switch (repository.type) {
    case repo::RepoType::model:
      for (auto& [key, value] : model_fields(card, data)) out[key] = value;
      break;
    case repo::RepoType::dataset:
      break;
    case repo::RepoType::space:
      out["sdk"] = repository.sdk;
      out["models"] = json::array();
      out["datasets"] = json::array();
      out["runtime"] = json::object{{"stage", "NO_APP_FILE"},
                                    {"hardware", json::object{{"current", nullptr}, {"requested", nullptr}}}};
      break;
  }
  return out;
}

json::array siblings_view(std::span<const std::string> paths) {
  json::array out;
  out.reserve(paths.size());
  for (const std::string& path : paths) out.emplace_back(json::object{{"rfilename", path}});
  return out;
}

json::array siblings_view(std::span<const repo::FileEntry> files) {
  json::array out;
  out.reserve(files.size());
  for (const repo::FileEntry& file : files) {
    json::object item{{"rfilename", file.path}, {"size", file.size()}, {"blobId", file.id.hex()}};
    if (file.large)
      item["lfs"] = json::object{{"sha256", content::to_text(file.large->sha256)},
                                 {"size", file.large->size},
                                 {"pointerSize", file.large->pointer_bytes}};
    out.emplace_back(std::move(item));
  }
  return out;
}

bool knows_property(repo::RepoType type, std::string_view name) {
  return std::ranges::find(properties_of(type), name) != properties_of(type).end();
}

Result<json::object> pick_properties(json::object view, repo::RepoType type,
                                     std::span<const std::string_view> expand) {
  if (expand.empty()) return view;
  json::object out{{"_id", view["_id"]}, {"id", view["id"]}};
  for (const std::string_view name : expand) {
    if (!knows_property(type, name))
      return fail(Reason::bad_request,
                  fmt::format("\"expand\" must be one of [{}]", fmt::join(properties_of(type), ", ")));
    if (const json::value* value = view.if_contains(name)) out[name] = *value;
  }
  return out;
}

json::object tree_view(const repo::FileEntry& entry, XetLinks xet) {
  json::object out;
  out["type"] = entry.is_folder() ? "directory" : "file";
  out["oid"] = entry.id.hex();
  out["size"] = entry.is_folder() ? uint64_t{0} : entry.size();
  out["path"] = entry.path;
  if (!entry.large) return out;
  out["lfs"] = json::object{{"oid", content::to_text(entry.large->sha256)},
                            {"size", entry.large->size},
                            {"pointerSize", entry.large->pointer_bytes}};
  if (xet == XetLinks::yes && !entry.large->hash.zero()) out["xetHash"] = content::to_text(entry.large->hash);
  return out;
}

json::object commit_view(const git::Commit& commit) {
  json::object author{{"user", commit.author.name}, {"avatar", ""}};
  return {{"id", commit.id.hex()},
          {"title", commit.title()},
          {"message", commit.body()},
          {"date", format_time(commit.committer.time)},
          {"authors", json::array{std::move(author)}}};
}

json::object ref_view(const git::Ref& ref, std::string_view short_name) {
  return {{"name", short_name}, {"ref", ref.name}, {"targetCommit", ref.target.hex()}};
}

json::object discussion_view(const repo::Discussion& discussion, const repo::Repository& repository) {
  const bool is_pull_request = discussion.kind == repo::DiscussionKind::pull_request;
  return {
      {"num", discussion.number},
      {"title", discussion.title},
      {"status", repo::status_name(discussion.status)},
      {"author", json::object{{"name", discussion.author}, {"type", "user"}}},
      {"createdAt", format_time(discussion.created)},
      {"isPullRequest", is_pull_request},
      {"repo", json::object{{"name", repository.full_name()}, {"type", repo::type_name(repository.type)}}}};
}

json::object event_view(const repo::DiscussionEvent& event) {
  return {{"id", event.id},
          {"type", event.type},
          {"createdAt", format_time(event.at)},
          {"author", json::object{{"name", event.author}, {"type", "user"}}},
          {"data", parsed_or(event.data, json::object())}};
}

}  // namespace holdfast::api
