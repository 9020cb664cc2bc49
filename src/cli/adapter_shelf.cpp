#include "cli/adapter_shelf.h"

#include <algorithm>

#include "io/disk.h"
#include "model/adapter.h"

namespace holdfast::cli {

Result<AdapterShelf::Generator> AdapterShelf::find(std::string_view folder) {
  if (folder.empty()) return base_;
  const auto known = std::ranges::find(held_, folder, &Held::folder);
  if (known != held_.end()) {
    held_.splice(held_.begin(), held_, known);
    return held_.front().generator;
  }
  TRY(const std::unique_ptr<io::Disk> disk, io::open_posix_disk(folder));
  TRY(model::TextGenerator opened, base_->with_adapter(*disk, ""));
  held_.push_front({std::string(folder), std::make_shared<const model::TextGenerator>(std::move(opened))});
  size_t bytes = 0;
  for (const Held& each : held_) bytes += each.generator->adapter()->bytes();
  while (held_.size() > 1 && (held_.size() > adapters_max || bytes > bytes_max)) {
    bytes -= held_.back().generator->adapter()->bytes();
    held_.pop_back();
  }
  return held_.front().generator;
}

}  // namespace holdfast::cli
