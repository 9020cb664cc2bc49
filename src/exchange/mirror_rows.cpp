// What the database keeps of revisions on their way.
#include <fmt/format.h>

#include "exchange/mirror_core.h"
#include "sql/database.h"

namespace holdfast::exchange {
namespace {

constexpr std::string_view columns =
    "id, upstream, type, ns, name, remote, asked, remote_commit, bytes, state, detail, commit_oid, digest, "
    "license, started, ended";

IncomingRevision read_row(const sql::Row& row) {
  const auto time = [&](int column) { return WallTime(std::chrono::milliseconds(row.integer(column))); };
  return {.id = row.integer(0),
          .upstream = row.text(1),
          .remote = row.text(5),
          .type = repo::type_of_name(row.text(2)).value_or(repo::RepoType::model),
          .ns = row.text(3),
          .name = row.text(4),
          .asked = row.text(6),
          .remote_commit = row.text(7),
          .state = row.text(9),
          .detail = row.text(10),
          .commit = row.text(11),
          .digest = row.text(12),
          .license = row.text(13),
          .bytes = static_cast<uint64_t>(row.integer(8)),
          .bytes_here = 0,
          .started = time(14),
          .ended = time(15)};
}

}  // namespace

Result<std::vector<IncomingRevision>> MirrorCore::rows(std::string_view where, std::string_view text,
                                                       int64_t number) {
  std::vector<IncomingRevision> out;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(
        fmt::format("SELECT {} FROM exchange_revisions WHERE {} ORDER BY id DESC LIMIT 1000", columns, where),
        {text, number}, [&](const sql::Row& row) {
          out.push_back(read_row(row));
          return true;
        });
  }));
  std::lock_guard lock(mutex);
  for (IncomingRevision& each : out) {
    const auto found = active_.find(each.id);
    if (found != active_.end())
      for (const ArrivingFile& file : found->second->files) each.bytes_here += file.bytes_here();
    else if (each.state == "done")
      each.bytes_here = each.bytes;
  }
  return out;
}

Status MirrorCore::set_state(const Arrival& arrival, std::string_view state, std::string_view detail) {
  const int64_t ended = state == "fetching" ? 0 : parts.clock.wall().time_since_epoch().count();
  return parts.database.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("UPDATE exchange_revisions SET state = ?, detail = ?, ended = ? WHERE id = ?",
               {state, detail, ended, arrival.id}));
    return Done{};
  });
}

Result<int64_t> MirrorCore::note(const UpstreamPlace& place, repo::RepoType type, std::string_view ns,
                                 std::string_view name, std::string_view asked,
                                 const RemoteRevision& remote) {
  uint64_t bytes = 0;
  for (const RemoteFile& file : remote.files) bytes += file.size;
  if (place.upstream.bytes_max > 0 && bytes > place.upstream.bytes_max)
    return fail(Reason::quota, fmt::format("{} has {} bytes; {} are taken over from {} at most", place.remote,
                                           bytes, place.upstream.bytes_max, place.upstream.name));
  const std::string files = files_as_json(remote.files);
  const std::string_view type_word = repo::type_name(type);
  const int64_t now = parts.clock.wall().time_since_epoch().count();
  return parts.database.write<int64_t>([&](sql::Transaction& tx) -> Result<int64_t> {
    int64_t id = 0;
    const auto find = [&] {
      return tx.query(
          "SELECT id FROM exchange_revisions WHERE upstream = ? AND type = ? AND ns = ? AND name = ? AND "
          "remote_commit = ? AND state <> 'done' ORDER BY id DESC",
          {place.upstream.name, type_word, ns, name, remote.commit}, [&](const sql::Row& row) {
            id = row.integer(0);
            return false;
          });
    };
    TRY_DONE(find());
    if (id > 0) return id;
    TRY([[maybe_unused]] const int64_t rows,
        tx.run(
            "INSERT INTO exchange_revisions (upstream, type, ns, name, remote, asked, remote_commit, files, "
            "bytes, state, detail, repo, commit_oid, digest, license, started, ended) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'fetching', '', 0, '', '', '', ?, 0)",
            {place.upstream.name, type_word, ns, name, place.remote, asked, remote.commit, files,
             static_cast<int64_t>(bytes), now}));
    TRY_DONE(find());
    return id;
  });
}

}  // namespace holdfast::exchange
