#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "content/ahead_digest.h"
#include "content/hash.h"
#include "content/term.h"
#include "io/disk.h"

namespace holdfast {
class Log;
class Metrics;
class Random;
}  // namespace holdfast
namespace holdfast::sql {
class Database;
}

namespace holdfast::content {

struct FileInfo {
  FileHash hash;
  Sha256Digest sha256{};
  uint64_t size = 0;
};

// What the client said it would send; absent members are not checked.
struct Expected {
  std::optional<Sha256Digest> sha256;
  std::optional<uint64_t> size;
};

// Plain bytes on their way in, from LFS, a commit or git. One thread at a time; owns a thread that chunks and
// hashes meanwhile. Destroyed without `finish`, or when `finish` fails, it leaves nothing behind.
class Ingest {
 public:
  virtual ~Ingest() = default;
  virtual Status write(ByteView bytes) = 0;
  // Durable and findable when this returns ok. digest_mismatch when the bytes are not what was expected;
  // disk_full.
  virtual Result<FileInfo> finish(const Expected& expected) = 0;
};

enum class Inserted : uint8_t { already_there, now };

// A serialised xorb on its way in, checked chunk by chunk as it comes. Destroyed without `finish`, nothing
// stays. bad_request: not a xorb, or over a limit; digest_mismatch: not the xorb it was announced as.
class XorbUpload {
 public:
  virtual ~XorbUpload() = default;
  virtual Status write(ByteView bytes) = 0;
  virtual Result<Inserted> finish() = 0;
};

// One file's bytes, rebuilt from its chunks. Used by one thread at a time; keeps the last chunk it decoded,
// so that small reads in order cost little.
class Reader {
 public:
  virtual ~Reader() = default;
  virtual const FileInfo& info() const = 0;
  // Fills `into` from `offset`; fewer bytes only at the end of the file. data_corrupt when stored bytes no
  // longer decode.
  virtual Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) = 0;
};

// Whether the caller may name these chunks. Called outside transactions.
using MayUse = std::function<Result<bool>(const XorbHash&, const ChunkRange&)>;

// How a Xet client rebuilds a range of a file.
struct Reconstruction {
  // Where the chunks of one term or of several lie in the stored xorb, headers included; last is inclusive.
  struct Fetch {
    XorbHash xorb;
    ChunkRange chunks;
    uint64_t first = 0, last = 0;
  };
  uint64_t offset_into_first = 0;  // Bytes of the first term that come before the range.
  std::vector<Term> terms;
  std::vector<Fetch> fetches;  // In the order of first use; one xorb may have several.
};

struct ByteSpan {
  uint64_t first = 0, length = 0;
};

struct Collected {
  uint64_t files = 0, xorbs = 0, temporaries = 0;
  uint64_t bytes = 0;  // Given back to the disk.
};

struct Damage {
  std::string
      what;  // "xorb_missing", "xorb_corrupt", "file_hash_wrong", "file_sha256_wrong", "stray_file", …
  std::string object;  // The hash or the name of the file on disk.
  std::string detail;
};
struct Checked {
  uint64_t files = 0, xorbs = 0, bytes = 0;
  uint64_t leftovers = 0;  // Files on the disk that nothing names: what a crash leaves and `collect` removes.
  std::vector<Damage> damage;  // The first 10,000.
  bool clean() const { return damage.empty(); }
};

// What the store holds and what it would hold without chunks shared.
struct Totals {
  uint64_t files = 0, file_bytes = 0;
  uint64_t xorbs = 0, stored_bytes = 0;
};

struct StoreOptions {
  io::Path folder = "content";  // On the disk: FOLDER/xorbs/ab/…, FOLDER/temp/….
  std::chrono::milliseconds dedup_answer_life = std::chrono::hours(20);  // Below the grace of collection.
  size_t tables_bytes_max = 64 << 20;                                    // Of chunk tables kept in memory.
  uint32_t xorb_bytes = 64 << 20;  // At which a xorb of plain files is full; the format allows no more.
};

