#include "repo/kinship.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "content/store.h"
#include "identity/audit.h"
#include "repo/repositories.h"
#include "repo/tensor_prints.h"
#include "scan/source.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr uint64_t file_bytes_min = 16 << 10;  // Smaller ones are configurations, which many share.
constexpr int64_t files_of_tensor_max = 200, repositories_of_file_max = 1000, files_max = 2000;
constexpr size_t at_once = 100, relatives_max = 1000, paths_max = 10;
constexpr double share_min = 0.01;

class ReaderSource final : public scan::Source {
 public:
  explicit ReaderSource(content::Reader& reader) : reader_(reader) {}
  uint64_t size() const override { return reader_.info().size; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    return reader_.read_at(offset, into);
  }

 private:
  content::Reader& reader_;
};

std::string question_marks(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ", ?";
  return out;
}

// Runs a query with an IN list over all of `values`, so many at once.
template <class T>
Status query_all(sql::Transaction& tx, std::string_view before, std::string_view after,
                 const std::vector<T>& values, const std::function<void(const sql::Row&)>& each) {
  for (size_t begin = 0; begin < values.size(); begin += at_once) {
    const size_t count = std::min(at_once, values.size() - begin);
    std::vector<sql::Value> bound;
    for (size_t i = begin; i < begin + count; ++i) {
      if constexpr (std::is_same_v<T, TensorPrint>)
        bound.emplace_back(ByteView(values[i].digest));
      else
        bound.emplace_back(std::string_view(values[i]));
    }
    TRY_DONE(tx.query(fmt::format("{} ({}) {}", before, question_marks(count), after), bound,
                      [&](const sql::Row& row) {
                        each(row);
                        return true;
                      }));
  }
  return Done{};
}

struct Shared {
  std::set<std::array<std::byte, 16>> tensors;
  std::set<std::string> files;
  uint64_t bytes = 0;
};

}  // namespace

Status Kinship::index(const std::string& sha256) {
  std::string path;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT path FROM repo_objects WHERE sha256 = ? ORDER BY path LIMIT 1", {sha256},
                    [&](const sql::Row& row) {
                      path = row.text(0);
                      return false;
                    });
  }));
  std::vector<TensorPrint> prints;
  TRY(const auto digest, content::parse_sha256(sha256));
  const auto info = content_.find(digest);
  if (info.ok()) {
    TRY(const auto reader, content_.open(info.value().hash));
    ReaderSource source(*reader);
    TRY(prints, tensor_prints(source, path));
  }
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_file_tensors WHERE sha256 = ?", {sha256}));
    for (const TensorPrint& print : prints)
      TRY_DONE([&]() -> Status {
        TRY([[maybe_unused]] const int64_t rows,
            tx.run("INSERT INTO repo_file_tensors (sha256, digest, bytes) VALUES (?, ?, ?)",
                   {sha256, ByteView(print.digest), static_cast<int64_t>(print.bytes)}));
        return Done{};
      }());
    TRY([[maybe_unused]] const int64_t forgotten,
        tx.run("DELETE FROM repo_indexed_files WHERE sha256 = ?", {sha256}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_indexed_files (sha256, tensors) VALUES (?, ?)",
               {sha256, static_cast<int64_t>(prints.size())}));
    return Done{};
  });
}

Status Kinship::index_all(const std::vector<std::string>& files) {
  std::set<std::string> missing(files.begin(), files.end());
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return query_all(tx, "SELECT sha256 FROM repo_indexed_files WHERE sha256 IN", "", files,
                     [&](const sql::Row& row) { missing.erase(row.text(0)); });
  }));
  for (const std::string& sha256 : missing) TRY_DONE(index(sha256));
  return Done{};
}

Result<size_t> Kinship::index_some(size_t count_max) {
  std::vector<std::string> missing;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    missing.clear();
    return tx.query(
        "SELECT DISTINCT sha256 FROM repo_objects WHERE sha256 NOT IN (SELECT sha256 FROM "
        "repo_indexed_files) "
        "LIMIT ?",
        {static_cast<int64_t>(count_max)}, [&](const sql::Row& row) {
          missing.push_back(row.text(0));
          return true;
        });
  }));
  for (const std::string& sha256 : missing) TRY_DONE(index(sha256));
  return missing.size();
}

