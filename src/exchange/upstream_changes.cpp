#include "exchange/upstream_changes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "exchange/arrival.h"
#include "identity/audit.h"
#include "repo/comparison.h"
#include "repo/hub.h"
#include "repo/repositories.h"
#include "scan/card_check.h"

namespace holdfast::exchange {
namespace {

constexpr size_t card_bytes_max = 1 << 20, files_max = 100'000;

struct Known {
  std::string head, state;
  bool found = false;
};

Result<Known> read_known(sql::Database& database, repo::RepoId repository) {
  Known out;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT head, state FROM exchange_repositories WHERE repo = ?", {repository.raw},
                    [&](const sql::Row& row) {
                      out = {row.text(0), row.text(1), true};
                      return false;
                    });
  }));
  return out;
}

std::string license_in(std::string_view readme, repo::RepoType type) {
  return scan::check_card(readme,
                          type == repo::RepoType::dataset ? scan::CardKind::dataset : scan::CardKind::model)
      .license;
}

// The files of the revision that lies here, by the names that the upstream gives bytes.
Result<std::map<std::string, std::string>> files_here(const repo::Repository& repository,
                                                      const MirrorParts& parts, std::string& readme) {
  std::map<std::string, std::string> out;
  TRY(const git::Repository objects, parts.hub.storage.open(repository.id));
  TRY(const auto main, parts.hub.publisher.ref(repository.id, repo::main_ref));
  if (!main) return out;
  TRY(const auto files, parts.hub.browser.files(repository, objects, *main, files_max));
  for (const repo::FileEntry& file : files) {
    out[file.path] = file.large ? content::to_text(file.large->sha256) : file.id.hex();
    if (file.path == "README.md" && !file.large) {
      TRY(readme, objects.read_blob(file.id, card_bytes_max));
    }
  }
  return out;
}

Result<std::string> describe(HubClient& hub, const RemoteRepo& remote, const RemoteRevision& now,
                             const repo::Repository& repository, const MirrorParts& parts) {
  std::string readme;
  TRY(auto before, files_here(repository, parts, readme));
  std::set<std::string> kinds;
  for (const RemoteFile& file : now.files) {
    const auto found = before.find(file.path);
    const bool same = found != before.end() && found->second == file.etag();
    if (found != before.end()) before.erase(found);
    if (same) continue;
    if (file.path == "README.md") {
      std::string text;
      TRY_DONE(hub.download(
          remote, now.commit, file.path, 0,
          [&](ByteView bytes) -> Status {
            if (text.size() + bytes.size() > card_bytes_max)
              return fail(Reason::body_too_large, "the upstream's card is too long");
            text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return Done{};
          },
          Context{}));
      kinds.insert("card");
      if (license_in(text, repository.type) != license_in(readme, repository.type)) kinds.insert("license");
    } else if (repo::is_tokenizer_file(file.path)) {
      kinds.insert("tokenizer");
    } else {
      kinds.insert("files");
    }
  }
  if (!before.empty()) kinds.insert("files removed");
  std::string out;
  for (const std::string& kind : kinds) out += (out.empty() ? "" : ", ") + kind;
  return out.empty() ? std::string("history") : out;
}

// Whose card names the repository, whatever their type.
Result<std::vector<repo::Repository>> dependants(const repo::Repository& repository,
                                                 const MirrorParts& parts) {
  const std::string name = repository.full_name();
  std::vector<repo::Repository> out;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(
        fmt::format("SELECT {} FROM repo_repositories WHERE id IN (SELECT repo FROM repo_tags WHERE tag IN "
                    "(?, ?)) AND id <> ? LIMIT 1000",
                    repo::repository_columns),
        {"base_model:" + name, "dataset:" + name, repository.id.raw}, [&](const sql::Row& row) {
          out.push_back(repo::read_repository(row));
          return true;
        });
  }));
  return out;
}

Status tell(const repo::Repository& repository, const UpstreamPlace& place, const std::string& what,
            const std::string& head, const MirrorParts& parts) {
  TRY(const auto others, dependants(repository, parts));
  const auto subject = [](const repo::Repository& each) {
    return fmt::format("{}:{}", repo::type_name(each.type), each.full_name());
  };
  return parts.database.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(
            "UPDATE exchange_repositories SET head = ?, state = ? WHERE repo = ?",
            {head, what == "removed" ? std::string_view("removed") : std::string_view(), repository.id.raw}));
    TRY_DONE(parts.audit.append(tx, {.actor = "(mirror)",
                                     .action = "mirror.upstream_changed",
                                     .subject = subject(repository),
                                     .details = {{"remote", place.remote},
                                                 {"remote_commit", head},
                                                 {"upstream", place.upstream.name},
                                                 {"what", what}}}));
    for (const repo::Repository& each : others)
      TRY_DONE(parts.audit.append(
          tx, {.actor = "(mirror)",
               .action = "mirror.dependency_changed",
               .subject = subject(each),
               .details = {{"dependency", subject(repository)}, {"remote_commit", head}, {"what", what}}}));
    return Done{};
  });
}

}  // namespace

Result<UpstreamChange> look_for_changes(HubClient& hub, const repo::Repository& repository,
                                        const UpstreamPlace& place, const MirrorParts& parts) {
  TRY(const Known known, read_known(parts.database, repository.id));
  if (!known.found) return fail(Code::not_found, "this repository was not taken over from an upstream");
  Arrival asked;
  asked.type = repository.type;
  asked.place = place;
  const RemoteRepo remote = asked.remote();
  auto now = hub.revision(remote, "main", Context{});
  UpstreamChange change;
  if (!now.ok()) {
    const bool gone = now.error().reason == Reason::repo_not_found || now.error().reason == Reason::gated ||
                      now.error().reason == Reason::unauthenticated;
    if (!gone) return now.error();
    if (known.state == "removed") return change;
    change.what = "removed";
    TRY_DONE(tell(repository, place, change.what, known.head, parts));
    return change;
  }
  change.remote = now.value();
  if (now.value().commit == known.head && known.state.empty()) return change;
  if (now.value().commit == known.head) {
    change.what = "back";
  } else {
    TRY(change.what, describe(hub, remote, now.value(), repository, parts));
  }
  TRY_DONE(tell(repository, place, change.what, now.value().commit, parts));
  return change;
}

Status note_checked(sql::Database& database, int64_t repository, int64_t now_unix_ms, bool known) {
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        known
            ? tx.run("UPDATE exchange_repositories SET checked = ? WHERE repo = ?", {now_unix_ms, repository})
            : tx.run("DELETE FROM exchange_repositories WHERE repo = ?", {repository}));
    return Done{};
  });
}

}  // namespace holdfast::exchange
