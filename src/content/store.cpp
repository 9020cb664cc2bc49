#include "content/store.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "content/parts.h"
#include "content/probe.h"
#include "content/stored_xorb.h"

namespace holdfast::content {
namespace {

constexpr int64_t users_page = 100;
constexpr int64_t paths_page = 500;

class ChunkStore final : public Store {
 public:
  ChunkStore(StoreOptions options, io::Disk& disk, sql::Database& database, const Clock& clock,
             Random& random, Log& log, Metrics& metrics)
      : log_(log),
        probe_(metrics),
        parts_{.options = options,
               .database = database,
               .clock = clock,
               .random = random,
               .files = XorbFiles(options.folder, disk, clock, random),
               .xorbs = XorbIndex(database, options.tables_bytes_max),
               .file_index = FileIndex(database),
               .probe = probe_} {}

  Status open() { return parts_.files.open(); }

  Result<std::unique_ptr<Ingest>> begin() override { return begin_ingest(parts_); }
  Result<FileInfo> find(const Sha256Digest& sha256) override {
    return info_of(parts_.file_index.find(sha256));
  }
  Result<FileInfo> find(const FileHash& file) override { return info_of(parts_.file_index.find(file)); }
  Result<std::unique_ptr<Reader>> open(const FileHash& file) override {
    TRY(StoredFile found, parts_.file_index.find(file));
    return make_reader(parts_, std::move(found));
  }
  Result<FileInfo> touch(const Sha256Digest& sha256) override {
    return touched(parts_.file_index.find(sha256));
  }
  Result<FileInfo> touch(const FileHash& file) override { return touched(parts_.file_index.find(file)); }

  Result<std::unique_ptr<XorbUpload>> begin_xorb(const XorbHash& xorb, Uploader uploader) override {
    return begin_xorb_upload(parts_, xorb, uploader);
  }
  Result<std::vector<FileInfo>> put_shard(ByteView shard, const MayUse& may_use, Uploader uploader) override {
    return register_shard(parts_, shard, may_use, uploader);
  }
  Result<Reconstruction> reconstruction(const FileHash& file, std::optional<ByteSpan> range) override {
    return reconstruct(parts_, file, range);
  }
  Result<std::shared_ptr<io::ReadFile>> open_xorb(const XorbHash& xorb) override {
    TRY(StoredXorb stored, open_stored(parts_, xorb));
    return std::move(stored.file);
  }
  Result<Bytes> dedup_answer(const ChunkHash& chunk, const MayUse& may_use) override {
    return answer_dedup(parts_, chunk, may_use);
  }

  Status visit_files_using(const XorbHash& hash, const EachUse& each) override {
    TRY(const auto xorb, parts_.xorbs.find(hash));
    for (FileId after = 0;;) {
      TRY(const auto users, parts_.file_index.users_of(xorb->id, after, users_page));
      for (const FileId id : users) {
        TRY(const StoredFile file, parts_.file_index.find(id));
        for (const FileTerm& term : file.terms)
          if (term.xorb == xorb->id && !each(file.info, term.chunks)) return Done{};
      }
      if (users.size() < static_cast<size_t>(users_page)) return Done{};
      after = users.back();
    }
  }
  Status visit_xorbs_of(const FileHash& hash, const EachTerm& each) override {
    TRY(const StoredFile file, parts_.file_index.find(hash));
    for (const FileTerm& term : file.terms) {
      TRY(const auto xorb, parts_.xorbs.find(term.xorb));
      if (!each(xorb->hash, term.chunks)) return Done{};
    }
    return Done{};
  }

  Result<Collected> collect(std::chrono::milliseconds grace, const IsLive& is_live) override {
    TRY(const Collected collected, collect_garbage(parts_, grace, is_live));
    log_.info("content_collected", {{"files", collected.files},
                                    {"xorbs", collected.xorbs},
                                    {"leftovers", collected.temporaries},
                                    {"bytes", collected.bytes}});
    return collected;
  }
  Result<Checked> check() override { return check_everything(parts_); }

  Status hold_deletion(std::chrono::milliseconds span) override {
    const int64_t until = span.count() > 0 ? parts_.now() + span.count() : 0;
    return parts_.database.write([&](sql::Transaction& tx) -> Status {
      TRY_DONE(tx.run(
          "INSERT INTO content_hold (id, until_ms) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET until_ms = "
          "excluded.until_ms",
          {until}));
      return Done{};
    });
  }

  Status visit_stored(const EachPath& each) override {
    XorbId after = 0;
    while (true) {
      std::vector<std::pair<io::Path, uint64_t>> page;
      TRY_DONE(parts_.database.read([&](sql::Transaction& tx) {
        return tx.query(
            "SELECT id, hash, generation, bytes FROM content_xorbs WHERE id > ? AND pending = 0 ORDER BY id "
            "LIMIT ?",
            {after, paths_page}, [&](const sql::Row& row) {
              XorbHash hash;
              const Bytes bytes = row.blob(1);
              std::copy_n(bytes.begin(), std::min<size_t>(bytes.size(), 32), hash.bytes.begin());
              after = row.integer(0);
              page.emplace_back(parts_.files.path(hash, row.text(2)), static_cast<uint64_t>(row.integer(3)));
              return true;
            });
      }));
      if (page.empty()) return Done{};
      for (const auto& [path, size] : page) TRY_DONE(each(path, size));
    }
  }

  Result<Totals> totals() override {
    return parts_.database.read<Totals>([](sql::Transaction& tx) -> Result<Totals> {
      Totals totals;
      TRY_DONE(tx.query("SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM content_files", {},
                        [&](const sql::Row& row) {
                          totals.files = static_cast<uint64_t>(row.integer(0));
                          totals.file_bytes = static_cast<uint64_t>(row.integer(1));
                          return false;
                        }));
      TRY_DONE(tx.query("SELECT count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM content_xorbs", {},
                        [&](const sql::Row& row) {
                          totals.xorbs = static_cast<uint64_t>(row.integer(0));
                          totals.stored_bytes = static_cast<uint64_t>(row.integer(1));
                          return false;
                        }));
      return totals;
    });
  }

 private:
  static Result<FileInfo> info_of(Result<StoredFile> file) {
    if (!file.ok()) return std::move(file).error();
    return file.value().info;
  }
  Result<FileInfo> touched(Result<StoredFile> file) {
    if (!file.ok()) return std::move(file).error();
    TRY_DONE(parts_.file_index.touch(file.value(), parts_.now()));
    return file.value().info;
  }

  Log& log_;
  Probe probe_;
  Parts parts_;
};

}  // namespace

Result<FileInfo> Store::put(ByteView bytes, const Expected& expected) {
  TRY(const auto ingest, begin());
  TRY_DONE(ingest->write(bytes));
  return ingest->finish(expected);
}

Result<Inserted> Store::put_xorb(const XorbHash& xorb, ByteView bytes) {
  TRY(const auto upload, begin_xorb(xorb));
  TRY_DONE(upload->write(bytes));
  return upload->finish();
}

Result<std::unique_ptr<Store>> open_store(StoreOptions options, io::Disk& disk, sql::Database& database,
                                          const Clock& clock, Random& random, Log& log, Metrics& metrics) {
  auto store = std::make_unique<ChunkStore>(std::move(options), disk, database, clock, random, log, metrics);
  TRY_DONE(store->open());
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace holdfast::content
