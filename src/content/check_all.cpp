#include <fmt/format.h>

#include <limits>
#include <map>

#include "codec/sha256.h"
#include "content/merkle_tree.h"
#include "content/parts.h"
#include "content/xorb.h"

namespace holdfast::content {
namespace {

constexpr size_t damage_max = 10'000;
constexpr size_t read_bytes = 1 << 20;
constexpr int64_t forever = std::numeric_limits<int64_t>::max();

class Inspection {
 public:
  explicit Inspection(Parts& parts) : parts_(parts) {}

  Result<Checked> run() {
    TRY_DONE(check_xorbs());
    TRY_DONE(check_files());
    TRY_DONE(check_names());
    return std::move(checked_);
  }

 private:
  void add(std::string what, std::string object, std::string detail) {
    if (checked_.damage.size() < damage_max)
      checked_.damage.push_back({std::move(what), std::move(object), std::move(detail)});
  }

  struct Row {
    XorbId id = 0;
    XorbHash hash;
  };
  Result<std::vector<Row>> xorb_page(XorbId after) {
    using Rows = std::vector<Row>;
    return parts_.database.read<Rows>([&](sql::Transaction& tx) -> Result<Rows> {
      Rows rows;
      TRY_DONE(
          tx.query("SELECT id, hash FROM content_xorbs WHERE id > ? AND pending = 0 ORDER BY id LIMIT 500",
                   {after}, [&](const sql::Row& row) {
                     Row read{.id = row.integer(0), .hash = {}};
                     const Bytes hash = row.blob(1);
                     std::copy_n(hash.begin(), std::min<size_t>(hash.size(), 32), read.hash.bytes.begin());
                     rows.push_back(read);
                     return true;
                   }));
      return rows;
    });
  }

  Status check_xorbs() {
    for (XorbId after = 0;;) {
      TRY(const auto rows, xorb_page(after));
      if (rows.empty()) return Done{};
      for (const Row& row : rows) TRY_DONE(check_xorb(row));
      after = rows.back().id;
    }
  }

  // Errors of the disk other than a missing file end the inspection: they say nothing about the bytes.
  Status check_xorb(const Row& row) {
    ++checked_.xorbs;
    parts_.xorbs.forget(row.id);
    auto xorb = parts_.xorbs.find(row.id);
    if (!xorb.ok()) {
      if (xorb.error().code == Code::not_found) return Done{};  // Collected meanwhile.
      add("xorb_table_corrupt", to_text(row.hash), xorb.error().message);
      return Done{};
    }
    const Xorb& known = *xorb.value();
    auto file = parts_.files.open(known.hash, known.generation);
    if (!file.ok() && file.error().code != Code::not_found) return std::move(file).error();
    if (!file.ok()) {
      TRY(const bool named, still_named(known));
      if (named) add("xorb_missing", to_text(known.hash), "its file is not there");
      return Done{};
    }
    XorbParser parser;
    Status parsed = Done{};
    Bytes buffer(read_bytes);
    uint64_t at = 0;
    while (parsed.ok()) {
      TRY(const size_t got, file.value()->read_at(at, buffer));
      if (got == 0) break;
      at += got;
      parsed = parser.write(ByteView(buffer).first(got));
    }
    checked_.bytes += at;
    Result<XorbTable> table = parsed.ok() ? parser.finish(known.hash) : Result<XorbTable>(parsed.error());
    if (!table.ok())
      add("xorb_corrupt", to_text(known.hash), table.error().message);
    else if (table.value().stored_bytes() != at || table.value().pack() != known.table.pack())
      add("xorb_table_wrong", to_text(known.hash), "its table of chunks is not that of its file");
    return Done{};
  }

  Result<bool> still_named(const Xorb& xorb) {
    parts_.xorbs.forget(xorb.id);
    const auto again = parts_.xorbs.find(xorb.id);
    return again.ok() && again.value()->generation == xorb.generation;
  }

  Status check_files() {
    for (FileId after = 0;;) {
      TRY(const auto files, parts_.file_index.page(after, 100, forever));
      if (files.empty()) return Done{};
      for (const StoredFile& file : files) TRY_DONE(check_file(file));
      after = files.back().id;
    }
  }

  Status check_file(const StoredFile& file) {
    ++checked_.files;
    const std::string name = to_text(file.info.hash);
    MerkleTree tree;
    uint64_t size = 0;
    for (const FileTerm& term : file.terms) {
      const auto xorb = parts_.xorbs.find(term.xorb);
      if (!xorb.ok()) {
        add("term_dangling", name, fmt::format("needs a xorb that is not there: {}", xorb.error().message));
        return Done{};
      }
      const XorbTable& table = xorb.value()->table;
      if (!table.holds(term.chunks) || table.length(term.chunks) != term.length) {
        add("term_wrong", name,
            fmt::format("names chunks that xorb {} does not have", to_text(xorb.value()->hash)));
        return Done{};
      }
      TRY_DONE(check_use(file, term, name));
      size += term.length;
      for (const ChunkLeaf& leaf : table.leaves(term.chunks)) tree.add(leaf);
    }
    if (size != file.info.size) add("file_size_wrong", name, "its chunks have another length together");
    if (tree.file_hash() != file.info.hash) add("file_hash_wrong", name, "its chunks make another file");
    return check_sha256(file, name);
  }

  Status check_use(const StoredFile& file, const FileTerm& term, const std::string& name) {
    TRY(const auto users, parts_.file_index.users_of(term.xorb, file.id - 1, 1));
    if (users.empty() || users[0] != file.id)
      add("use_missing", name, "collection would not know that it uses its xorbs");
    return Done{};
  }

  Status check_sha256(const StoredFile& file, const std::string& name) {
    TRY(const auto reader, make_reader(parts_, file));
    codec::Sha256 sha256;
    Bytes buffer(read_bytes);
    for (uint64_t at = 0; at < file.info.size;) {
      const auto got = reader->read_at(at, buffer);
      if (!got.ok() && got.error().code != Code::corrupt) return got.error();
      if (!got.ok()) {
        add("file_unreadable", name, got.error().message);
        return Done{};
      }
      sha256.update(ByteView(buffer).first(got.value()));
      at += got.value();
    }
    if (sha256.finish() != file.info.sha256) add("file_sha256_wrong", name, "its bytes have another SHA-256");
    return Done{};
  }

  // Every file below xorbs/ is named by a row, or is a leftover that a crash or a running upload explains.
  Status check_names() {
    return parts_.files.visit([&](const XorbFiles::Named& file) -> Status {
      if (!file.made) {
        add("stray_file", file.path.string(), "is not a name of this store");
        return Done{};
      }
      const auto xorb = parts_.xorbs.find(file.hash);
      if (!xorb.ok() || xorb.value()->generation != file.generation) ++checked_.leftovers;
      return Done{};
    });
  }

  Parts& parts_;
  Checked checked_;
};

}  // namespace

Result<Checked> check_everything(Parts& parts) { return Inspection(parts).run(); }

}  // namespace holdfast::content
