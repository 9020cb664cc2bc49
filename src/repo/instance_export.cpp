#include "repo/instance_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>
#include <vector>

#include "base/data_layout.h"
#include "codec/json.h"
#include "content/store.h"
#include "repo/export_layout.h"
#include "repo/repository.h"
#include "repo/storage.h"
#include "repo/table_rows.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr int depth_max = 8;  // Of folders below objects/.
constexpr std::chrono::hours hold_span{24};
constexpr size_t piece_bytes = 4 << 20;

// What the rows say of the files that are to follow.
struct Named {
  struct LargeObject {
    std::string sha256, file_hash;
  };
  struct One {
    io::Path folder;
    std::map<std::string, std::string> refs;  // To their targets; sorted, as packed-refs is.
    std::vector<LargeObject> objects;
  };
  std::map<int64_t, One> repositories;
};

std::string text_of(const json::object& row, std::string_view key) {
  const json::value* value = row.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

Status note(Named& named, std::string_view table, const json::object& row) {
  if (table == "repo_repositories") {
    const auto type = type_of_name(text_of(row, "type"));
    if (!type) return fail(Reason::data_corrupt, "a repository is of no known type");
    TRY(int64_t id, codec::json_integer(row, "id"));
    named.repositories[id].folder =
        export_layout::repository(type_plural(*type), text_of(row, "ns"), text_of(row, "name"));
  } else if (table == "repo_refs") {
    TRY(int64_t id, codec::json_integer(row, "repo"));
    named.repositories[id].refs[text_of(row, "name")] = text_of(row, "target");
  } else if (table == "repo_objects") {
    TRY(int64_t id, codec::json_integer(row, "repo"));
    named.repositories[id].objects.push_back({text_of(row, "sha256"), text_of(row, "file_hash")});
  }
  return Done{};
}

// A table that no rule names would be lost without a word.
Status expect_known(sql::Transaction& tx, sql::Engine engine, std::span<const TableRule> rules) {
  TRY(std::vector<std::string> names, table_names(tx, engine));
  for (const std::string& name : names)
    if (std::none_of(rules.begin(), rules.end(), [&](const TableRule& rule) { return rule.name == name; }))
      return fail(Code::internal, fmt::format("the table {} has no rule for exports", name));
  return Done{};
}

Result<Named> write_tables(const ExportSource& source, const ExportRules& rules, ManifestWriter& writer) {
  Named named;
  const sql::Engine engine = source.database.engine();
  TRY_DONE(source.database.read([&](sql::Transaction& tx) -> Status {
    TRY_DONE(expect_known(tx, engine, rules.tables));
    for (const TableRule& rule : rules.tables) {
      if (rule.fate != TableFate::exported) continue;
      TRY(Table table, read_table(tx, engine, rule.name));
      TRY_DONE(writer.add(export_layout::table(rule.name), [&](const ManifestWriter::Sink& sink) -> Status {
        return visit_rows(tx, table, [&](json::object row) -> Status {
          TRY_DONE(note(named, rule.name, row));
          if (rules.change) TRY_DONE(rules.change(rule.name, row));
          return sink(as_bytes(codec::to_text(row) + "\n"));
        });
      }));
    }
    return Done{};
  }));
  return named;
}

Status write_large_file(content::Store& content, const Named::LargeObject& object, const io::Path& path,
                        ManifestWriter& writer) {
  TRY(auto hash, content::parse_hash<content::FileHash>(object.file_hash));
  TRY(std::unique_ptr<content::Reader> reader, content.open(hash));
  return writer.add(path, [&](const ManifestWriter::Sink& sink) -> Status {
    Bytes piece(piece_bytes);
    for (uint64_t offset = 0;;) {
      TRY(size_t got, reader->read_at(offset, piece));
      if (got == 0) return Done{};
      TRY_DONE(sink(ByteView(piece.data(), got)));
      offset += got;
    }
  });
}

Status write_text(ManifestWriter& writer, const io::Path& path, std::string_view text) {
  return writer.add(path, [&](const ManifestWriter::Sink& sink) { return sink(as_bytes(text)); });
}

bool is_object_file(const io::Path& path) {
  const std::string name = path.filename().string();
  return !name.starts_with("tmp_") && !name.ends_with(".lock") &&
         path.generic_string().find("/incoming-") == std::string::npos;
}

Status write_repository(const ExportSource& source, RepoId id, const Named::One& one, io::Disk& target,
                        ManifestWriter& writer) {
  const Storage storage(source.data);
  const io::Path from = storage.folder(id);
  if (!source.data.stat(from / "HEAD").ok())
    return fail(Code::busy, "a repository was deleted while the export was made: make it again");
  TRY_DONE(write_text(writer, one.folder / "HEAD", "ref: refs/heads/main\n"));
  TRY_DONE(
      write_text(writer, one.folder / "config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"));
  std::string refs = "# pack-refs with: sorted\n";
  for (const auto& [name, commit] : one.refs) refs += fmt::format("{} {}\n", commit, name);
  TRY_DONE(write_text(writer, one.folder / "packed-refs", refs));
  TRY_DONE(target.make_directories(one.folder / "refs" / "heads"));  // Without it git sees no repository.
  TRY_DONE(visit_files(source.data, from / "objects", depth_max, [&](const io::Path& path) -> Status {
    if (!is_object_file(path)) return Done{};
    return writer.copy(source.data, path, one.folder / path.lexically_relative(from), Missing::fine);
  }));
  for (const Named::LargeObject& object : one.objects)
    TRY_DONE(write_large_file(source.content, object, one.folder / export_layout::large_file(object.sha256),
                              writer));
  return Done{};
}

Result<CopyProgress> write_all(const ExportSource& source, const ExportRules& rules, io::Disk& target,
                               const Clock& clock, const EachCopied& each) {
  ManifestWriter writer(export_layout::format, target, each);
  TRY_DONE(writer.open(clock));
  TRY(Named named, write_tables(source, rules, writer));
  for (const auto& [id, one] : named.repositories)
    if (!one.folder.empty()) TRY_DONE(write_repository(source, RepoId{id}, one, target, writer));
  return writer.close();
}

}  // namespace

Result<CopyProgress> export_instance(const ExportSource& source, const ExportRules& rules, io::Disk& target,
                                     const Clock& clock, const EachCopied& each) {
  TRY_DONE(expect_empty(target, "export folder"));
  TRY_DONE(source.content.hold_deletion(hold_span));
  auto written = write_all(source, rules, target, clock, each);
  const Status released = source.content.hold_deletion({});
  if (written.ok()) TRY_DONE(released);
  if (!written.ok()) (void)empty_folder(target);  // Without its manifest it is no export anyhow.
  return written;
}

}  // namespace holdfast::repo
