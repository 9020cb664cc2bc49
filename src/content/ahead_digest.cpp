#include "content/ahead_digest.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

namespace holdfast::content {
namespace {

constexpr size_t uploaders_max = 64;
constexpr size_t links_max = 4096;  // 256 GiB of one file.
constexpr int waiting_max = 4;      // Of the disk pool's threads, whoever they wait for needs one too.
constexpr auto patience = std::chrono::milliseconds(200);

}  // namespace

struct AheadDigests::Shared {
  struct Chain {
    Uploader uploader = 0;
    std::shared_ptr<AheadLink> last;
    std::unordered_map<XorbHash, std::shared_ptr<AheadLink>> links;
  };

  std::mutex mutex;  // Guards all below and the links' states.
  std::condition_variable ended;
  int waiting = 0;
  std::list<Chain> chains;  // The last used first.

  std::list<Chain>::iterator find(Uploader uploader) {
    return std::find_if(chains.begin(), chains.end(),
                        [&](const Chain& chain) { return chain.uploader == uploader; });
  }
};

AheadDigests::AheadDigests() : shared_(std::make_shared<Shared>()) {}
AheadDigests::~AheadDigests() {
  std::list<Shared::Chain> gone;  // The links own what owns them.
  const std::lock_guard lock(shared_->mutex);
  gone.swap(shared_->chains);
}

std::shared_ptr<AheadLink> AheadDigests::begin(Uploader uploader, const XorbHash& xorb) {
  if (uploader == 0) return nullptr;
  const std::lock_guard lock(shared_->mutex);
  auto& chains = shared_->chains;
  auto chain = shared_->find(uploader);
  if (chain == chains.end()) {
    if (chains.size() == uploaders_max) chains.pop_back();
    chain = chains.emplace(chains.begin());
    chain->uploader = uploader;
  } else {
    chains.splice(chains.begin(), chains, chain);
  }
  // After a gap nothing can follow until the next file.
  if (chain->last != nullptr && chain->last->state_ == AheadLink::State::broken) return nullptr;
  if (chain->links.size() == links_max) return nullptr;
  chain->last = std::make_shared<AheadLink>(shared_, chain->last);
  chain->links.insert_or_assign(xorb, chain->last);
  return chain->last;
}

AheadDigests::Prefix AheadDigests::prefix_of(Uploader uploader, std::span<const Term> terms) const {
  Prefix prefix;
  const std::lock_guard lock(shared_->mutex);
  const auto chain = shared_->find(uploader);
  if (chain == shared_->chains.end()) return prefix;
  std::shared_ptr<AheadLink> before;
  for (const Term& term : terms) {
    const auto found = chain->links.find(term.xorb);
    if (found == chain->links.end()) break;
    const AheadLink& link = *found->second;
    if (link.state_ != AheadLink::State::ended || link.before_ != before ||
        term.chunks != ChunkRange{0, link.chunks_})
      break;
    before = found->second;
    ++prefix.terms;
  }
  if (before != nullptr) prefix.sha256 = before->sha256_.copy();
  return prefix;
}

void AheadDigests::end(Uploader uploader) {
  std::list<Shared::Chain> gone;  // Freed after the lock.
  const std::lock_guard lock(shared_->mutex);
  const auto chain = shared_->find(uploader);
  if (chain != shared_->chains.end()) gone.splice(gone.begin(), shared_->chains, chain);
}

AheadLink::AheadLink(std::shared_ptr<AheadDigests::Shared> shared, std::shared_ptr<AheadLink> before)
    : shared_(std::move(shared)), before_(std::move(before)) {}

AheadLink::~AheadLink() {
  // A long chain is let go link by link, not by recursion.
  std::shared_ptr<AheadLink> next = std::move(before_);
  while (next != nullptr && next.use_count() == 1) next = std::exchange(next->before_, nullptr);
}

void AheadLink::start() {
  std::unique_lock lock(shared_->mutex);
  if (before_ == nullptr) {
    state_ = State::hashing;
    return;
  }
  const auto settled = [this] { return before_->state_ == State::ended || before_->state_ == State::broken; };
  if (!settled() && shared_->waiting < waiting_max) {
    ++shared_->waiting;
    shared_->ended.wait_for(lock, patience, settled);
    --shared_->waiting;
  }
  if (before_->state_ == State::ended) {
    sha256_ = before_->sha256_.copy();
    state_ = State::hashing;
  } else {
    state_ = State::broken;
    shared_->ended.notify_all();
  }
}

void AheadLink::add(ByteView chunk) {
  if (state_ == State::waiting) start();
  if (state_ == State::hashing) sha256_.update(chunk);
}

void AheadLink::end(uint32_t chunks) {
  const std::lock_guard lock(shared_->mutex);
  chunks_ = chunks;
  state_ = state_ == State::hashing ? State::ended : State::broken;
  shared_->ended.notify_all();
}

void AheadLink::give_up() {
  const std::lock_guard lock(shared_->mutex);
  if (state_ == State::ended) return;
  state_ = State::broken;
  shared_->ended.notify_all();
}

}  // namespace holdfast::content
