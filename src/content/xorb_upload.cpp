#include "base/check.h"
#include "content/parts.h"
#include "content/probe.h"
#include "content/xorb.h"

namespace holdfast::content {
namespace {

class CheckedXorbUpload final : public XorbUpload {
 public:
  CheckedXorbUpload(Parts& parts, const XorbHash& hash, std::unique_ptr<XorbFiles::Temporary> file,
                    std::shared_ptr<AheadLink> ahead)
      : parts_(parts), hash_(hash), file_(std::move(file)), ahead_(std::move(ahead)) {}
  ~CheckedXorbUpload() override {
    if (ahead_ != nullptr) ahead_->give_up();
  }

  Status write(ByteView bytes) override {
    TRY_DONE(parser_.write(bytes));
    return file_->file().append(bytes);
  }

  Result<Inserted> finish() override {
    NewXorb xorb{.hash = hash_, .generation = {}, .table = {}};
    TRY(xorb.table, parser_.finish(hash_));
    if (ahead_ != nullptr) ahead_->end(static_cast<uint32_t>(xorb.table.size()));
    const uint64_t stored = xorb.table.stored_bytes();
    TRY(const bool there, already_there());
    if (there) return Inserted::already_there;
    if (file_->file().size() != stored) TRY_DONE(file_->file().truncate(stored));  // Off with the footer.
    TRY_DONE(file_->file().sync());
    TRY(xorb.generation, file_->publish(hash_));
    auto added = parts_.database.write<XorbIndex::Added>(
        [&](sql::Transaction& tx) { return XorbIndex::add(tx, xorb, 0, parts_.now()); });
    const bool ours = added.ok() && added.value().ours;
    if (!ours) (void)parts_.files.remove(parts_.files.path(hash_, xorb.generation)).ok();
    if (!added.ok()) return std::move(added).error();
    if (ours) parts_.probe.stored(stored);
    return ours ? Inserted::now : Inserted::already_there;
  }

 private:
  // Then it also stays for another grace.
  Result<bool> already_there() {
    auto known = parts_.xorbs.find(hash_);
    if (!known.ok() && known.error().code == Code::not_found) return false;
    if (!known.ok()) return std::move(known).error();
    return parts_.database.write<bool>(
        [&](sql::Transaction& tx) { return XorbIndex::touch(tx, known.value()->id, parts_.now()); });
  }

  Parts& parts_;
  const XorbHash hash_;
  std::unique_ptr<XorbFiles::Temporary> file_;
  const std::shared_ptr<AheadLink> ahead_;  // May be null.
  XorbParser parser_{[this](ByteView chunk) {
    if (ahead_ != nullptr) ahead_->add(chunk);
  }};
};

}  // namespace

Result<std::unique_ptr<XorbUpload>> begin_xorb_upload(Parts& parts, const XorbHash& xorb, Uploader uploader) {
  TRY(auto file, parts.files.create());
  return std::unique_ptr<XorbUpload>(
      std::make_unique<CheckedXorbUpload>(parts, xorb, std::move(file), parts.ahead.begin(uploader, xorb)));
}

}  // namespace holdfast::content
