#pragma once

#include <future>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "content/block_queue.h"
#include "content/merkle_tree.h"
#include "content/packer.h"
#include "content/parts.h"

namespace holdfast::content {

// The chunking half of an ingest: cuts, names and packs chunks, finds those that are stored already, and
// writes the others into xorbs. Each full xorb is made durable by a thread of its own while the next one
// fills, and is known to the database as pending; the last one waits for `commit`. Used by one thread at a
// time. Destroyed without `commit`, it takes back all it wrote.
class Intake {
 public:
  explicit Intake(Parts& parts);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // The next bytes of the file. Overwrites them. What does not make a whole chunk is carried into the next
  // block, so this one must live until then.
  Status take(Block& block);
  // After the last block: the rest is a chunk.
  Status end();
  // Everything durable, then the file known, in one transaction.
  Result<FileInfo> commit(const Sha256Digest& sha256, uint64_t size);

  uint64_t shared_bytes() const { return shared_bytes_; }

 private:
  struct Cut {
    ByteView bytes;
    ChunkHash hash;
  };
  // A xorb that this ingest makes. It is being filled while `file` is set and `sealing` is not.
  struct Made {
    std::unique_ptr<XorbFiles::Temporary> file;
    XorbTable table;
    MerkleTree tree;
    std::future<Result<XorbId>> sealing;
    XorbId id = 0;
  };
  struct Place {
    size_t made;
    uint32_t position;
  };
  // As FileTerm; the xorb is ours when `made` is set.
  struct OpenTerm {
    std::optional<size_t> made;
    FileTerm term;
  };

  Status store(std::span<Cut> cuts);
  Result<std::vector<std::optional<ChunkPlace>>> stored_places(std::span<const Cut> cuts);
  Status keep_from_collection(std::vector<std::optional<ChunkPlace>>& places);
  Status write_chunk(const Cut& cut);
  Status seal();
  Status wait_for_sealing(size_t made);
  void add_term(std::optional<size_t> made, XorbId xorb, uint32_t position, size_t length);
  void discard();

  Parts& parts_;
  const IngestId id_;
  ChunkPacker packer_;
  MerkleTree tree_;
  ByteView carried_;
  std::vector<OpenTerm> terms_;
  std::vector<Made> made_;
  std::unordered_map<ChunkHash, Place> fresh_;  // Chunks of ours that the database does not know yet.
  std::unordered_set<XorbId> kept_;             // Others' xorbs that are safe from collection.
  uint64_t shared_bytes_ = 0;
  bool committed_ = false;
};

}  // namespace holdfast::content