Result<std::vector<Relative>> Kinship::find(const Weights& weights) {
  std::vector<TensorPrint> mine;
  std::map<std::array<std::byte, 16>, uint64_t> bytes_of;
  std::map<std::string, std::set<std::array<std::byte, 16>>> tensors_of;  // By file that holds some.
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    mine.clear();
    bytes_of.clear();
    tensors_of.clear();
    const auto digest_in = [](const sql::Row& row, int column) {
      std::array<std::byte, 16> digest{};
      const Bytes bytes = row.blob(column);
      std::copy_n(bytes.begin(), std::min(bytes.size(), digest.size()), digest.begin());
      return digest;
    };
    TRY_DONE(query_all(tx, "SELECT digest, bytes FROM repo_file_tensors WHERE sha256 IN", "", weights.files,
                       [&](const sql::Row& row) {
                         const TensorPrint print{digest_in(row, 0), static_cast<uint64_t>(row.integer(1))};
                         if (bytes_of.emplace(print.digest, print.bytes).second) mine.push_back(print);
                       }));
    return query_all(tx, "SELECT digest, sha256 FROM repo_file_tensors WHERE digest IN",
                     fmt::format("LIMIT {}", files_of_tensor_max * static_cast<int64_t>(at_once)), mine,
                     [&](const sql::Row& row) { tensors_of[row.text(1)].insert(digest_in(row, 0)); });
  }));
  std::vector<std::string> files = weights.files;
  for (const auto& [sha256, tensors] : tensors_of) files.push_back(sha256);
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  std::map<int64_t, Relative> found;
  std::map<int64_t, Shared> shared;
  const std::set<std::string> own(weights.files.begin(), weights.files.end());
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    found.clear();
    shared.clear();
    TRY_DONE(query_all(tx, "SELECT repo, sha256, path FROM repo_objects WHERE sha256 IN",
                       fmt::format("LIMIT {}", repositories_of_file_max * static_cast<int64_t>(at_once)),
                       files, [&](const sql::Row& row) {
                         const int64_t id = row.integer(0);
                         const std::string sha256 = row.text(1);
                         Relative& relative = found[id];
                         Shared& of = shared[id];
                         if (relative.paths.size() < paths_max) relative.paths.push_back(row.text(2));
                         relative.sha256.push_back(sha256);
                         const auto tensors = tensors_of.find(sha256);
                         if (tensors != tensors_of.end())
                           for (const auto& digest : tensors->second)
                             if (of.tensors.insert(digest).second) of.bytes += bytes_of[digest];
                         if (!own.contains(sha256)) return;
                         of.files.insert(sha256);
                         // A file without tensors of its own counts by its size.
                         if (tensors == tensors_of.end()) of.bytes += weights.bytes.at(sha256);
                       }));
    std::vector<std::string> ids;
    for (const auto& [id, relative] : found) ids.push_back(std::to_string(id));
    for (size_t begin = 0; begin < ids.size(); begin += at_once) {
      std::string list;
      for (size_t i = begin; i < std::min(ids.size(), begin + at_once); ++i)
        list += (list.empty() ? "" : ", ") + ids[i];
      TRY_DONE(
          tx.query(fmt::format("SELECT {} FROM repo_repositories WHERE id IN ({})", repository_columns, list),
                   {}, [&](const sql::Row& row) {
                     found[row.integer(0)].repository = read_repository(row);
                     return true;
                   }));
    }
    return Done{};
  }));
  std::vector<Relative> out;
  for (auto& [id, relative] : found) {
    const Shared& of = shared[id];
    relative.files = of.files.size();
    relative.tensors = of.tensors.size();
    relative.bytes = of.bytes;
    relative.share =
        weights.total == 0 ? 0 : static_cast<double>(of.bytes) / static_cast<double>(weights.total);
    const bool kin = relative.files > 0 || relative.tensors > 1 || relative.share >= share_min;
    if (kin && relative.repository.id.raw != 0) out.push_back(std::move(relative));
  }
  std::sort(out.begin(), out.end(), [](const Relative& a, const Relative& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.repository.id.raw < b.repository.id.raw;
  });
  if (out.size() > relatives_max) out.resize(relatives_max);
  return out;
}

