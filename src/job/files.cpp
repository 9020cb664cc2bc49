#include "job/files.h"

#include <fmt/format.h>

#include <algorithm>

#include "job/limits.h"

namespace holdfast::job {
namespace {

constexpr size_t part_bytes = 1 << 20;
constexpr int64_t answers_a_piece = 64;
constexpr std::string_view columns = "id, owner, name, purpose, size, at, batch, failures";

File file_of(const sql::Row& row) {
  return {.id = row.text(0),
          .name = row.text(2),
          .purpose = row.text(3),
          .owner = row.integer(1),
          .size = row.integer(4),
          .at = WallTime{std::chrono::milliseconds{row.integer(5)}},
          .batch = row.text(6),
          .failures = row.integer(7) != 0};
}

Result<std::optional<File>> find_row(sql::Transaction& tx, int64_t owner, const std::string& id) {
  std::optional<File> found;
  TRY_DONE(tx.query(fmt::format("SELECT {} FROM job_files WHERE id = ? AND owner = ?", columns), {id, owner},
                    [&](const sql::Row& row) {
                      found = file_of(row);
                      return false;
                    }));
  return found;
}

Error no_such_file(const std::string& id) {
  return fail(Code::not_found, fmt::format("No such File object: {}", id.substr(0, 100)));
}

class UploadedBytes final : public FileBytes {
 public:
  UploadedBytes(sql::Database& database, std::string id) : database_(database), id_(std::move(id)) {}

  Result<std::string> next() override {
    std::string out;
    TRY_DONE(database_.read([&](sql::Transaction& tx) {
      return tx.query("SELECT bytes FROM job_file_parts WHERE file = ? AND part = ?", {id_, part_},
                      [&](const sql::Row& row) {
                        out = as_text(row.blob(0));
                        return false;
                      });
    }));
    ++part_;
    return out;
  }

 private:
  sql::Database& database_;
  const std::string id_;
  int64_t part_ = 0;
};

class AnswerBytes final : public FileBytes {
 public:
  AnswerBytes(sql::Database& database, const File& file)
      : database_(database), batch_(file.batch), failures_(file.failures) {}

  Result<std::string> next() override {
    std::string out;
    TRY_DONE(database_.read([&](sql::Transaction& tx) {
      out.clear();
      return tx.query(
          fmt::format("SELECT line, answer FROM job_requests WHERE batch = ? AND line > ? AND {} ORDER BY "
                      "line LIMIT {}",
                      failures_ ? "status >= 400" : "status > 0 AND status < 400", answers_a_piece),
          {batch_, line_}, [&](const sql::Row& row) {
            out += row.text(1);
            out += '\n';
            last_ = row.integer(0);
            return out.size() < part_bytes;
          });
    }));
    line_ = last_;
    return out;
  }

 private:
  sql::Database& database_;
  const std::string batch_;
  const bool failures_;
  int64_t line_ = -1, last_ = -1;
};

}  // namespace

Result<File> Files::add(const identity::Caller& caller, const std::string& name, ByteView bytes) {
  if (bytes.size() > file_bytes_max)
    return fail(Reason::body_too_large, fmt::format("a file has up to {} MiB here", file_bytes_max >> 20));
  const File file{.id = "file-" + parts_.random.hex(12),
                  .name = name,
                  .purpose = "batch",
                  .owner = caller.user.raw,
                  .size = static_cast<int64_t>(bytes.size()),
                  .at = parts_.clock.wall()};
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    int64_t count = 0, kept = 0;
    TRY_DONE(
        tx.query("SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM job_files WHERE owner = ?",
                 {file.owner}, [&](const sql::Row& row) {
                   count = row.integer(0);
                   kept = row.integer(1);
                   return false;
                 }));
    if (count >= files_of_owner_max || kept + file.size > bytes_of_owner_max)
      return fail(Reason::quota, "you keep as many files as one may: delete some");
    TRY_DONE(tx.run("INSERT INTO job_files (id, owner, name, purpose, size, at) VALUES (?, ?, ?, ?, ?, ?)",
                    {file.id, file.owner, file.name, file.purpose, file.size,
                     int64_t{file.at.time_since_epoch().count()}}));
    int64_t part = 0;
    for (size_t at = 0; at < bytes.size(); at += part_bytes, ++part)
      TRY_DONE(tx.run("INSERT INTO job_file_parts (file, part, bytes) VALUES (?, ?, ?)",
                      {file.id, part, bytes.subspan(at, std::min(part_bytes, bytes.size() - at))}));
    return Done{};
  }));
  return file;
}

Result<File> Files::find(const identity::Caller& caller, const std::string& id) const {
  TRY(std::optional<File> found, parts_.database.read<std::optional<File>>([&](sql::Transaction& tx) {
    return find_row(tx, caller.user.raw, id);
  }));
  if (!found) return no_such_file(id);
  return std::move(*found);
}

Result<Page<File>> Files::list(const identity::Caller& caller, const PageWish& wish) const {
  return parts_.database.read<Page<File>>([&](sql::Transaction& tx) -> Result<Page<File>> {
    File last{.at = WallTime::max()};
    if (!wish.after.empty()) {
      TRY(const std::optional<File> found, find_row(tx, caller.user.raw, wish.after));
      if (!found) return no_such_file(wish.after);
      last = *found;
    }
    Page<File> page;
    const int64_t at = last.at.time_since_epoch().count();
    TRY_DONE(
        tx.query(fmt::format("SELECT {} FROM job_files WHERE owner = ? AND (at < ? OR (at = ? AND id < ?)) "
                             "ORDER BY at DESC, id DESC LIMIT {}",
                             columns, wish.limit + 1),
                 {caller.user.raw, at, at, last.id}, [&](const sql::Row& row) {
                   page.items.push_back(file_of(row));
                   return true;
                 }));
    page.more = page.items.size() > wish.limit;
    if (page.more) page.items.pop_back();
    return page;
  });
}

Status Files::remove(const identity::Caller& caller, const std::string& id) {
  return parts_.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const std::optional<File> found, find_row(tx, caller.user.raw, id));
    if (!found) return no_such_file(id);
    TRY_DONE(tx.run("DELETE FROM job_files WHERE id = ?", {id}));
    TRY_DONE(tx.run("DELETE FROM job_file_parts WHERE file = ?", {id}));
    if (found->batch.empty()) return Done{};
    TRY_DONE(tx.run(fmt::format("DELETE FROM job_requests WHERE batch = ? AND {}",
                                found->failures ? "status >= 400" : "status > 0 AND status < 400"),
                    {found->batch}));
    return Done{};
  });
}

Result<std::unique_ptr<FileBytes>> Files::open(const File& file) const {
  if (file.batch.empty())
    return std::unique_ptr<FileBytes>(std::make_unique<UploadedBytes>(parts_.database, file.id));
  return std::unique_ptr<FileBytes>(std::make_unique<AnswerBytes>(parts_.database, file));
}

Result<std::string> Files::read(const std::string& id) const {
  UploadedBytes bytes(parts_.database, id);
  std::string out;
  while (true) {
    TRY(const std::string piece, bytes.next());
    if (piece.empty()) return out;
    out += piece;
  }
}

}  // namespace holdfast::job
