#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace holdfast::process {

// Owns a file descriptor. Moves, never copies; closes on destruction.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int raw) : raw_(raw) {}
  Descriptor(Descriptor&& other) noexcept : raw_(std::exchange(other.raw_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }

  int raw() const { return raw_; }
  explicit operator bool() const { return raw_ >= 0; }
  void close();
  int release() { return std::exchange(raw_, -1); }

 private:
  int raw_ = -1;
};

enum class Ready : uint8_t { read, write };

// Waits until `raw` can be read or written (or its peer is gone), in slices of at most 100 ms so that
// `deadline` on `clock` is seen. timed_out once it passed.
Status wait_ready(int raw, Ready wanted, const Clock& clock, std::chrono::milliseconds deadline);

// Reads what is there, at least a byte; 0 at the end of the stream.
Result<size_t> read_some(int raw, std::span<std::byte> into, const Clock& clock,
                         std::chrono::milliseconds deadline);
// Writes all. client_gone when the reader has closed its end.
Status write_all(int raw, ByteView bytes, const Clock& clock, std::chrono::milliseconds deadline);

}  // namespace holdfast::process
