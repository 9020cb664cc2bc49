#include "content/parts.h"
#include "content/probe.h"

namespace holdfast::content {
namespace {

constexpr int64_t page_size =
    200;  // Rows a transaction: uploads wait for the writer no longer than that takes.
// What an upload has in its hands, however short the grace: temporary files, xorbs that are pending, and a
// xorb's file, which gets its name before its row is committed. Only what is much older is a leftover.
constexpr auto in_flight_grace = std::chrono::hours(1);

Result<bool> deletion_is_held(Parts& parts, sql::Transaction& tx) {
  int64_t until = 0;
  TRY_DONE(tx.query("SELECT until_ms FROM content_hold", {}, [&](const sql::Row& row) {
    until = std::max(until, row.integer(0));
    return true;
  }));
  return until > parts.now();
}

Error held() { return fail(Code::busy, "a backup is running: nothing is deleted meanwhile"); }

Status collect_files(Parts& parts, int64_t before, const Store::IsLive& is_live, Collected& collected) {
  FileId after = 0;
  while (true) {
    TRY(const std::vector<StoredFile> page, parts.file_index.page(after, page_size, before));
    if (page.empty()) return Done{};
    after = page.back().id;
    std::vector<const StoredFile*> dead;
    for (const StoredFile& file : page) {
      TRY(const bool live, is_live(file.info));
      if (!live) dead.push_back(&file);
    }
    if (dead.empty()) continue;
    // A file that was touched since the page was read stays.
    TRY(const uint64_t removed, parts.database.write<uint64_t>([&](sql::Transaction& tx) -> Result<uint64_t> {
      TRY(const bool wait, deletion_is_held(parts, tx));
      if (wait) return held();
      uint64_t count = 0;
      for (const StoredFile* file : dead) {
        TRY(const bool gone, FileIndex::remove(tx, *file, before));
        count += gone ? 1 : 0;
      }
      return count;
    }));
    collected.files += removed;
  }
}

Result<std::vector<XorbId>> unused_xorbs(Parts& parts, XorbId after, int64_t before) {
  const int64_t made_before =
      std::min(before, parts.now() - std::chrono::milliseconds(in_flight_grace).count());
  using Ids = std::vector<XorbId>;
  return parts.database.read<Ids>([&](sql::Transaction& tx) -> Result<Ids> {
    Ids ids;
    TRY_DONE(tx.query(
        "SELECT id FROM content_xorbs WHERE id > ? AND touched_at < ? AND (pending = 0 OR touched_at < ?) "
        "AND NOT EXISTS (SELECT 1 FROM content_uses WHERE content_uses.xorb = content_xorbs.id) "
        "ORDER BY id LIMIT ?",
        {after, before, made_before, page_size / 20}, [&](const sql::Row& row) {
          ids.push_back(row.integer(0));
          return true;
        }));
    return ids;
  });
}

// Rows go first, with a note of the file; files after that, since nobody can come to need them any more: a
// xorb uploaded again gets a file of its own.
Status collect_xorbs(Parts& parts, int64_t before, Collected& collected) {
  XorbId after = 0;
  while (true) {
    TRY(const std::vector<XorbId> ids, unused_xorbs(parts, after, before));
    if (ids.empty()) return Done{};
    after = ids.back();
    std::vector<std::shared_ptr<const Xorb>> xorbs;
    for (const XorbId id : ids) {
      parts.xorbs.forget(id);
      TRY(auto xorb, parts.xorbs.find(id));
      xorbs.push_back(std::move(xorb));
      parts.xorbs.forget(id);
    }
    TRY(const uint64_t removed, parts.database.write<uint64_t>([&](sql::Transaction& tx) -> Result<uint64_t> {
      TRY(const bool wait, deletion_is_held(parts, tx));
      if (wait) return held();
      uint64_t count = 0;
      for (const auto& xorb : xorbs) {
        TRY(const bool gone, XorbIndex::remove(tx, *xorb, before));
        if (!gone) continue;
        ++count;
        TRY_DONE(tx.run("INSERT INTO content_trash (path, bytes) VALUES (?, ?)",
                        {parts.files.path(xorb->hash, xorb->generation).string(),
                         static_cast<int64_t>(xorb->table.stored_bytes())}));
      }
      return count;
    }));
    collected.xorbs += removed;
  }
}

Status empty_trash(Parts& parts, Collected& collected) {
  std::vector<std::pair<std::string, uint64_t>> trash;
  TRY_DONE(parts.database.read([&](sql::Transaction& tx) {
    return tx.query("SELECT path, bytes FROM content_trash", {}, [&](const sql::Row& row) {
      trash.emplace_back(row.text(0), static_cast<uint64_t>(row.integer(1)));
      return true;
    });
  }));
  for (const auto& [path, bytes] : trash) {
    TRY_DONE(parts.files.remove(path));
    TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(tx.run("DELETE FROM content_trash WHERE path = ?", {path}));
      return Done{};
    }));
    collected.bytes += bytes;
  }
  return Done{};
}

Result<bool> is_named(Parts& parts, const XorbFiles::Named& file) {
  return parts.database.read<bool>([&](sql::Transaction& tx) -> Result<bool> {
    bool named = false;
    TRY_DONE(tx.query("SELECT 1 FROM content_xorbs WHERE hash = ? AND generation = ?",
                      {ByteView(file.hash.bytes), file.generation}, [&](const sql::Row&) {
                        named = true;
                        return false;
                      }));
    return named;
  });
}

Status remove_leftovers(Parts& parts, WallTime before, Collected& collected) {
  return parts.files.visit([&](const XorbFiles::Named& file) -> Status {
    if (!file.made || *file.made >= before) return Done{};
    TRY(const bool named, is_named(parts, file));
    if (named) return Done{};
    TRY_DONE(parts.files.remove(file.path));
    ++collected.temporaries;
    collected.bytes += file.size;
    return Done{};
  });
}

}  // namespace

Result<Collected> collect_garbage(Parts& parts, std::chrono::milliseconds grace,
                                  const Store::IsLive& is_live) {
  const WallTime before = parts.clock.wall() - grace;
  Collected collected;
  TRY_DONE(collect_files(parts, before.time_since_epoch().count(), is_live, collected));
  TRY_DONE(collect_xorbs(parts, before.time_since_epoch().count(), collected));
  TRY_DONE(empty_trash(parts, collected));
  const WallTime made_before = std::min<WallTime>(before, parts.clock.wall() - in_flight_grace);
  TRY(collected.temporaries, parts.files.remove_old_temporaries(made_before));
  TRY_DONE(remove_leftovers(parts, made_before, collected));
  parts.probe.collected(collected.bytes);
  return collected;
}

}  // namespace holdfast::content
