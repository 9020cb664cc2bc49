#include <cstddef>
#include <cstdint>

#include "api/commit_lines.h"

namespace {

using namespace holdfast;

// Takes every operation and keeps none.
class NoDraft final : public repo::CommitDraft {
 public:
  Status put_file(std::string_view, ByteView) override { return Done{}; }
  Status put_large(std::string_view, const content::Sha256Digest&, std::optional<uint64_t>) override {
    return Done{};
  }
  Status copy(std::string_view, std::string_view, std::string_view) override { return Done{}; }
  Status delete_file(std::string_view) override { return Done{}; }
  Status delete_folder(std::string_view) override { return Done{}; }
  Result<repo::CommitDone> finish(const repo::CommitTarget&) override { return repo::CommitDone{}; }
};

}  // namespace

// The first byte says into pieces of which size the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = static_cast<size_t>(data[0]) + 1;
  NoDraft draft;
  api::CommitLines lines(draft);
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, step);
    if (!lines.update(piece).ok()) return 0;
    text.remove_prefix(piece.size());
  }
  (void)lines.finish().ok();
  return 0;
}
