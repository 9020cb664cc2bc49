#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "content/hash.h"
#include "content/xorb.h"
#include "sql/database.h"

namespace holdfast::content {

using XorbId = int64_t;    // Row of content_xorbs; never used twice.
using IngestId = int64_t;  // 0: nobody in particular.

// A xorb as the database knows it. Immutable.
struct Xorb {
  XorbId id = 0;
  XorbHash hash;
  std::string generation;
  XorbTable table;
};

struct NewXorb {
  XorbHash hash;
  std::string generation;
  XorbTable table;
};

// Where a chunk lies.
struct ChunkPlace {
  std::shared_ptr<const Xorb> xorb;
  uint32_t position = 0;
};

// Which xorbs there are and where chunks lie, in tables content_xorbs, content_xorb_tables and
// content_chunks, with the tables of chunks used last kept in memory. An ingest sees the finished xorbs and
// its own. Borrows the database; safe from any thread.
class XorbIndex {
 public:
  XorbIndex(sql::Database& database, size_t tables_bytes_max)
      : database_(database), tables_bytes_max_(tables_bytes_max) {}

  struct Added {
    XorbId id = 0;
    bool ours = false;  // False: it was there, and the file just written is not needed.
  };
  // Takes the place of one that another ingest is still making, since that one may give up.
  static Result<Added> add(sql::Transaction& tx, const NewXorb& xorb, IngestId pending, int64_t now);
  static Status finish(sql::Transaction& tx, XorbId id);  // No longer pending.
  // Only when it still is this ingest's; answers whether it was.
  static Result<bool> discard(sql::Transaction& tx, const Xorb& xorb, IngestId pending);
  // Only when no file uses it and nobody touched it since `before`; answers whether it did.
  static Result<bool> remove(sql::Transaction& tx, const Xorb& xorb, int64_t before);
  // Whether it is there; keeps it from collection for another grace. Writes only what is minutes old.
  static Result<bool> touch(sql::Transaction& tx, XorbId id, int64_t now);

  // object_missing when there is none, or none that is finished.
  Result<std::shared_ptr<const Xorb>> find(const XorbHash& hash);
  Result<std::shared_ptr<const Xorb>> find(XorbId id);
  // What is kept of it in memory may be out of date: another process took its place.
  void forget(XorbId id);
  // One place of each chunk, in the order of `chunks`; absent where there is none.
  Result<std::vector<std::optional<ChunkPlace>>> places(std::span<const ChunkHash> chunks, IngestId ingest);
  // Every finished xorb the chunk lies in, at most 16.
  Result<std::vector<ChunkPlace>> all_places(const ChunkHash& chunk);

 private:
  using Shared = std::shared_ptr<const Xorb>;  // Shared by readers and this cache.
  Result<Shared> load(sql::Transaction& tx, XorbId id);
  Shared cached(XorbId id);
  void keep(const Shared& xorb);
  Result<std::vector<std::pair<XorbId, uint32_t>>> candidates(sql::Transaction& tx, const ChunkHash& chunk,
                                                              IngestId ingest);

  sql::Database& database_;
  const size_t tables_bytes_max_;
  std::mutex mutex_;          // Guards the three below.
  std::list<Shared> recent_;  // Used last comes first.
  std::unordered_map<XorbId, std::list<Shared>::iterator> by_id_;
  size_t bytes_ = 0;
};

}  // namespace holdfast::content
