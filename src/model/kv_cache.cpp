#include "model/kv_cache.h"

#include <algorithm>

namespace holdfast::model {

KvPool::Page KvPool::take() const {
  std::unique_ptr<tensor::Floats> page;
  {
    std::lock_guard lock(idle_->mutex);
    if (!idle_->pages.empty()) {
      page = std::move(idle_->pages.back());
      idle_->pages.pop_back();
    }
  }
  if (page == nullptr) {
    page = std::make_unique<tensor::Floats>(shape_.floats());
    // Lines past a head's width meet zeros: they must be numbers.
    std::fill_n(page->data(), page->size(), 0.0F);
  }
  return {page.release(), [idle = idle_](tensor::Floats* done) {
            std::unique_ptr<tensor::Floats> own(done);
            std::lock_guard lock(idle->mutex);
            if (idle->pages.size() < idle_max) idle->pages.push_back(std::move(own));
          }};
}

void KvCache::shorten(size_t kept) {
  if (kept >= tokens) return;
  tokens = keeps(kept);
  pages_.resize((tokens + tensor::page_tokens - 1) / tensor::page_tokens);
  if (tokens == 0) states_.reset();
}

void KvCache::reserve(const KvPool& pool, size_t more) {
  if (more == 0) return;
  if (pool.state_floats() > 0 && (states_ == nullptr || states_.use_count() > 1)) {
    auto own = std::make_shared<tensor::Floats>(pool.state_floats());
    if (states_ == nullptr)
      std::fill_n(own->data(), own->size(), 0.0F);
    else
      std::copy_n(states_->data(), own->size(), own->data());
    states_ = std::move(own);
  }
  if (tokens % tensor::page_tokens != 0) {
    KvPool::Page& last = pages_[tokens / tensor::page_tokens];
    if (last.use_count() > 1) {
      const KvPool::Page own = pool.take();
      std::copy_n(last->data(), last->size(), own->data());
      last = own;
    }
  }
  const size_t wanted = (tokens + more + tensor::page_tokens - 1) / tensor::page_tokens;
  while (pages_.size() < wanted) pages_.push_back(pool.take());
}

}  // namespace holdfast::model
