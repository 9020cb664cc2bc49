#include "govern/release_parts.h"

#include <fmt/format.h>

#include <boost/json/value.hpp>

#include "codec/hex.h"
#include "codec/json.h"
#include "codec/sha256.h"
#include "content/hash.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::govern {
namespace {

constexpr uint64_t file_bytes_max = 64 << 20;

}  // namespace

Result<ReleaseParts::Revision> ReleaseParts::find(const Record& record, std::string_view revision) const {
  TRY(const repo::RepoName name, repo::parse_repo_name(repo::RepoType::model, record.model));
  TRY(auto model, hub_.repositories.find(name.type, name.ns, name.name));
  if (!model) return fail(Code::not_found, fmt::format("the model {} is gone", record.model));
  TRY(const git::Repository objects, hub_.storage.open(model->id));
  TRY(const repo::Revision found,
      repo::find_revision(hub_.publisher, objects, model->id, revision.empty() ? "main" : revision));
  return Revision{std::move(*model), found.commit};
}

Result<std::string> ReleaseParts::file_digest(const repo::Repository& model, const git::ObjectId& commit,
                                              std::string_view path) const {
  TRY(const git::Repository objects, hub_.storage.open(model.id));
  TRY(const auto entry, hub_.browser.find(model, objects, commit, path));
  if (!entry || entry->is_folder()) return std::string();
  if (entry->large) return codec::to_hex(entry->large->sha256);
  TRY(const std::string bytes, objects.read_blob(entry->id, file_bytes_max));
  return codec::to_hex(codec::sha256(as_bytes(bytes)));
}

Result<boost::json::object> ReleaseParts::parts(const Revision& revision, const Record& record) const {
  std::string tokenizer;
  for (const char* file : {"tokenizer.json", "tokenizer.model", "vocab.txt"}) {
    TRY(tokenizer, file_digest(revision.model, revision.commit, file));
    if (!tokenizer.empty()) break;
  }
  std::string prompt;
  if (!record.prompt.empty() && record.prompt != "none") {
    TRY(prompt, file_digest(revision.model, revision.commit, record.prompt));
    if (prompt.empty())
      return fail(Reason::bad_request, fmt::format("'prompt': the revision has no file {}", record.prompt));
  }
  TRY(std::string configuration, file_digest(revision.model, revision.commit, "config.json"));
  const std::string record_digest =
      codec::to_hex(codec::sha256(as_bytes(codec::to_text(record_json(record)))));
  return boost::json::object{{"model", revision.model.full_name()},
                             {"revision", revision.commit.hex()},
                             {"tokenizer", std::move(tokenizer)},
                             {"prompt", record.prompt.empty() ? "none" : record.prompt},
                             {"prompt_digest", std::move(prompt)},
                             {"preprocessing", record.preprocessing.empty() ? "none" : record.preprocessing},
                             {"configuration", std::move(configuration)},
                             {"record", record_digest},
                             {"code", "holdfast " + program_version_}};
}

Status ReleaseParts::check_dataset(const identity::Caller& caller, std::string_view name,
                                   std::string_view commit) const {
  const Error missing =
      fail(Reason::bad_request, fmt::format("'dataset': there is no {} at {} here", name, commit));
  const auto place = repo::parse_repo_name(repo::RepoType::dataset, name);
  if (!place.ok()) return missing;
  TRY(const auto dataset,
      hub_.repositories.find(repo::RepoType::dataset, place.value().ns, place.value().name));
  if (!dataset || !hub_.rights.may_see(caller, *dataset)) return missing;
  TRY(const git::Repository objects, hub_.storage.open(dataset->id));
  const auto found = repo::find_revision(hub_.publisher, objects, dataset->id, commit);
  if (!found.ok() || found.value().commit.hex() != commit) return missing;
  return Done{};
}

Result<std::vector<std::string>> ReleaseParts::pushers(const Revision& revision) const {
  std::vector<std::string> users;
  const std::string commit = revision.commit.hex();
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    users.clear();
    return tx.query("SELECT DISTINCT actor FROM repo_events WHERE repo = ? AND new_target = ?",
                    {revision.model.id.raw, commit}, [&](const sql::Row& row) {
                      users.push_back(row.text(0));
                      return true;
                    });
  }));
  return users;
}

}  // namespace holdfast::govern
