#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <set>

#include "codec/json.h"
#include "content/store.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "repo/export_layout.h"
#include "repo/instance_export.h"
#include "repo/repository.h"
#include "repo/storage.h"
#include "repo/table_rows.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr size_t line_bytes_max = 256 << 20;
constexpr size_t piece_bytes = 4 << 20;

class Importer {
 public:
  Importer(io::Disk& exported, const ExportRules& rules, const ImportTarget& target, const EachCopied& each)
      : exported_(exported), rules_(rules), target_(target), each_(each), storage_(target.data) {}

  Result<CopyProgress> run() {
    TRY_DONE(expect_empty_instance());
    TRY(std::vector<ManifestLine> lines, read_manifest(exported_, export_layout::format));
    TRY_DONE(expect_tables(lines));
    TRY_DONE(read_repositories());
    for (const ManifestLine& line : lines) {
      TRY_DONE(take(line));
      ++progress_.files;
      progress_.bytes += line.bytes;
      if (each_) each_(progress_);
    }
    TRY_DONE(expect_references());
    TRY_DONE(put_rows());
    return progress_;
  }

 private:
  Status expect_empty_instance() {
    for (const char* table : {"identity_names", "repo_repositories", "content_xorbs"}) {
      bool any = false;
      TRY_DONE(target_.database.read([&](sql::Transaction& tx) {
        return tx.query(fmt::format("SELECT 1 FROM {} LIMIT 1", table), {}, [&](const sql::Row&) {
          any = true;
          return false;
        });
      }));
      if (any)
        return fail(Reason::already_exists,
                    "an export is imported into an empty instance, and this database holds things already");
    }
    return Done{};
  }

  // Rows are read from the folder: only those whose digest the manifest holds count.
  Status expect_tables(const std::vector<ManifestLine>& lines) const {
    std::set<io::Path> listed;
    for (const ManifestLine& line : lines) listed.insert(line.path);
    for (const TableRule& rule : rules_.tables)
      if (rule.fate == TableFate::exported && !listed.contains(export_layout::table(rule.name)))
        return fail(Code::corrupt, fmt::format("the manifest does not name the table {}", rule.name));
    return Done{};
  }

  Status each_row(std::string_view table, const std::function<Status(json::object&)>& each) {
    const io::Path path = export_layout::table(table);
    int64_t number = 0;
    return visit_lines(exported_, path, line_bytes_max, [&](std::string_view line) -> Status {
      ++number;
      auto row = codec::parse_json_object(line, {.bytes_max = line_bytes_max});
      if (!row.ok())
        return fail(Code::corrupt,
                    fmt::format("{}, line {}: {}", path.generic_string(), number, row.error().message));
      return each(row.value());
    });
  }

  // Which folder belongs to which number, and what must be there.
  Status read_repositories() {
    TRY_DONE(each_row("repo_repositories", [&](json::object& row) -> Status {
      TRY(int64_t id, codec::json_integer(row, "id"));
      TRY(std::string_view type_text, codec::json_text(row, "type"));
      TRY(std::string_view ns, codec::json_text(row, "ns"));
      TRY(std::string_view name, codec::json_text(row, "name"));
      const auto type = type_of_name(type_text);
      if (!type || id <= 0) return fail(Code::corrupt, "a repository of the export is of no known type");
      TRY_DONE(check_repo_name(ns));
      TRY_DONE(check_repo_name(name));
      folders_[export_layout::repository(type_plural(*type), ns, name).generic_string()] = RepoId{id};
      TRY([[maybe_unused]] git::Repository made, storage_.create(RepoId{id}));
      return Done{};
    }));
    return each_row("repo_objects", [&](json::object& row) -> Status {
      TRY(int64_t id, codec::json_integer(row, "repo"));
      TRY(std::string_view sha256, codec::json_text(row, "sha256"));
      wanted_.insert({id, std::string(sha256)});
      return Done{};
    });
  }

  // A file of the export to where it belongs; what belongs nowhere is only checked.
  Status take(const ManifestLine& line) {
    const std::string path = line.path.generic_string();
    const size_t end = path.find(".git/");
    const auto repository =
        end == std::string::npos ? folders_.end() : folders_.find(path.substr(0, end + 4));
    if (repository == folders_.end()) return check_line(exported_, nullptr, export_layout::format, line);
    const std::string_view inside = std::string_view(path).substr(end + 5);
    if (inside.starts_with("lfs/objects/")) return take_large_file(repository->second, line);
    if (!inside.starts_with("objects/")) return check_line(exported_, nullptr, export_layout::format, line);
    if (inside.starts_with("objects/info/alternates"))
      return fail(Code::corrupt, "a repository of the export borrows its objects from elsewhere");
    return take_object(repository->second, std::string(inside), line);
  }

