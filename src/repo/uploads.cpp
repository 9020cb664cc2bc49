#include "repo/uploads.h"

#include <vector>

#include "content/store.h"
#include "repo/repositories.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

// Of one object or xorb: enough to find one that is the caller's in any sane instance, and a bound in others.
constexpr size_t holders_max = 10'000, uses_max = 100'000;

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }

Error missing() { return fail(Reason::object_missing, "Object not found"); }

}  // namespace

std::string_view Uploads::kind_name(Kind kind) {
  switch (kind) {
    case Kind::sha256:
      return "sha256";
    case Kind::file:
      return "file";
    case Kind::xorb:
      return "xorb";
  }
  return "";
}

Status Uploads::record(const identity::Caller& caller, Kind kind, std::string_view hash, uint64_t size) {
  if (caller.anonymous()) return fail(Reason::unauthenticated, "Uploading needs a token");
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_uploads WHERE token = ? AND kind = ? AND hash = ?",
               {caller.token.raw, kind_name(kind), hash}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_uploads (token, kind, hash, size, at) VALUES (?, ?, ?, ?, ?)",
               {caller.token.raw, kind_name(kind), hash, static_cast<int64_t>(size), unix_ms(clock_)}));
    return Done{};
  });
}

Status Uploads::record_file(const identity::Caller& caller, const content::FileInfo& file) {
  TRY_DONE(record(caller, Kind::sha256, content::to_text(file.sha256), file.size));
  return record(caller, Kind::file, content::to_text(file.hash), file.size);
}

Status Uploads::record_xorb(const identity::Caller& caller, const content::XorbHash& xorb) {
  return record(caller, Kind::xorb, content::to_text(xorb), 0);
}

Result<bool> Uploads::uploaded(const identity::Caller& caller, Kind kind, std::string_view hash) {
  if (caller.anonymous()) return false;
  const int64_t since = unix_ms(clock_) - std::chrono::milliseconds(session_span).count();
  bool found = false;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    found = false;
    return tx.query("SELECT 1 FROM repo_uploads WHERE token = ? AND kind = ? AND hash = ? AND at >= ?",
                    {caller.token.raw, kind_name(kind), hash, since}, [&](const sql::Row&) {
                      found = true;
                      return false;
                    });
  }));
  return found;
}

Result<bool> Uploads::readable(const identity::Caller& caller, std::string_view column,
                               std::string_view hash) {
  std::vector<Repository> holders;
  const std::string query = "SELECT " + std::string(repository_columns) +
                            " FROM repo_repositories WHERE id IN (SELECT repo FROM repo_objects WHERE " +
                            std::string(column) + " = ?)";
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    holders.clear();
    return tx.query(query, {hash}, [&](const sql::Row& row) {
      holders.push_back(read_repository(row));
      return holders.size() < holders_max;
    });
  }));
  for (const Repository& holder : holders) {
    TRY(const bool may, rights_.may_read_files(caller, holder));
    if (may) return true;
  }
  return false;
}

Status Uploads::may_name(const identity::Caller& caller, const content::Sha256Digest& sha256) {
  const std::string hash = content::to_text(sha256);
  TRY(const bool own, uploaded(caller, Kind::sha256, hash));
  if (own) return Done{};
  TRY(const bool seen, readable(caller, "sha256", hash));
  return seen ? Status(Done{}) : missing();
}

Status Uploads::may_name(const identity::Caller& caller, const content::FileHash& file) {
  const std::string hash = content::to_text(file);
  TRY(const bool own, uploaded(caller, Kind::file, hash));
  if (own) return Done{};
  TRY(const bool seen, readable(caller, "file_hash", hash));
  return seen ? Status(Done{}) : missing();
}

