#include "app/checkpoints.h"

#include <fmt/format.h>

namespace holdfast::app {
namespace {

constexpr std::chrono::milliseconds step{60'000};

}  // namespace

Result<std::unique_ptr<CheckpointWriter>> CheckpointWriter::open(const std::string& folder, Parts parts) {
  TRY(std::unique_ptr<io::Disk> disk, io::open_posix_disk(folder));
  return std::unique_ptr<CheckpointWriter>(new CheckpointWriter(std::move(disk), std::move(parts)));
}

Status CheckpointWriter::write_if_grown() {
  const auto now = parts_.clock.now();
  if (now < next_) return Done{};
  next_ = now + step;
  TRY(const identity::AuditCheckpoint head, parts_.audit.head(parts_.database));
  if (head.number == written_) return Done{};
  const identity::SignedCheckpoint checkpoint = parts_.key.sign(head, parts_.clock.wall());
  TRY_DONE(io::publish_text(*folder_, fmt::format("checkpoint-{:012}.json", head.number),
                            identity::checkpoint_text(checkpoint)));
  written_ = head.number;
  return Done{};
}

}  // namespace holdfast::app
