#include "content/file_index.h"

#include <algorithm>

namespace holdfast::content {
namespace {

constexpr size_t term_bytes = 20;

Bytes pack(const std::vector<FileTerm>& terms) {
  ByteWriter out;
  for (const FileTerm& term : terms) {
    out.u64(static_cast<uint64_t>(term.xorb));
    out.u32(term.chunks.first);
    out.u32(term.chunks.end);
    out.u32(term.length);
  }
  return std::move(out).take();
}

Result<std::vector<FileTerm>> unpack(ByteView packed) {
  if (packed.size() % term_bytes != 0)
    return fail(Reason::data_corrupt, "a file's list of chunks has a wrong length");
  std::vector<FileTerm> terms(packed.size() / term_bytes);
  ByteReader reader(packed);
  for (FileTerm& term : terms) {
    TRY(const uint64_t xorb, reader.u64());
    term.xorb = static_cast<XorbId>(xorb);
    TRY(term.chunks.first, reader.u32());
    TRY(term.chunks.end, reader.u32());
    TRY(term.length, reader.u32());
  }
  return terms;
}

std::vector<XorbId> xorbs_of(const std::vector<FileTerm>& terms) {
  std::vector<XorbId> xorbs;
  for (const FileTerm& term : terms) xorbs.push_back(term.xorb);
  std::ranges::sort(xorbs);
  xorbs.erase(std::unique(xorbs.begin(), xorbs.end()), xorbs.end());
  return xorbs;
}

constexpr std::string_view columns =
    "SELECT f.id, f.hash, f.sha256, f.size, t.terms FROM content_files f LEFT JOIN content_file_terms t ON "
    "t.file = "
    "f.id ";

Result<StoredFile> read_file(const sql::Row& row) {
  StoredFile file{.id = row.integer(0)};
  const Bytes hash = row.blob(1), sha256 = row.blob(2);
  if (hash.size() != 32 || sha256.size() != 32)
    return fail(Reason::data_corrupt, "a file's row has a broken hash");
  std::copy(hash.begin(), hash.end(), file.info.hash.bytes.begin());
  std::copy(sha256.begin(), sha256.end(), file.info.sha256.begin());
  file.info.size = static_cast<uint64_t>(row.integer(3));
  TRY(file.terms, unpack(row.blob(4)));
  return file;
}

}  // namespace

Result<FileInfo> FileIndex::add(sql::Transaction& tx, const FileInfo& info,
                                const std::vector<FileTerm>& terms, int64_t now) {
  TRY(const int64_t rows,
      tx.run("INSERT INTO content_files (hash, sha256, size, touched_at) VALUES (?, ?, ?, ?) ON CONFLICT "
             "(hash) DO "
             "NOTHING",
             {ByteView(info.hash.bytes), ByteView(info.sha256), static_cast<int64_t>(info.size), now}));
  FileId id = 0;
  FileInfo known = info;
  TRY_DONE(tx.query("SELECT id, sha256 FROM content_files WHERE hash = ?", {ByteView(info.hash.bytes)},
                    [&](const sql::Row& row) {
                      id = row.integer(0);
                      const Bytes sha256 = row.blob(1);
                      std::copy_n(sha256.begin(), std::min<size_t>(sha256.size(), 32), known.sha256.begin());
                      return false;
                    }));
  if (rows == 0) {
    TRY_DONE(tx.run("UPDATE content_files SET touched_at = ? WHERE id = ?", {now, id}));
    return known;
  }
  for (const XorbId xorb : xorbs_of(terms)) {
    bool there = false;
    TRY_DONE(tx.query("SELECT 1 FROM content_xorbs WHERE id = ?", {xorb}, [&](const sql::Row&) {
      there = true;
      return false;
    }));
    if (!there) return fail(Reason::object_missing, "a xorb of the file is not there");
    TRY_DONE(tx.run("INSERT INTO content_uses (xorb, file) VALUES (?, ?)", {xorb, id}));
  }
  const Bytes packed = pack(terms);
  TRY_DONE(tx.run("INSERT INTO content_file_terms (file, terms) VALUES (?, ?)", {id, ByteView(packed)}));
  return known;
}

Result<bool> FileIndex::remove(sql::Transaction& tx, const StoredFile& file, int64_t before) {
  TRY(const int64_t rows,
      tx.run("DELETE FROM content_files WHERE id = ? AND touched_at < ?", {file.id, before}));
  if (rows == 0) return false;
  TRY_DONE(tx.run("DELETE FROM content_file_terms WHERE file = ?", {file.id}));
  for (const XorbId xorb : xorbs_of(file.terms))
    TRY_DONE(tx.run("DELETE FROM content_uses WHERE xorb = ? AND file = ?", {xorb, file.id}));
  return true;
}

Result<StoredFile> FileIndex::find(std::string_view condition, sql::Value value) {
  return database_.read<StoredFile>([&](sql::Transaction& tx) -> Result<StoredFile> {
    Result<StoredFile> found = fail(Reason::object_missing, "there is no such file");
    TRY_DONE(tx.query(std::string(columns).append(condition), {value}, [&](const sql::Row& row) {
      found = read_file(row);
      return false;
    }));
    return found;
  });
}

Result<StoredFile> FileIndex::find(const Sha256Digest& sha256) {
  return find("WHERE f.sha256 = ? ORDER BY f.id LIMIT 1", ByteView(sha256));
}
Result<StoredFile> FileIndex::find(const FileHash& hash) {
  return find("WHERE f.hash = ?", ByteView(hash.bytes));
}
Result<StoredFile> FileIndex::find(FileId id) { return find("WHERE f.id = ?", id); }

Status FileIndex::touch(const StoredFile& file, int64_t now) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const int64_t rows, tx.run("UPDATE content_files SET touched_at = ? WHERE id = ?", {now, file.id}));
    if (rows == 0) return fail(Reason::object_missing, "there is no such file");
    return Done{};
  });
}

Result<std::vector<StoredFile>> FileIndex::page(FileId after, int64_t count, int64_t before) {
  using Files = std::vector<StoredFile>;
  return database_.read<Files>([&](sql::Transaction& tx) -> Result<Files> {
    Files files;
    Status broken = Done{};
    TRY_DONE(
        tx.query(std::string(columns).append("WHERE f.id > ? AND f.touched_at < ? ORDER BY f.id LIMIT ?"),
                 {after, before, count}, [&](const sql::Row& row) {
                   auto file = read_file(row);
                   if (file.ok())
                     files.push_back(std::move(file).value());
                   else
                     broken = file.error();
                   return broken.ok();
                 }));
    TRY_DONE(broken);
    return files;
  });
}

Result<std::vector<FileId>> FileIndex::users_of(XorbId xorb, FileId after, int64_t count) {
  using Ids = std::vector<FileId>;
  return database_.read<Ids>([&](sql::Transaction& tx) -> Result<Ids> {
    Ids ids;
    TRY_DONE(tx.query("SELECT file FROM content_uses WHERE xorb = ? AND file > ? ORDER BY file LIMIT ?",
                      {xorb, after, count}, [&](const sql::Row& row) {
                        ids.push_back(row.integer(0));
                        return true;
                      }));
    return ids;
  });
}

}  // namespace holdfast::content
