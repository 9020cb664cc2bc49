#include "content/xorb_index.h"

#include "base/check.h"

namespace holdfast::content {
namespace {

constexpr int64_t candidates_max = 16;
constexpr int64_t touch_fresh_ms = 60'000;

size_t cost(const Xorb& xorb) { return 256 + xorb.table.size() * sizeof(XorbTable::Entry); }

Status remove_chunks(sql::Transaction& tx, const Xorb& xorb) {
  TRY_DONE(tx.run("DELETE FROM content_xorb_tables WHERE xorb = ?", {xorb.id}));
  for (size_t i = 0; i < xorb.table.size(); ++i)
    TRY_DONE(tx.run("DELETE FROM content_chunks WHERE chunk_key = ? AND xorb = ? AND position = ?",
                    {short_key(xorb.table[i].hash), xorb.id, static_cast<int64_t>(i)}));
  return Done{};
}

Error missing() { return fail(Reason::object_missing, "there is no such xorb"); }

}  // namespace

Result<XorbIndex::Added> XorbIndex::add(sql::Transaction& tx, const NewXorb& xorb, IngestId pending,
                                        int64_t now) {
  XorbId id = 0;
  IngestId maker = 0;
  TRY_DONE(tx.query("SELECT id, pending FROM content_xorbs WHERE hash = ?", {ByteView(xorb.hash.bytes)},
                    [&](const sql::Row& row) {
                      id = row.integer(0);
                      maker = row.integer(1);
                      return false;
                    }));
  const auto stored = static_cast<int64_t>(xorb.table.stored_bytes());
  const Bytes packed = xorb.table.pack();
  if (id != 0 && (maker == 0 || maker == pending)) {
    TRY_DONE(touch(tx, id, now));
    return Added{.id = id, .ours = false};
  }
  if (id != 0) {
    TRY_DONE(
        tx.run("UPDATE content_xorbs SET generation = ?, bytes = ?, pending = ?, touched_at = ? WHERE id = ?",
               {xorb.generation, stored, pending, now, id}));
    TRY_DONE(tx.run("UPDATE content_xorb_tables SET chunks = ? WHERE xorb = ?", {ByteView(packed), id}));
    return Added{.id = id, .ours = true};  // The chunks' rows are the same: the name says which chunks.
  }
  TRY_DONE(tx.query(
      "INSERT INTO content_xorbs (hash, generation, bytes, pending, touched_at) VALUES (?, ?, ?, ?, ?) "
      "RETURNING id",
      {ByteView(xorb.hash.bytes), xorb.generation, stored, pending, now}, [&](const sql::Row& row) {
        id = row.integer(0);
        return true;
      }));
  TRY_DONE(tx.run("INSERT INTO content_xorb_tables (xorb, chunks) VALUES (?, ?)", {id, ByteView(packed)}));
  for (size_t i = 0; i < xorb.table.size(); ++i)
    TRY_DONE(tx.run("INSERT INTO content_chunks (chunk_key, xorb, position) VALUES (?, ?, ?)",
                    {short_key(xorb.table[i].hash), id, static_cast<int64_t>(i)}));
  return Added{.id = id, .ours = true};
}

Status XorbIndex::finish(sql::Transaction& tx, XorbId id) {
  TRY_DONE(tx.run("UPDATE content_xorbs SET pending = 0 WHERE id = ?", {id}));
  return Done{};
}

Result<bool> XorbIndex::discard(sql::Transaction& tx, const Xorb& xorb, IngestId pending) {
  TRY(const int64_t rows,
      tx.run("DELETE FROM content_xorbs WHERE id = ? AND pending = ?", {xorb.id, pending}));
  if (rows > 0) TRY_DONE(remove_chunks(tx, xorb));
  return rows > 0;
}

Result<bool> XorbIndex::remove(sql::Transaction& tx, const Xorb& xorb, int64_t before) {
  TRY(const int64_t rows, tx.run("DELETE FROM content_xorbs WHERE id = ? AND generation = ? AND touched_at < "
                                 "? AND NOT EXISTS (SELECT 1 FROM "
                                 "content_uses WHERE content_uses.xorb = content_xorbs.id)",
                                 {xorb.id, xorb.generation, before}));
  if (rows > 0) TRY_DONE(remove_chunks(tx, xorb));
  return rows > 0;
}

Result<bool> XorbIndex::touch(sql::Transaction& tx, XorbId id, int64_t now) {
  TRY(const int64_t rows, tx.run("UPDATE content_xorbs SET touched_at = ? WHERE id = ? AND touched_at < ?",
                                 {now, id, now - touch_fresh_ms}));
  if (rows > 0) return true;
  bool there = false;
  TRY_DONE(tx.query("SELECT 1 FROM content_xorbs WHERE id = ?", {id}, [&](const sql::Row&) {
    there = true;
    return false;
  }));
  return there;
}

void XorbIndex::forget(XorbId id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  bytes_ -= cost(**found->second);
  recent_.erase(found->second);
  by_id_.erase(found);
}

XorbIndex::Shared XorbIndex::cached(XorbId id) {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return recent_.front();
}

void XorbIndex::keep(const Shared& xorb) {
  const std::lock_guard lock(mutex_);
  if (by_id_.contains(xorb->id)) return;
  recent_.push_front(xorb);
  by_id_[xorb->id] = recent_.begin();
  bytes_ += cost(*xorb);
  while (bytes_ > tables_bytes_max_ && recent_.size() > 1) {
    bytes_ -= cost(*recent_.back());
    by_id_.erase(recent_.back()->id);
    recent_.pop_back();
  }
}

Result<XorbIndex::Shared> XorbIndex::load(sql::Transaction& tx, XorbId id) {
  if (Shared known = cached(id)) return known;
  auto xorb = std::make_shared<Xorb>();
  Bytes packed, hash;
  TRY_DONE(
      tx.query("SELECT x.hash, x.generation, t.chunks FROM content_xorbs x JOIN content_xorb_tables t ON "
               "t.xorb = x.id WHERE x.id = ?",
               {id}, [&](const sql::Row& row) {
                 hash = row.blob(0);
                 xorb->generation = row.text(1);
                 packed = row.blob(2);
                 return false;
               }));
  if (hash.size() != xorb->hash.bytes.size()) return missing();
  xorb->id = id;
  std::copy(hash.begin(), hash.end(), xorb->hash.bytes.begin());
  TRY(xorb->table, XorbTable::unpack(packed));
  keep(xorb);
  return Shared(std::move(xorb));
}

Result<std::shared_ptr<const Xorb>> XorbIndex::find(const XorbHash& hash) {
  return database_.read<Shared>([&](sql::Transaction& tx) -> Result<Shared> {
    XorbId id = 0;
    TRY_DONE(tx.query("SELECT id FROM content_xorbs WHERE hash = ? AND pending = 0", {ByteView(hash.bytes)},
                      [&](const sql::Row& row) {
                        id = row.integer(0);
                        return false;
                      }));
    if (id == 0) return missing();
    return load(tx, id);
  });
}

Result<std::shared_ptr<const Xorb>> XorbIndex::find(XorbId id) {
  if (Shared known = cached(id)) return known;
  return database_.read<Shared>([&](sql::Transaction& tx) { return load(tx, id); });
}

Result<std::vector<std::pair<XorbId, uint32_t>>> XorbIndex::candidates(sql::Transaction& tx,
                                                                       const ChunkHash& chunk,
                                                                       IngestId ingest) {
  std::vector<std::pair<XorbId, uint32_t>> found;
  TRY_DONE(
      tx.query("SELECT c.xorb, c.position FROM content_chunks c JOIN content_xorbs x ON x.id = c.xorb WHERE "
               "c.chunk_key = ? AND (x.pending = 0 OR x.pending = ?) LIMIT ?",
               {short_key(chunk), ingest, candidates_max}, [&](const sql::Row& row) {
                 found.emplace_back(row.integer(0), static_cast<uint32_t>(row.integer(1)));
                 return true;
               }));
  return found;
}

Result<std::vector<std::optional<ChunkPlace>>> XorbIndex::places(std::span<const ChunkHash> chunks,
                                                                 IngestId ingest) {
  using Places = std::vector<std::optional<ChunkPlace>>;
  return database_.read<Places>([&](sql::Transaction& tx) -> Result<Places> {
    Places places(chunks.size());
    const ChunkPlace* last = nullptr;
    for (size_t i = 0; i < chunks.size(); ++i) {
      // Chunks known in a row mostly lie in a row: ask the table at hand first.
      if (last != nullptr && last->position + 1 < last->xorb->table.size() &&
          last->xorb->table[last->position + 1].hash == chunks[i]) {
        places[i] = ChunkPlace{last->xorb, last->position + 1};
      } else {
        TRY(const auto found, candidates(tx, chunks[i], ingest));
        for (const auto& [id, position] : found) {
          TRY(const Shared xorb, load(tx, id));
          if (position >= xorb->table.size() || xorb->table[position].hash != chunks[i]) continue;
          places[i] = ChunkPlace{xorb, position};
          break;
        }
      }
      last = places[i] ? &*places[i] : nullptr;
    }
    return places;
  });
}

Result<std::vector<ChunkPlace>> XorbIndex::all_places(const ChunkHash& chunk) {
  using Places = std::vector<ChunkPlace>;
  return database_.read<Places>([&](sql::Transaction& tx) -> Result<Places> {
    Places places;
    TRY(const auto found, candidates(tx, chunk, 0));
    for (const auto& [id, position] : found) {
      TRY(const Shared xorb, load(tx, id));
      if (position < xorb->table.size() && xorb->table[position].hash == chunk)
        places.push_back({xorb, position});
    }
    return places;
  });
}

}  // namespace holdfast::content
