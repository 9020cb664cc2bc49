#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <span>
#include <string>

namespace holdfast {

// Randomness as the program sees it. Safe from any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  uint64_t u64();
  // Uniform in [0, bound); bound > 0.
  uint64_t below(uint64_t bound);
  // `length` characters of [a-zA-Z0-9]: 5.95 bits each.
  std::string letters(size_t length);
  // `bytes` random bytes as lower-case hexadecimal: 32 digits for a trace id are hex(16).
  std::string hex(size_t bytes);
};

// The kernel's generator, fit for keys and tokens.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

// For tests and simulation: the same seed gives the same bytes. Never for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : engine_(seed) {}
  void fill(std::span<std::byte> bytes) override;

 private:
  std::mutex mutex_;  // Guards engine_.
  std::mt19937_64 engine_;
};

}  // namespace holdfast
