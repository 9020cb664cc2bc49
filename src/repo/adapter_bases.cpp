#include "repo/adapter_bases.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <vector>

#include "codec/json.h"
#include "repo/browser.h"
#include "repo/card.h"
#include "repo/repositories.h"
#include "repo/revisions.h"
#include "repo/storage.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr uint64_t config_bytes_max = 1 << 20, readme_bytes_max = 4 << 20;
constexpr std::string_view config_name = "adapter_config.json", card_name = "README.md";
constexpr size_t name_bytes_max = 200;

// A file on top with weights of a whole model.
bool is_whole_model(std::string_view path) {
  if (path.find('/') != std::string_view::npos) return false;
  if (path.ends_with(".gguf")) return true;
  return (path.starts_with("model") && path.ends_with(".safetensors")) ||
         (path.starts_with("pytorch_model") && path.ends_with(".bin"));
}

struct Named {
  std::string name, revision;  // Revision: empty where none is stated.
};

Result<Named> named_by_config(std::string_view text) {
  auto config = codec::parse_json_object(text);
  if (!config.ok())
    return fail(Reason::model_unsupported, fmt::format("{}: {}", config_name, config.error().message));
  Named out;
  TRY(const auto name, codec::json_text_if(config.value(), "base_model_name_or_path"));
  TRY(const auto revision, codec::json_text_if(config.value(), "revision"));
  out.name = name.value_or("");
  out.revision = revision.value_or("");
  return out;
}

// The first base_model of a card; empty where it names none.
std::string named_by_card(std::string_view readme) {
  const Card card = read_card({.paths = {}, .readme = std::string(readme), .config = {}}, RepoType::model);
  const auto data = codec::parse_json_object(card.data);
  if (!data.ok()) return {};
  const json::value* said = data.value().if_contains("base_model");
  if (said != nullptr && said->is_array() && !said->get_array().empty()) said = &said->get_array().front();
  return said != nullptr && said->is_string() ? std::string(said->get_string()) : std::string();
}

Error no_base(std::string_view why, std::string_view name) {
  return fail(Reason::model_unsupported,
              fmt::format("the adapter's base {}: '{}'", why, name.substr(0, name_bytes_max)));
}

}  // namespace

Result<AdapterBase> AdapterBases::with_name(RepoId base, const std::string& commit) const {
  TRY(const std::optional<Repository> found, parts_.repositories.find(base));
  if (!found) return fail(Reason::model_unsupported, "the adapter's base was deleted");
  return AdapterBase{base, found->full_name(), commit};
}

Result<std::optional<AdapterBase>> AdapterBases::kept(RepoId adapter, const std::string& commit) const {
  std::optional<std::pair<RepoId, std::string>> row;
  TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
    row.reset();
    return tx.query("SELECT base, base_commit FROM repo_adapter_bases WHERE repo = ? AND commit_oid = ?",
                    {adapter.raw, commit}, [&](const sql::Row& each) {
                      row.emplace(RepoId{each.integer(0)}, each.text(1));
                      return true;
                    });
  }));
  if (!row) return std::optional<AdapterBase>();
  TRY(AdapterBase base, with_name(row->first, row->second));
  return std::optional(std::move(base));
}

// Whoever was first is right.
Result<AdapterBase> AdapterBases::keep(RepoId adapter, const std::string& commit, const Repository& base,
                                       const std::string& base_commit) const {
  const int64_t now = parts_.clock.wall().time_since_epoch().count();
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run(
        "INSERT INTO repo_adapter_bases (repo, commit_oid, base, base_commit, at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        {adapter.raw, commit, base.id.raw, base_commit, now}));
    return Done{};
  }));
  TRY(std::optional<AdapterBase> out, kept(adapter, commit));
  if (!out) return fail(Code::internal, "an adapter's base was not kept");
  return *std::move(out);
}

Result<std::optional<AdapterBase>> AdapterBases::find(const Repository& adapter,
                                                      const git::ObjectId& commit) {
  const std::pair key(adapter.id.raw, commit);
  {
    std::lock_guard lock(mutex_);
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
  }
  TRY(std::optional<AdapterBase> out, look(adapter, commit));
  std::lock_guard lock(mutex_);
  if (known_.size() >= known_max) known_.clear();
  known_.emplace(key, out);
  return out;
}

Result<std::optional<AdapterBase>> AdapterBases::look(const Repository& adapter,
                                                      const git::ObjectId& commit) {
  const std::string hex = commit.hex();
  TRY(std::optional<AdapterBase> known, kept(adapter.id, hex));
  if (known) return known;
  TRY(const git::Repository objects, parts_.storage.open(adapter.id));
  TRY(const std::optional<FileEntry> config,
      parts_.browser.find(adapter, objects, commit, std::string(config_name)));
  if (!config || config->is_folder() || config->large) return std::optional<AdapterBase>();
  TRY(const std::vector<std::string> paths, Browser::paths(objects, commit));
  if (std::any_of(paths.begin(), paths.end(), is_whole_model)) return std::optional<AdapterBase>();
  TRY(const std::string text, objects.read_blob(config->id, config_bytes_max));
  TRY(Named named, named_by_config(text));
  const auto repository_of = [&](std::string_view name) -> Result<std::optional<Repository>> {
    const auto parsed = parse_repo_name(RepoType::model, name);
    if (!parsed.ok()) return std::optional<Repository>();
    const auto& [type, ns, short_name] = parsed.value();
    TRY(std::optional<Repository> found, parts_.repositories.find(type, ns, short_name));
    if (found) return found;
    return parts_.repositories.find_moved(type, ns, short_name);
  };
  TRY(std::optional<Repository> base, repository_of(named.name));
  if (!base) {
    // Who trained from a folder of their own machine has its path there.
    TRY(const std::optional<FileEntry> readme,
        parts_.browser.find(adapter, objects, commit, std::string(card_name)));
    std::string by_card;
    if (readme && !readme->is_folder() && !readme->large) {
      TRY(const std::string card, objects.read_blob(readme->id, readme_bytes_max));
      by_card = named_by_card(card);
    }
    TRY(base, repository_of(by_card));
    if (!base) return no_base("is no model of this hub", by_card.empty() ? named.name : by_card);
    named.revision.clear();  // It was said of something else.
  }
  if (base->id == adapter.id) return no_base("is itself", base->full_name());
  auto revision = parts_.revisions.find(base->id, named.revision.empty() ? "main" : named.revision);
  if (!revision.ok()) return no_base("has no revision", base->full_name() + "@" + named.revision);
  TRY(const git::Repository base_objects, parts_.storage.open(base->id));
  TRY(const std::vector<std::string> base_paths, Browser::paths(base_objects, revision.value().commit));
  if (std::none_of(base_paths.begin(), base_paths.end(), is_whole_model))
    return no_base("has no weights", base->full_name());
  TRY(AdapterBase out, keep(adapter.id, hex, *base, revision.value().commit.hex()));
  return std::optional(std::move(out));
}

}  // namespace holdfast::repo