// Bytes by their hash: three doors (plain bytes, xorbs, shards) into one set of xorbs in which a chunk is
// stored once. Who may name what is decided by the caller. Safe from any thread and from several processes on
// one folder and database. An answer of ok means: on the disk and in the database, durably.
class Store {
 public:
  virtual ~Store() = default;

  virtual Result<std::unique_ptr<Ingest>> begin() = 0;
  // The whole of `bytes` as one file.
  Result<FileInfo> put(ByteView bytes, const Expected& expected = {});

  // object_missing when there is none. Several files may have one SHA-256 (cut differently by their clients):
  // the oldest is named.
  virtual Result<FileInfo> find(const Sha256Digest& sha256) = 0;
  virtual Result<FileInfo> find(const FileHash& file) = 0;
  virtual Result<std::unique_ptr<Reader>> open(const FileHash& file) = 0;
  // As `find`, and keeps the file from collection for another grace. Call it before a commit names the file.
  virtual Result<FileInfo> touch(const Sha256Digest& sha256) = 0;
  virtual Result<FileInfo> touch(const FileHash& file) = 0;

  // Xet. Xorbs of one uploader that come in the order of their file spare reading them again for its SHA-256.
  virtual Result<std::unique_ptr<XorbUpload>> begin_xorb(const XorbHash& xorb, Uploader uploader = 0) = 0;
  Result<Inserted> put_xorb(const XorbHash& xorb, ByteView bytes);
  // Registers the shard's files. Everything is checked against our own chunks, the SHA-256 by reading
  // through what was not hashed as it came; object_missing for a xorb that is not there and for chunks
  // `may_use` denies, alike.
  virtual Result<std::vector<FileInfo>> put_shard(ByteView shard, const MayUse& may_use,
                                                  Uploader uploader = 0) = 0;
  // range_unsatisfiable when it starts at or past the end; a range over the end is cut.
  virtual Result<Reconstruction> reconstruction(const FileHash& file, std::optional<ByteSpan> range) = 0;
  // The stored bytes of a xorb: chunk headers and data, no footer.
  virtual Result<std::shared_ptr<io::ReadFile>> open_xorb(const XorbHash& xorb) = 0;
  // A shard that tells where the chunk lies, from a xorb that the caller may use whole; object_missing
  // otherwise.
  virtual Result<Bytes> dedup_answer(const ChunkHash& chunk, const MayUse& may_use) = 0;

  // Who uses what, for possession. Visits until `each` returns false.
  using EachUse = std::function<bool(const FileInfo&, const ChunkRange&)>;
  virtual Status visit_files_using(const XorbHash& xorb, const EachUse& each) = 0;
  using EachTerm = std::function<bool(const XorbHash&, const ChunkRange&)>;
  virtual Status visit_xorbs_of(const FileHash& file, const EachTerm& each) = 0;

  // Forgets files that `is_live` denies and that were not uploaded, touched or matched within `grace`, then
  // the xorbs that no file uses, likewise. Beside running uploads and beside another process. `is_live` is
  // called outside transactions.
  using IsLive = std::function<Result<bool>(const FileInfo&)>;
  virtual Result<Collected> collect(std::chrono::milliseconds grace, const IsLive& is_live) = 0;
  // Reads everything again. Not ok only when it could not go on.
  virtual Result<Checked> check() = 0;
  // Keeps every process from deleting for `span`, or, with zero, no longer: for backup, which takes the hold,
  // copies the database, then copies what that copy names (files never change), then lets go.
  virtual Status hold_deletion(std::chrono::milliseconds span) = 0;
  // Every file on the disk that the database names.
  using EachPath = std::function<Status(const io::Path&, uint64_t size)>;
  virtual Status visit_stored(const EachPath& each) = 0;
  virtual Result<Totals> totals() = 0;
};

// Borrows everything; the schema of content/schema.h must be in the database.
Result<std::unique_ptr<Store>> open_store(StoreOptions options, io::Disk& disk, sql::Database& database,
                                          const Clock& clock, Random& random, Log& log, Metrics& metrics);

}  // namespace holdfast::content