Result<bool> Uploads::may_use(const identity::Caller& caller, const content::XorbHash& xorb,
                              const content::ChunkRange& chunks) {
  TRY(const bool own, uploaded(caller, Kind::xorb, content::to_text(xorb)));
  if (own) return true;
  if (chunks.end <= chunks.first) return false;
  std::vector<std::pair<content::FileHash, content::ChunkRange>> uses;
  TRY_DONE(
      content_.visit_files_using(xorb, [&](const content::FileInfo& file, const content::ChunkRange& used) {
        if (used.first < chunks.end && chunks.first < used.end) uses.emplace_back(file.hash, used);
        return uses.size() < uses_max;
      }));
  // Which of the asked chunks a file the caller may read uses.
  std::vector<bool> covered(chunks.end - chunks.first);
  size_t left = covered.size();
  for (const auto& [file, used] : uses) {
    if (left == 0) break;
    const uint32_t first = std::max(used.first, chunks.first), end = std::min(used.end, chunks.end);
    bool adds = false;
    for (uint32_t at = first; at < end; ++at) adds = adds || !covered[at - chunks.first];
    if (!adds) continue;
    const Status named = may_name(caller, file);
    if (!named.ok()) {
      if (named.error().reason == Reason::object_missing) continue;
      return named.error();
    }
    for (uint32_t at = first; at < end; ++at) {
      if (covered[at - chunks.first]) continue;
      covered[at - chunks.first] = true;
      --left;
    }
  }
  return left == 0;
}

Result<content::FileInfo> Uploads::held(RepoId repository, const content::Sha256Digest& sha256) {
  std::string file_hash;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT file_hash FROM repo_objects WHERE repo = ? AND sha256 = ?",
                    {repository.raw, content::to_text(sha256)}, [&](const sql::Row& row) {
                      file_hash = row.text(0);
                      return false;
                    });
  }));
  if (file_hash.empty()) return missing();
  TRY(const auto hash, content::parse_hash<content::FileHash>(file_hash));
  return content_.find(hash);
}

Result<content::FileInfo> Uploads::held(RepoId repository, const content::FileHash& file) {
  bool found = false;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT 1 FROM repo_objects WHERE repo = ? AND file_hash = ?",
                    {repository.raw, content::to_text(file)}, [&](const sql::Row&) {
                      found = true;
                      return false;
                    });
  }));
  if (!found) return missing();
  return content_.find(file);
}

Status Uploads::hold(sql::Transaction& tx, RepoId repository, const content::FileInfo& file,
                     std::string_view path, int64_t now_unix_ms) {
  const std::string sha256 = content::to_text(file.sha256);
  bool held = false;
  TRY_DONE(tx.query("SELECT 1 FROM repo_objects WHERE repo = ? AND sha256 = ?", {repository.raw, sha256},
                    [&](const sql::Row&) {
                      held = true;
                      return false;
                    }));
  if (held) return Done{};
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("INSERT INTO repo_objects (repo, sha256, file_hash, size, path, at) VALUES (?, ?, ?, ?, ?, ?)",
             {repository.raw, sha256, content::to_text(file.hash), static_cast<int64_t>(file.size), path,
              now_unix_ms}));
  return Done{};
}

Result<bool> Uploads::is_live(const content::FileInfo& file) {
  const std::string sha256 = content::to_text(file.sha256), hash = content::to_text(file.hash);
  const int64_t since = unix_ms(clock_) - std::chrono::milliseconds(session_span).count();
  bool live = false;
  const auto note = [&](const sql::Row&) {
    live = true;
    return false;
  };
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    live = false;
    // By either name: a repository may hold the same bytes cut into other chunks.
    TRY_DONE(tx.query("SELECT 1 FROM repo_objects WHERE file_hash = ? OR sha256 = ? LIMIT 1", {hash, sha256},
                      note));
    return tx.query(
        "SELECT 1 FROM repo_uploads WHERE ((kind = 'file' AND hash = ?) OR (kind = 'sha256' AND "
        "hash = ?)) AND at >= ? LIMIT 1",
        {hash, sha256, since}, note);
  }));
  return live;
}

Status Uploads::forget_old() {
  const int64_t since = unix_ms(clock_) - std::chrono::milliseconds(session_span).count();
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows, tx.run("DELETE FROM repo_uploads WHERE at < ?", {since}));
    return Done{};
  });
}

}  // namespace holdfast::repo
