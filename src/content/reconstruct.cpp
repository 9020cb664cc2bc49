#include <algorithm>
#include <map>

#include "content/parts.h"
#include "content/shard.h"

namespace holdfast::content {
namespace {

// Adds the term's chunks that lie in bytes [first, end) of the file; `begin` is where the term begins.
void add_term(Reconstruction& out, const FileTerm& term, const Xorb& xorb, uint64_t begin, uint64_t first,
              uint64_t end) {
  const XorbTable& table = xorb.table;
  ChunkRange chunks = term.chunks;
  uint64_t from = begin, to = begin + term.length;
  while (from + table.length(chunks.first) <= first) from += table.length(chunks.first++);
  while (to - table.length(chunks.end - 1) >= end) to -= table.length(--chunks.end);
  if (out.terms.empty()) out.offset_into_first = first - from;
  out.terms.push_back({xorb.hash, chunks, to - from});
}

// For each xorb the ranges that are needed of it, those that touch made one.
std::vector<Reconstruction::Fetch> fetches_of(const std::vector<Term>& terms,
                                              const std::map<XorbHash, std::shared_ptr<const Xorb>>& xorbs) {
  std::map<XorbHash, std::vector<ChunkRange>> wanted;
  std::vector<XorbHash> order;
  for (const Term& term : terms) {
    auto& ranges = wanted[term.xorb];
    if (ranges.empty()) order.push_back(term.xorb);
    ranges.push_back(term.chunks);
  }
  std::vector<Reconstruction::Fetch> fetches;
  for (const XorbHash& hash : order) {
    auto& ranges = wanted[hash];
    std::ranges::sort(ranges, {}, &ChunkRange::first);
    const XorbTable& table = xorbs.at(hash)->table;
    for (size_t i = 0; i < ranges.size();) {
      ChunkRange whole = ranges[i];
      for (++i; i < ranges.size() && ranges[i].first <= whole.end; ++i)
        whole.end = std::max(whole.end, ranges[i].end);
      fetches.push_back({hash, whole, table.stored_begin(whole.first), table[whole.end - 1].stored_end - 1});
    }
  }
  return fetches;
}

}  // namespace

Result<Reconstruction> reconstruct(Parts& parts, const FileHash& hash, std::optional<ByteSpan> range) {
  TRY(const StoredFile file, parts.file_index.find(hash));
  const uint64_t first = range ? range->first : 0;
  if (range && first >= file.info.size)
    return fail(Reason::range_unsatisfiable, "the range starts past the end");
  const uint64_t end = range ? first + std::min(range->length, file.info.size - first) : file.info.size;

  Reconstruction out;
  std::map<XorbHash, std::shared_ptr<const Xorb>> xorbs;
  uint64_t begin = 0;
  for (const FileTerm& term : file.terms) {
    if (begin < end && begin + term.length > first) {
      TRY(const auto xorb, parts.xorbs.find(term.xorb));
      if (!xorb->table.holds(term.chunks) || xorb->table.length(term.chunks) != term.length)
        return fail(Reason::data_corrupt, "what is known of this file does not fit together");
      xorbs[xorb->hash] = xorb;
      add_term(out, term, *xorb, begin, first, end);
    }
    begin += term.length;
  }
  out.fetches = fetches_of(out.terms, xorbs);
  return out;
}

Result<Bytes> answer_dedup(Parts& parts, const ChunkHash& chunk, const MayUse& may_use) {
  TRY(const auto places, parts.xorbs.all_places(chunk));
  for (const ChunkPlace& place : places) {
    const Xorb& xorb = *place.xorb;
    // The answer lists all the xorb's chunks, so the caller must be allowed each.
    TRY(const bool allowed, may_use(xorb.hash, {0, static_cast<uint32_t>(xorb.table.size())}));
    if (!allowed) continue;
    TRY(const bool there, parts.database.write<bool>([&](sql::Transaction& tx) {
      return XorbIndex::touch(tx, xorb.id, parts.now());
    }));
    if (!there) continue;
    ShardXorb listed{
        .hash = xorb.hash, .bytes = xorb.table.bytes(), .stored_bytes = xorb.table.stored_bytes()};
    for (size_t i = 0; i < xorb.table.size(); ++i)
      listed.chunks.push_back({xorb.table[i].hash, xorb.table.begin(i), xorb.table.length(i)});
    const auto seconds = static_cast<uint64_t>(parts.now() / 1000);
    Shard shard;
    shard.xorbs.push_back(std::move(listed));
    shard.footer = ShardFooter{
        .created = seconds,
        .expiry =
            seconds +
            static_cast<uint64_t>(
                std::chrono::duration_cast<std::chrono::seconds>(parts.options.dedup_answer_life).count())};
    return write_shard(shard);
  }
  return fail(Reason::object_missing, "there is no such chunk");
}

}  // namespace holdfast::content
