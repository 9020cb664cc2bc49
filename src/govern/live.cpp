#include "govern/live.h"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "codec/json.h"
#include "codec/sha256.h"
#include "govern/decisions.h"
#include "sql/database.h"

namespace holdfast::govern {

const Release* Governed::in(ReleaseState state) const {
  for (const Release& release : releases)
    if (release.state == state) return &release;
  return nullptr;
}

const Release* Governed::of_revision(std::string_view commit) const {
  for (const Release& release : releases)
    if (release.revision == commit) return &release;
  return nullptr;
}

std::vector<const Governed*> LiveSnapshot::of_repository(int64_t repository) const {
  std::vector<const Governed*> found;
  const auto [first, last] = by_repository.equal_range(repository);
  for (auto at = first; at != last; ++at) found.push_back(&records[at->second]);
  return found;
}

const Governed* LiveSnapshot::named(std::string_view record) const {
  for (const Governed& governed : records)
    if (governed.stored.record.id == record) return &governed;
  return nullptr;
}

namespace {

Status read_judged_on(sql::Transaction& tx, Governed& governed) {
  for (const Release& release : governed.releases) {
    if (!may_serve(release.state)) continue;
    TRY_DONE(
        tx.query("SELECT body FROM govern_evidence WHERE record = ? AND release = ? AND kind = 'evaluation' "
                 "ORDER BY id DESC",
                 {release.record, release.number}, [&](const sql::Row& row) {
                   const auto body = codec::parse_json_object(row.text(0));
                   if (!body.ok()) return true;
                   const auto dataset = codec::json_text(body.value(), "dataset");
                   const auto revision = codec::json_text(body.value(), "dataset_revision");
                   if (dataset.ok() && revision.ok())
                     governed.judged_on.push_back(
                         {release.number, std::string(dataset.value()), std::string(revision.value())});
                   return true;
                 }));
  }
  return Done{};
}

}  // namespace

Result<std::shared_ptr<const LiveSnapshot>> LiveReleases::look() {
  TRY(const int64_t generation,
      generation_.get(0, [this] { return database_.read<int64_t>(read_generation); }));
  {
    std::lock_guard lock(mutex_);
    if (snapshot_ && snapshot_->generation == generation) return snapshot_;
  }
  auto fresh = std::make_shared<LiveSnapshot>();
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    *fresh = LiveSnapshot{};
    TRY(fresh->generation, read_generation(tx));
    TRY(std::vector<StoredRecord> records, all_records(tx));
    for (StoredRecord& stored : records) {
      Governed governed;
      TRY(governed.releases, releases_of(tx, stored.record.id));
      governed.stored = std::move(stored);
      TRY_DONE(read_judged_on(tx, governed));
      fresh->by_repository.emplace(governed.stored.repository, fresh->records.size());
      fresh->records.push_back(std::move(governed));
    }
    return Done{};
  }));
  std::lock_guard lock(mutex_);
  if (!snapshot_ || snapshot_->generation < fresh->generation) snapshot_ = fresh;
  return std::shared_ptr<const LiveSnapshot>(std::move(fresh));
}

bool takes_canary(std::string_view record, std::string_view key, double percent) {
  codec::Sha256 hash;
  hash.update(as_bytes(record));
  hash.update(as_bytes(std::string_view("\0", 1)));
  hash.update(as_bytes(key));
  const auto digest = hash.finish();
  uint64_t number = 0;
  for (size_t i = 0; i < sizeof number; ++i) number = number << 8U | static_cast<uint64_t>(digest[i]);
  return std::ldexp(static_cast<double>(number >> 11U), -53) * 100 < percent;
}

}  // namespace holdfast::govern
