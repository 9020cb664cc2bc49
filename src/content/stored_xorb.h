#pragma once

#include <memory>

#include "content/parts.h"

namespace holdfast::content {

// A xorb and its open file. Shared by the answers that send it.
struct StoredXorb {
  std::shared_ptr<const Xorb> xorb;
  std::shared_ptr<io::ReadFile> file;
};

// data_corrupt when the database names a file that is not there.
Result<StoredXorb> open_stored(Parts& parts, XorbId id);
// object_missing when there is no such xorb.
Result<StoredXorb> open_stored(Parts& parts, const XorbHash& hash);

}  // namespace holdfast::content
