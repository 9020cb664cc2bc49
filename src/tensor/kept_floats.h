#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace holdfast::tensor {

// Numbers that a layer keeps while it lives, aligned to a cache line, not initialised. Large ones are cut
// from memory that asks for huge pages: a model's weights are then first touched, and later read, with few
// faults and few misses of the address tables. Any thread may make them. Moves; does not copy.
class KeptFloats {
 public:
  KeptFloats() = default;
  explicit KeptFloats(size_t count);
  KeptFloats(KeptFloats&&) = default;
  KeptFloats& operator=(KeptFloats&&) = default;

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  std::span<const float> span() const { return {data(), size_}; }

 private:
  std::shared_ptr<float> data_;  // Owns the block it lies in together with its neighbours.
  size_t size_ = 0;
};

}  // namespace holdfast::tensor
