#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tensor/buffer.h"
#include "tensor/key_pages.h"

namespace holdfast::model {

// Pages for the keys and values of one model's layers; what is given back is taken again. Safe from any
// thread; pages may outlive it.
class KvPool {
 public:
  static constexpr size_t idle_max = 256;

  explicit KvPool(const tensor::PageShape& shape) : shape_(shape), idle_(std::make_shared<Idle>()) {}

  using Page = std::shared_ptr<tensor::Floats>;
  const tensor::PageShape& shape() const { return shape_; }
  Page take() const;

 private:
  struct Idle {
    std::mutex mutex;
    std::vector<std::unique_ptr<tensor::Floats>> pages;  // Guarded by mutex.
  };
  tensor::PageShape shape_;
  std::shared_ptr<Idle> idle_;
};

// Keys and values of one sequence's tokens so far, all layers of page_tokens tokens in a page. Copies share
// pages until one of them is written to, so that texts with one beginning hold it once. One thread at a time;
// copies are of different ones.
class KvCache {
 public:
  size_t tokens = 0;

  // Forgets all but the first `kept` tokens.
  void shorten(size_t kept);
  // Makes room for more tokens behind `tokens` in pages of its own.
  void reserve(const KvPool& pool, size_t more);
  size_t pages() const { return pages_.size(); }
  float* page(size_t index, size_t offset) const { return pages_[index]->data() + offset; }

 private:
  std::vector<KvPool::Page> pages_;
};

}  // namespace holdfast::model
