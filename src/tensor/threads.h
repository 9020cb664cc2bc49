#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace holdfast::tensor {

// A fixed number of threads that share one loop at a time. The caller works too, and a thread that comes late
// finds nothing left instead of being waited for. Results must not depend on who runs which index. One caller
// at a time; a run within a run is done by its own thread alone.
class Threads {
 public:
  virtual ~Threads() = default;
  virtual size_t count() const = 0;  // The caller included.
  virtual void run(size_t jobs, const std::function<void(size_t index)>& job) = 0;
};
// 1 to 64 threads; one means the caller alone.
std::unique_ptr<Threads> make_threads(size_t count);

}  // namespace holdfast::tensor
