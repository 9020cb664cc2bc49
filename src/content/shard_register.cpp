#include "codec/sha256.h"
#include "content/merkle_tree.h"
#include "content/parts.h"
#include "content/probe.h"
#include "content/shard.h"

namespace holdfast::content {
namespace {

// Missing and not the caller's are one answer.
Error missing() { return fail(Reason::object_missing, "the shard names a xorb that was not uploaded"); }

Result<FileTerm> check_term(Parts& parts, const ShardTerm& claimed, const MayUse& may_use, MerkleTree& tree) {
  const Term& term = claimed.term;
  auto xorb = parts.xorbs.find(term.xorb);
  if (!xorb.ok()) return xorb.error().code == Code::not_found ? missing() : std::move(xorb).error();
  TRY(const bool allowed, may_use(term.xorb, term.chunks));
  if (!allowed) return missing();
  const XorbTable& table = xorb.value()->table;
  if (!table.holds(term.chunks))
    return fail(Reason::bad_request, "the shard names chunks that its xorb does not have");
  if (table.length(term.chunks) != term.length)
    return fail(Reason::bad_request, "the shard gives chunks another length than they have");
  if (!claimed.range_hash) return fail(Reason::bad_request, "the shard lacks the verification of its ranges");
  if (table.range_hash(term.chunks) != *claimed.range_hash)
    return fail(Reason::digest_mismatch, "the verification of a range is wrong");
  for (const ChunkLeaf& leaf : table.leaves(term.chunks)) tree.add(leaf);
  return FileTerm{xorb.value()->id, term.chunks, static_cast<uint32_t>(term.length)};
}

constexpr uint64_t long_term_bytes = 4 << 20;

// A long run of chunks is read past the page cache, as it was written; short ones are worth no reading ahead.
Result<std::shared_ptr<io::ReadFile>> open_term(Parts& parts, const FileTerm& term, const Xorb& xorb) {
  if (term.length < long_term_bytes) return parts.files.open(xorb.hash, xorb.generation);
  TRY(auto file, parts.files.open_streaming(xorb.hash, xorb.generation));
  return std::shared_ptr<io::ReadFile>(std::move(file));
}

Status digest_term(Parts& parts, const FileTerm& term, codec::Sha256& sha256) {
  TRY(const auto xorb, parts.xorbs.find(term.xorb));
  TRY(const auto file, open_term(parts, term, *xorb));
  const XorbTable& table = xorb->table;
  Bytes stored, chunk;
  for (uint32_t i = term.chunks.first; i < term.chunks.end; ++i) {
    const uint64_t at = table.stored_begin(i) + chunk_header_bytes;
    stored.resize(table[i].stored_end - at);
    TRY(const size_t got, file->read_at(at, stored));
    if (got != stored.size()) return fail(Reason::data_corrupt, "a stored xorb is shorter than it should be");
    if (table[i].scheme == Scheme::raw) {
      sha256.update(stored);
      continue;
    }
    chunk.resize(table.length(i));
    TRY_DONE(decode_chunk(table[i].scheme, stored, chunk));
    sha256.update(chunk);
  }
  return Done{};
}

// `ahead`: what was hashed as it came, of the first terms.
Result<Sha256Digest> digest_of(Parts& parts, const StoredFile& file, AheadDigests::Prefix ahead) {
  for (const FileTerm& term : std::span(file.terms).subspan(ahead.terms))
    TRY_DONE(digest_term(parts, term, ahead.sha256));
  return ahead.sha256.finish();
}

Result<StoredFile> check_file(Parts& parts, const ShardFile& claimed, const MayUse& may_use,
                              Uploader uploader) {
  StoredFile file;
  std::vector<Term> terms;
  MerkleTree tree;
  for (const ShardTerm& term : claimed.terms) {
    TRY(const FileTerm checked, check_term(parts, term, may_use, tree));
    file.terms.push_back(checked);
    terms.push_back(term.term);
    file.info.size += checked.length;
  }
  file.info.hash = tree.file_hash();
  if (file.info.hash != claimed.hash)
    return fail(Reason::digest_mismatch, "a file of the shard is not what its name says");
  // What is known already was read through when it came.
  const auto known = parts.file_index.find(file.info.hash);
  if (known.ok()) {
    file.info.sha256 = known.value().info.sha256;
  } else {
    TRY(file.info.sha256, digest_of(parts, file, parts.ahead.prefix_of(uploader, terms)));
  }
  if (claimed.sha256 && *claimed.sha256 != file.info.sha256)
    return fail(Reason::digest_mismatch, "a file of the shard does not have the SHA-256 it claims");
  return file;
}

}  // namespace

Result<std::vector<FileInfo>> register_shard(Parts& parts, ByteView bytes, const MayUse& may_use,
                                             Uploader uploader) {
  TRY(const Shard shard, parse_shard(bytes));
  std::vector<StoredFile> files;
  for (const ShardFile& claimed : shard.files) {
    TRY(StoredFile file, check_file(parts, claimed, may_use, uploader));
    files.push_back(std::move(file));
  }
  using Infos = std::vector<FileInfo>;
  TRY(Infos infos, parts.database.write<Infos>([&](sql::Transaction& tx) -> Result<Infos> {
    Infos added;
    for (const StoredFile& file : files) {
      TRY(const FileInfo info, FileIndex::add(tx, file.info, file.terms, parts.now()));
      added.push_back(info);
    }
    return added;
  }));
  parts.ahead.end(uploader);
  for (const FileInfo& info : infos) parts.probe.received(info.size);
  return infos;
}

}  // namespace holdfast::content
