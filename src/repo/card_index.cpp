#include "repo/card_index.h"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "content/store.h"
#include "git/lfs_pointer.h"
#include "git/tree_list.h"
#include "repo/publisher.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

namespace json = boost::json;

constexpr size_t paths_max = 20'000, text_bytes_max = 1 << 20;
// Files whose headers are counted: sharded models beyond that show the count of the first ones.
constexpr size_t counted_files_max = 256;

using NamedBlob = std::pair<std::string, git::ObjectId>;

struct Listing {
  CardFacts facts;
  std::vector<NamedBlob> safetensors;
};

std::string text_or_empty(const git::Repository& objects, const git::ObjectId& blob) {
  auto text = objects.read_blob(blob, text_bytes_max);
  return text.ok() ? std::move(text).value() : std::string();
}

Result<Listing> list_files(const git::Repository& objects, const git::ObjectId& commit) {
  Listing out;
  git::ListOptions options;
  options.depth = git::Depth::all;
  options.sizes = git::Sizes::leave_zero;
  for (bool more = true; more && out.facts.paths.size() < paths_max;) {
    TRY(git::TreePage page, git::list_tree(objects, commit, options));
    for (git::TreeEntry& entry : page.entries) {
      options.after = entry.path;
      if (entry.is_folder()) continue;
      if (entry.path == "README.md") out.facts.readme = text_or_empty(objects, entry.id);
      if (entry.path == "config.json") out.facts.config = text_or_empty(objects, entry.id);
      if (entry.path.ends_with(".safetensors") && out.safetensors.size() < counted_files_max)
        out.safetensors.emplace_back(entry.path, entry.id);
      out.facts.paths.push_back(std::move(entry.path));
    }
    more = page.more;
  }
  return out;
}

Result<std::string> count_tensors(content::Store& content, const content::FileInfo& file) {
  TRY(const std::unique_ptr<content::Reader> reader, content.open(file.hash));
  std::array<std::byte, 8> first{};
  TRY(const size_t got, reader->read_at(0, first));
  TRY(const uint64_t prefix_bytes, codec::safetensors_prefix_bytes(ByteView(first).first(got)));
  Bytes prefix(std::min<uint64_t>(prefix_bytes, file.size));
  TRY(const size_t read, reader->read_at(0, prefix));
  TRY(const codec::SafetensorsHeader header,
      codec::parse_safetensors_header(ByteView(prefix).first(read), file.size));
  json::object counts;
  for (const auto& [dtype, elements] : codec::parameters_by_dtype(header)) counts[dtype] = elements;
  return codec::to_text(counts);
}

}  // namespace

Result<std::string> CardIndex::tensor_counts(const content::FileInfo& file) {
  const std::string hash = content::to_text(file.hash);
  std::string kept;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    return tx.query("SELECT parameters FROM repo_tensor_counts WHERE file_hash = ?", {hash},
                    [&](const sql::Row& row) {
                      kept = row.text(0);
                      return false;
                    });
  }));
  if (!kept.empty()) return kept;
  auto counted = count_tensors(content_, file);
  // A file that is no safetensors has no parameters, and is not read again.
  std::string counts = counted.ok() ? std::move(counted).value() : "{}";
  TRY_DONE(database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_tensor_counts WHERE file_hash = ?", {hash}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_tensor_counts (file_hash, parameters) VALUES (?, ?)", {hash, counts}));
    return Done{};
  }));
  return counts;
}

