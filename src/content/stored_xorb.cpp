#include "content/stored_xorb.h"

namespace holdfast::content {

Result<StoredXorb> open_stored(Parts& parts, XorbId id) {
  for (int attempt = 0;; ++attempt) {
    TRY(auto xorb, parts.xorbs.find(id));
    auto file = parts.files.open(xorb->hash, xorb->generation);
    if (file.ok()) return StoredXorb{std::move(xorb), std::move(file).value()};
    if (file.error().code != Code::not_found) return std::move(file).error();
    if (attempt > 0) return fail(Reason::data_corrupt, "a stored xorb has lost its file");
    parts.xorbs.forget(id);  // It may lie elsewhere since we looked.
  }
}

Result<StoredXorb> open_stored(Parts& parts, const XorbHash& hash) {
  TRY(const auto xorb, parts.xorbs.find(hash));
  return open_stored(parts, xorb->id);
}

}  // namespace holdfast::content
