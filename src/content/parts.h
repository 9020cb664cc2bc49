#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "content/ahead_digest.h"
#include "content/file_index.h"
#include "content/store.h"
#include "content/xorb_files.h"
#include "content/xorb_index.h"

namespace holdfast::content {

class Probe;

// What the store's own classes share; the store owns it.
struct Parts {
  StoreOptions options;
  sql::Database& database;
  const Clock& clock;
  Random& random;
  XorbFiles files;
  XorbIndex xorbs;
  FileIndex file_index;
  Probe& probe;
  AheadDigests ahead{};

  int64_t now() const { return clock.wall().time_since_epoch().count(); }
};

// The store's halves, each in its own file.
Result<std::unique_ptr<Ingest>> begin_ingest(Parts& parts);
Result<std::unique_ptr<XorbUpload>> begin_xorb_upload(Parts& parts, const XorbHash& xorb, Uploader uploader);
Result<std::unique_ptr<Reader>> make_reader(Parts& parts, StoredFile file);
Result<std::vector<FileInfo>> register_shard(Parts& parts, ByteView shard, const MayUse& may_use,
                                             Uploader uploader);
Result<Reconstruction> reconstruct(Parts& parts, const FileHash& file, std::optional<ByteSpan> range);
Result<Bytes> answer_dedup(Parts& parts, const ChunkHash& chunk, const MayUse& may_use);
Result<Collected> collect_garbage(Parts& parts, std::chrono::milliseconds grace,
                                  const Store::IsLive& is_live);
Result<Checked> check_everything(Parts& parts);

}  // namespace holdfast::content