Result<Kinship::Weights> Kinship::weights_of(const Repository& repository) {
  Weights weights;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    weights = {};
    return tx.query(
        "SELECT sha256, size FROM repo_objects WHERE repo = ? AND size >= ? ORDER BY size DESC LIMIT ?",
        {repository.id.raw, static_cast<int64_t>(file_bytes_min), files_max}, [&](const sql::Row& row) {
          weights.files.push_back(row.text(0));
          weights.bytes[row.text(0)] = static_cast<uint64_t>(row.integer(1));
          weights.total += static_cast<uint64_t>(row.integer(1));
          return true;
        });
  }));
  return weights;
}

Result<std::vector<std::string>> Kinship::files_of(const Repository& repository) {
  TRY(Weights weights, weights_of(repository));
  return std::move(weights.files);
}

Result<std::vector<Relative>> Kinship::relatives(const Repository& repository) {
  TRY(const Weights weights, weights_of(repository));
  TRY_DONE(index_all(weights.files));
  TRY(std::vector<Relative> out, find(weights));
  std::erase_if(out, [&](const Relative& each) { return each.repository.id == repository.id; });
  // What the cards say, in either direction.
  std::set<std::string> mine;
  std::set<int64_t> theirs;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    mine.clear();
    theirs.clear();
    TRY_DONE(
        tx.query("SELECT tag FROM repo_tags WHERE repo = ?", {repository.id.raw}, [&](const sql::Row& row) {
          mine.insert(row.text(0));
          return true;
        }));
    return tx.query("SELECT repo FROM repo_tags WHERE tag = ?", {"base_model:" + repository.full_name()},
                    [&](const sql::Row& row) {
                      theirs.insert(row.integer(0));
                      return true;
                    });
  }));
  for (Relative& each : out)
    each.declared =
        theirs.contains(each.repository.id.raw) || mine.contains("base_model:" + each.repository.full_name());
  return out;
}

Result<std::vector<Relative>> Kinship::holders(std::string_view sha256) {
  TRY([[maybe_unused]] const auto digest, content::parse_sha256(sha256));
  Weights weights;
  weights.files.emplace_back(sha256);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT size FROM repo_objects WHERE sha256 = ? LIMIT 1", {sha256},
                    [&](const sql::Row& row) {
                      weights.total = static_cast<uint64_t>(row.integer(0));
                      return false;
                    });
  }));
  weights.bytes[std::string(sha256)] = weights.total;
  if (weights.total > 0) TRY_DONE(index_all(weights.files));
  return find(weights);
}

Status Kinship::withdraw(std::string_view actor, std::string_view sha256, std::string_view reason) {
  TRY([[maybe_unused]] const auto digest, content::parse_sha256(sha256));
  if (reason.empty() || reason.size() > 1000)
    return fail(Reason::bad_request, "say why it is withdrawn, in at most 1000 characters");
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone, tx.run("DELETE FROM repo_withdrawn WHERE sha256 = ?", {sha256}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_withdrawn (sha256, reason, actor, at) VALUES (?, ?, ?, ?)",
               {sha256, reason, actor, int64_t{clock_.wall().time_since_epoch().count()}}));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "weights.withdrawn",
                              .subject = std::string(sha256),
                              .details = {{"reason", std::string(reason)}}});
  });
}

Result<std::vector<Withdrawn>> Kinship::withdrawn() {
  std::vector<Withdrawn> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query("SELECT sha256, reason, actor, at FROM repo_withdrawn ORDER BY at DESC LIMIT 1000", {},
                    [&](const sql::Row& row) {
                      out.push_back({row.text(0), row.text(1), row.text(2),
                                     WallTime(std::chrono::milliseconds(row.integer(3)))});
                      return true;
                    });
  }));
  return out;
}

}  // namespace holdfast::repo