  Status take_object(RepoId id, const io::Path& inside, const ManifestLine& line) {
    TRY(std::unique_ptr<io::ReadFile> in, exported_.open(line.path));
    const io::Path place = storage_.folder(id) / inside;
    TRY_DONE(target_.data.make_directories(place.parent_path()));
    TRY(std::unique_ptr<io::WriteFile> out, target_.data.create(place));
    codec::Sha256 hash;
    TRY_DONE(read_pieces(*in, [&](ByteView piece) -> Status {
      hash.update(piece);
      return out->append(piece);
    }));
    TRY_DONE(out->sync());
    if (out->size() != line.bytes || content::to_text(hash.finish()) != line.sha256) return damaged(line);
    return target_.data.sync_directory(place.parent_path());
  }

  // Stored as an upload would be: the same bytes get the same name, once.
  Status take_large_file(RepoId id, const ManifestLine& line) {
    const std::string name = line.path.filename().string();
    if (!wanted_.contains({id.raw, name})) return check_line(exported_, nullptr, export_layout::format, line);
    TRY(content::Sha256Digest sha256, content::parse_sha256(name));
    if (line.sha256 != name) return damaged(line);
    if (const auto there = hashes_.find(name); there == hashes_.end()) {
      TRY(std::unique_ptr<io::ReadFile> in, exported_.open(line.path));
      TRY(std::unique_ptr<content::Ingest> ingest, target_.content.begin());
      TRY_DONE(read_pieces(*in, [&](ByteView piece) { return ingest->write(piece); }));
      auto stored = ingest->finish({.sha256 = sha256, .size = line.bytes});
      if (!stored.ok() && stored.error().reason == Reason::digest_mismatch) return damaged(line);
      if (!stored.ok()) return std::move(stored).error();
      hashes_[name] = content::to_text(stored.value().hash);
    }
    wanted_.erase({id.raw, name});
    return Done{};
  }

  static Status read_pieces(const io::ReadFile& in, const std::function<Status(ByteView)>& each) {
    Bytes piece(piece_bytes);
    for (uint64_t offset = 0;;) {
      TRY(size_t got, in.read_at(offset, piece));
      if (got == 0) return Done{};
      TRY_DONE(each(ByteView(piece.data(), got)));
      offset += got;
    }
  }
  static Error damaged(const ManifestLine& line) {
    return fail(Code::corrupt,
                fmt::format("{} in the export is not what the manifest says", line.path.generic_string()));
  }

  Status expect_references() {
    if (!wanted_.empty())
      return fail(Code::corrupt, fmt::format("the export names the large file {} and does not hold it",
                                             wanted_.begin()->second));
    return each_row("repo_refs", [&](json::object& row) -> Status {
      TRY(int64_t id, codec::json_integer(row, "repo"));
      TRY(std::string_view target, codec::json_text(row, "target"));
      TRY(git::ObjectId commit, git::ObjectId::parse(target));
      TRY(git::Repository repository, storage_.open(RepoId{id}));
      if (!repository.has(commit))
        return fail(Code::corrupt,
                    fmt::format("the export names the commit {} and does not hold it", target));
      return Done{};
    });
  }

  Status put_rows() {
    const sql::Engine engine = target_.database.engine();
    return target_.database.write([&](sql::Transaction& tx) -> Status {
      // A schema starts with rows of its own, which the export's replace.
      for (auto rule = rules_.tables.rbegin(); rule != rules_.tables.rend(); ++rule)
        if (rule->fate == TableFate::exported) TRY_DONE(tx.run(fmt::format("DELETE FROM {}", rule->name)));
      for (const TableRule& rule : rules_.tables) {
        if (rule.fate != TableFate::exported) continue;
        TRY(Table table, read_table(tx, engine, rule.name));
        TRY_DONE(each_row(rule.name, [&](json::object& row) -> Status {
          if (rule.name == "repo_objects") row["file_hash"] = hashes_[std::string(row["sha256"].as_string())];
          if (rules_.change) TRY_DONE(rules_.change(rule.name, row));
          return insert_row(tx, table, row);
        }));
        TRY_DONE(raise_counter(tx, engine, table));
      }
      return Done{};
    });
  }

  io::Disk& exported_;
  const ExportRules& rules_;
  const ImportTarget& target_;
  const EachCopied& each_;
  Storage storage_;
  std::map<std::string, RepoId> folders_;
  std::set<std::pair<int64_t, std::string>> wanted_;  // Large files that rows name and that are not in yet.
  std::map<std::string, std::string> hashes_;         // By SHA-256, as they are named in this store.
  CopyProgress progress_;
};

}  // namespace

Result<CopyProgress> import_instance(io::Disk& exported, const ExportRules& rules, const ImportTarget& target,
                                     const EachCopied& each) {
  return Importer(exported, rules, target, each).run();
}

}  // namespace holdfast::repo
