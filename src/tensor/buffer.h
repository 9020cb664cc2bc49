#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace holdfast::tensor {

// Floats it owns, aligned to a cache line, not initialised. Moves; does not copy.
class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t count)
      : data_(static_cast<float*>(::operator new[](count * sizeof(float), alignment))), size_(count) {}

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  std::span<float> span() { return {data(), size_}; }
  std::span<const float> span() const { return {data(), size_}; }

 private:
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* data) const { ::operator delete[](data, alignment); }
  };
  std::unique_ptr<float[], Free> data_;
  size_t size_ = 0;
};

}  // namespace holdfast::tensor