Status CardIndex::count_parameters(const Repository& repository, const git::Repository& objects,
                                   std::span<const NamedBlob> files, std::span<const HeldFile> coming,
                                   Card& card) {
  json::object parameters;
  for (const auto& [path, blob] : files) {
    auto text = objects.read_blob(blob, git::lfs_pointer_bytes_max);
    const auto pointer = text.ok() ? git::parse_lfs_pointer(text.value()) : std::nullopt;
    if (!pointer) continue;
    TRY(const content::Sha256Digest sha256, content::parse_sha256(pointer->sha256));
    const auto brought = std::find_if(coming.begin(), coming.end(),
                                      [&](const HeldFile& each) { return each.file.sha256 == sha256; });
    if (brought == coming.end()) {
      bool held = false;
      TRY_DONE(database_.read([&](sql::Transaction& tx) {
        return tx.query("SELECT 1 FROM repo_objects WHERE repo = ? AND sha256 = ?",
                        {repository.id.raw, pointer->sha256}, [&](const sql::Row&) {
                          held = true;
                          return false;
                        });
      }));
      if (!held) continue;
    }
    auto file = content_.find(sha256);
    if (!file.ok()) continue;
    TRY(const std::string text_counts, tensor_counts(file.value()));
    TRY(const json::object counts, codec::parse_json_object(text_counts));
    for (const auto& [dtype, count] : counts) {
      json::value& sum = parameters[dtype];
      sum = (sum.is_int64() ? sum.get_int64() : 0) + count.to_number<int64_t>();
    }
  }
  for (const auto& [dtype, count] : parameters) card.parameters += count.get_int64();
  if (!parameters.empty())
    card.safetensors = codec::to_text(json::object{{"parameters", parameters}, {"total", card.parameters}});
  return Done{};
}

Result<Card> CardIndex::describe(const Repository& repository, const git::Repository& objects,
                                 const git::ObjectId& commit, std::span<const HeldFile> coming) {
  TRY(const git::Commit head, objects.commit(commit));
  TRY(const Listing listing, list_files(objects, commit));
  Card card = read_card(listing.facts, repository.type);
  card.commit = head.id.hex();
  card.modified = head.committer.time;
  if (repository.type == RepoType::model)
    TRY_DONE(count_parameters(repository, objects, listing.safetensors, coming, card));
  return card;
}

Result<std::optional<Card>> CardIndex::read(RepoId repository) {
  std::optional<Card> card;
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    card.reset();
    TRY_DONE(
        tx.query("SELECT commit_oid, library, pipeline, card, config, safetensors, parameters, modified "
                 "FROM repo_cards WHERE repo = ?",
                 {repository.raw}, [&](const sql::Row& row) {
                   card = Card{.commit = row.text(0),
                               .library = row.text(1),
                               .pipeline = row.text(2),
                               .tags = {},
                               .data = row.text(3),
                               .config = row.text(4),
                               .safetensors = row.text(5),
                               .parameters = row.integer(6),
                               .modified = WallTime(std::chrono::milliseconds(row.integer(7)))};
                   return false;
                 }));
    if (!card) return Done{};
    return tx.query("SELECT tag FROM repo_tags WHERE repo = ? ORDER BY position", {repository.raw},
                    [&](const sql::Row& row) {
                      card->tags.push_back(row.text(0));
                      return true;
                    });
  }));
  return card;
}

Status CardIndex::store(sql::Transaction& tx, RepoId repository, const Card& card) {
  TRY([[maybe_unused]] const int64_t old_card,
      tx.run("DELETE FROM repo_cards WHERE repo = ?", {repository.raw}));
  TRY([[maybe_unused]] const int64_t old_tags,
      tx.run("DELETE FROM repo_tags WHERE repo = ?", {repository.raw}));
  TRY([[maybe_unused]] const int64_t rows,
      tx.run("INSERT INTO repo_cards (repo, commit_oid, library, pipeline, card, config, safetensors, "
             "parameters, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
             {repository.raw, card.commit, card.library, card.pipeline, card.data, card.config,
              card.safetensors, card.parameters, int64_t{card.modified.time_since_epoch().count()}}));
  int64_t position = 0;
  for (const std::string& tag : card.tags) {
    TRY([[maybe_unused]] const int64_t added,
        tx.run("INSERT INTO repo_tags (repo, tag, position) VALUES (?, ?, ?)",
               {repository.raw, tag, position++}));
  }
  return Done{};
}

}  // namespace holdfast::repo
