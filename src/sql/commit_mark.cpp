#include "sql/commit_mark.h"

#include "sql/sqlite_connection.h"

namespace holdfast::sql {

CommitMark::CommitMark(Open open) : open_(std::move(open)) {}
CommitMark::~CommitMark() = default;

std::optional<uint64_t> CommitMark::now() {
  const auto fresh = [this] {
    const auto at = looked_at_.load();
    return at.count() >= 0 && ticks_.now() - at < commits_seen_within;
  };
  if (!fresh()) {
    const std::lock_guard lock(mutex_);
    if (!fresh()) {
      const auto began = ticks_.now();
      const auto version = look();
      if (version && version_ != version) others_.fetch_add(1);
      if (version) version_ = version;
      readable_ = version.has_value();
      looked_at_ = began;
    }
  }
  if (!readable_) return std::nullopt;
  return own_.load() + others_.load();  // Both only grow, so that the sum is another once one of them is.
}

// SQLite's own number: of one connection, another one after every commit of all others.
std::optional<int64_t> CommitMark::look() {
  if (connection_ == nullptr) {
    auto opened = open_();
    if (!opened.ok()) return std::nullopt;
    connection_ = std::move(opened).value();
  }
  std::optional<int64_t> version;
  const Status read = connection_->query("PRAGMA data_version", {}, [&](const Row& row) {
    version = row.integer(0);
    return false;
  });
  if (read.ok() && version) return version;
  connection_.reset();
  return std::nullopt;
}

}  // namespace holdfast::sql
