#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tensor/buffer.h"
#include "tensor/key_pages.h"

namespace holdfast::model {

// Pages for the keys and values of one model's layers; what is given back is taken again. Beside them each
// text has the states of layers that carry one, `state_floats` for all of them. Safe from any thread; pages
// may outlive it.
class KvPool {
 public:
  static constexpr size_t idle_max = 256;

  explicit KvPool(const tensor::PageShape& shape, size_t state_floats = 0)
      : shape_(shape), state_floats_(state_floats), idle_(std::make_shared<Idle>()) {}

  using Page = std::shared_ptr<tensor::Floats>;
  const tensor::PageShape& shape() const { return shape_; }
  Page take() const;
  size_t state_floats() const { return state_floats_; }
  // What a text of that many tokens takes in all, in pages of page_floats().
  size_t page_floats() const { return shape_.floats() > 0 ? shape_.floats() : state_floats_; }
  size_t pages_for(size_t tokens) const {
    const size_t keys = shape_.floats() > 0 ? (tokens + tensor::page_tokens - 1) / tensor::page_tokens : 0;
    return state_floats_ > 0 ? keys + (state_floats_ + page_floats() - 1) / page_floats() : keys;
  }

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<std::unique_ptr<tensor::Floats>> pages;  // Guarded by mutex.
  };
  tensor::PageShape shape_;
  size_t state_floats_ = 0;
  std::shared_ptr<Idle> idle_;
};

// Keys and values of one sequence's tokens so far, all layers of page_tokens tokens in a page. Copies share
// pages until one of them is written to, so that texts with one beginning hold it once. A state knows no
// beginning but its own: where there are states, a cache is taken as a whole or not at all. One thread at a
// time; copies are of different ones.
class KvCache {
 public:
  size_t tokens = 0;

  // Forgets all but the first keeps(kept) tokens.
  void shorten(size_t kept);
  // How many of its first `kept` tokens it can keep without the others.
  size_t keeps(size_t kept) const {
    if (kept >= tokens) return tokens;
    return states_ != nullptr ? 0 : kept;
  }
  // Makes room for more tokens behind `tokens` in pages of its own.
  void reserve(const KvPool& pool, size_t more);
  size_t pages() const { return pages_.size(); }
  float* page(size_t index, size_t offset) const { return pages_[index]->data() + offset; }
  // After reserve: of the tokens so far.
  float* states() const { return states_->data(); }

 private:
  std::vector<KvPool::Page> pages_;
  KvPool::Page states_;  // Null where there are none.
};

}  // namespace holdfast::model
