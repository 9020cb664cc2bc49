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
  tokens = kept;
  pages_.resize((kept + tensor::page_tokens - 1) / tensor::page_tokens);
}

void KvCache::reserve(const KvPool& pool, size_t more) {
  if (more == 0) return;
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
