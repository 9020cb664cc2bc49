#include "content/intake.h"

#include <algorithm>

#include "base/check.h"
#include "base/guarded.h"
#include "content/chunker.h"
#include "content/probe.h"

namespace holdfast::content {
namespace {

IngestId new_id(Random& random) { return static_cast<IngestId>(random.u64() >> 1) | 1; }

}  // namespace

Intake::Intake(Parts& parts) : parts_(parts), id_(new_id(parts.random)) {}

Intake::~Intake() {
  if (!committed_) discard();
}

Status Intake::take(Block& block) {
  block.prepend(carried_);
  std::vector<Cut> cuts;
  ByteView rest = block.bytes();
  while (const size_t size = find_cut(rest)) {
    cuts.push_back({rest.first(size), hash_chunk(rest.first(size))});
    rest = rest.subspan(size);
  }
  carried_ = rest;
  return store(cuts);
}

Status Intake::end() {
  if (carried_.empty()) return Done{};
  Cut last = {carried_, hash_chunk(carried_)};
  carried_ = {};
  return store(std::span(&last, 1));
}

Status Intake::store(std::span<Cut> cuts) {
  TRY(auto places, stored_places(cuts));
  TRY_DONE(keep_from_collection(places));
  for (size_t i = 0; i < cuts.size(); ++i) {
    const Cut& cut = cuts[i];
    tree_.add({cut.hash, cut.bytes.size()});
    if (const auto fresh = fresh_.find(cut.hash); fresh != fresh_.end()) {
      shared_bytes_ += cut.bytes.size();
      add_term(fresh->second.made, 0, fresh->second.position, cut.bytes.size());
    } else if (places[i]) {
      shared_bytes_ += cut.bytes.size();
      add_term({}, places[i]->xorb->id, places[i]->position, cut.bytes.size());
    } else {
      TRY_DONE(write_chunk(cut));
    }
  }
  return Done{};
}

Result<std::vector<std::optional<ChunkPlace>>> Intake::stored_places(std::span<const Cut> cuts) {
  std::vector<ChunkHash> hashes;
  hashes.reserve(cuts.size());
  for (const Cut& cut : cuts) hashes.push_back(cut.hash);
  return parts_.xorbs.places(hashes, id_);
}

Status Intake::keep_from_collection(std::vector<std::optional<ChunkPlace>>& places) {
  std::vector<XorbId> wanted, gone;
  for (const auto& place : places)
    if (place && !kept_.contains(place->xorb->id)) wanted.push_back(place->xorb->id);
  if (wanted.empty()) return Done{};
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  TRY_DONE(parts_.database.write([&](sql::Transaction& tx) -> Status {
    gone.clear();
    for (const XorbId id : wanted) {
      TRY(const bool there, XorbIndex::touch(tx, id, parts_.now()));
      if (!there) gone.push_back(id);
    }
    return Done{};
  }));
  kept_.insert(wanted.begin(), wanted.end());
  for (const XorbId id : gone) {
    kept_.erase(id);
    parts_.xorbs.forget(id);
  }
  for (auto& place : places)
    if (place && !kept_.contains(place->xorb->id)) place.reset();  // Stored anew.
  return Done{};
}

Status Intake::write_chunk(const Cut& cut) {
  const ChunkPacker::Packed packed = packer_.pack(cut.bytes);
  const ChunkHeader header = {.scheme = packed.scheme,
                              .stored = static_cast<uint32_t>(packed.bytes.size()),
                              .length = static_cast<uint32_t>(cut.bytes.size())};
  if (!made_.empty() && made_.back().file != nullptr) {
    const XorbTable& table = made_.back().table;
    const uint32_t bytes_max = parts_.options.xorb_bytes;
    const bool full = table.size() == xorb_chunks_max || table.bytes() + header.length > bytes_max ||
                      table.stored_bytes() + chunk_header_bytes + header.stored > bytes_max;
    if (full) TRY_DONE(seal());
  }
  if (made_.empty() || made_.back().file == nullptr || made_.back().sealing.valid()) {
    TRY(auto file, parts_.files.create());
    made_.push_back({.file = std::move(file), .table = {}, .tree = {}, .sealing = {}});
  }
  Made& made = made_.back();
  const ChunkHeaderBytes head = write_chunk_header(header);
  if (packed.scheme == Scheme::raw) {
    // One write for both: what lies before the chunk is done with.
    std::byte* const start = Block::before(cut.bytes.data());
    std::memcpy(start, head.data(), head.size());
    TRY_DONE(made.file->file().append({start, head.size() + cut.bytes.size()}));
  } else {
    TRY_DONE(made.file->file().append(head));
    TRY_DONE(made.file->file().append(packed.bytes));
  }
  fresh_.emplace(cut.hash, Place{made_.size() - 1, static_cast<uint32_t>(made.table.size())});
  add_term(made_.size() - 1, 0, static_cast<uint32_t>(made.table.size()), cut.bytes.size());
  made.table.add(cut.hash, header);
  made.tree.add({cut.hash, cut.bytes.size()});
  return Done{};
}

void Intake::add_term(std::optional<size_t> made, XorbId xorb, uint32_t position, size_t length) {
  if (!terms_.empty()) {
    OpenTerm& last = terms_.back();
    // A term's length must fit 32 bits; a xorb's does.
    if (last.made == made && last.term.xorb == xorb && last.term.chunks.end == position) {
      ++last.term.chunks.end;
      last.term.length += static_cast<uint32_t>(length);
      return;
    }
  }
  terms_.push_back({made, {xorb, {position, position + 1}, static_cast<uint32_t>(length)}});
}

// Makes the xorb that is full durable, on a thread of its own; one at a time.
Status Intake::seal() {
  const size_t index = made_.size() - 1;
  if (index > 0) TRY_DONE(wait_for_sealing(index - 1));
  Made& made = made_[index];
  const auto work = [&parts = parts_, id = id_, file = made.file.get(), table = made.table,
                     hash = made.tree.xorb_hash()]() -> Result<XorbId> {
    TRY_DONE(file->file().sync());
    TRY(std::string generation, file->publish(hash));
    const NewXorb xorb = {.hash = hash, .generation = std::move(generation), .table = table};
    const auto added = parts.database.write<XorbIndex::Added>(
        [&](sql::Transaction& tx) { return XorbIndex::add(tx, xorb, id, parts.now()); });
    const bool ours = added.ok() && added.value().ours;
    if (!ours) (void)parts.files.remove(parts.files.path(hash, xorb.generation)).ok();
    if (!added.ok()) return added.error();
    parts.probe.stored(ours ? table.stored_bytes() : 0);
    return added.value().id;
  };
  made.sealing = std::async(std::launch::async, [work] { return guarded(work); });
  return Done{};
}

Status Intake::wait_for_sealing(size_t index) {
  Made& made = made_[index];
  if (made.id != 0) return Done{};
  TRY(made.id, made.sealing.get());
  // From here on the database answers for its chunks.
  for (size_t i = 0; i < made.table.size(); ++i) {
    const auto fresh = fresh_.find(made.table[i].hash);
    if (fresh != fresh_.end() && fresh->second.made == index) fresh_.erase(fresh);
  }
  kept_.insert(made.id);
  made.table = {};
  made.file.reset();
  return Done{};
}

Result<FileInfo> Intake::commit(const Sha256Digest& sha256, uint64_t size) {
  const bool has_last = !made_.empty() && made_.back().id == 0 && !made_.back().sealing.valid();
  NewXorb last;
  if (has_last) {
    Made& made = made_.back();
    TRY_DONE(made.file->file().sync());
    last = {.hash = made.tree.xorb_hash(), .generation = {}, .table = made.table};
  }
  for (size_t i = 0; i < made_.size(); ++i)
    if (made_[i].sealing.valid()) TRY_DONE(wait_for_sealing(i));
  if (has_last) {
    TRY(last.generation, made_.back().file->publish(last.hash));
  }

  const FileInfo info = {.hash = tree_.file_hash(), .sha256 = sha256, .size = size};
  bool last_is_ours = false;
  auto known = parts_.database.write<FileInfo>([&](sql::Transaction& tx) -> Result<FileInfo> {
    std::vector<XorbId> ids;
    for (const Made& made : made_) ids.push_back(made.id);
    if (has_last) {
      TRY(const XorbIndex::Added added, XorbIndex::add(tx, last, 0, parts_.now()));
      ids.back() = added.id;
      last_is_ours = added.ours;
    }
    for (const XorbId id : ids) TRY_DONE(XorbIndex::finish(tx, id));
    std::vector<FileTerm> terms;
    terms.reserve(terms_.size());
    for (const OpenTerm& open : terms_) {
      terms.push_back(open.term);
      if (open.made) terms.back().xorb = ids[*open.made];
    }
    return FileIndex::add(tx, info, terms, parts_.now());
  });
  if (has_last && !(known.ok() && last_is_ours))
    (void)parts_.files.remove(parts_.files.path(last.hash, last.generation)).ok();
  if (!known.ok() && known.error().reason == Reason::object_missing)
    return fail(Reason::dependency_failed,
                "bytes this upload relied on were collected meanwhile; send it again");
  if (!known.ok()) return known;
  committed_ = true;
  parts_.probe.received(size);
  parts_.probe.shared(shared_bytes_);
  if (last_is_ours) parts_.probe.stored(last.table.stored_bytes());
  return known;
}

void Intake::discard() {
  for (size_t i = 0; i < made_.size(); ++i)
    if (made_[i].sealing.valid() && made_[i].id == 0) (void)wait_for_sealing(i).ok();
  for (const Made& made : made_) {
    if (made.id == 0) continue;
    auto xorb = parts_.xorbs.find(made.id);
    if (!xorb.ok()) continue;
    parts_.xorbs.forget(made.id);
    // Errors leave something behind that no file uses: the next collection finds it.
    auto discarded = parts_.database.write<bool>(
        [&](sql::Transaction& tx) -> Result<bool> { return XorbIndex::discard(tx, *xorb.value(), id_); });
    if (discarded.ok() && discarded.value())
      (void)parts_.files.remove(parts_.files.path(xorb.value()->hash, xorb.value()->generation)).ok();
  }
}

}  // namespace holdfast::content
