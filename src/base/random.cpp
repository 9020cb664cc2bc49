#include "base/random.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace holdfast {

uint64_t Random::u64() {
  std::array<std::byte, 8> bytes;
  fill(bytes);
  uint64_t value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

uint64_t Random::below(uint64_t bound) {
  CHECK(bound > 0);
  const uint64_t unbiased_max = UINT64_MAX - UINT64_MAX % bound;  // Above it some results would be likelier.
  uint64_t value = u64();
  while (value >= unbiased_max) value = u64();
  return value % bound;
}

std::string Random::letters(size_t length) {
  static constexpr std::string_view alphabet =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string text(length, '\0');
  for (char& c : text) c = alphabet[below(alphabet.size())];
  return text;
}

std::string Random::hex(size_t bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string raw(bytes, '\0');
  fill(std::as_writable_bytes(std::span(raw)));
  std::string text;
  text.reserve(bytes * 2);
  for (unsigned char c : raw) {
    text += digits[c >> 4];
    text += digits[c & 15];
  }
  return text;
}

namespace {

void ask_kernel(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    CHECK(got > 0);  // Linux gives this call no other way to fail; without randomness nothing here is safe.
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

// Of one thread: what the kernel gave and nobody has had yet.
struct Store {
  std::array<std::byte, 1024> bytes;
  size_t left = 0;
};

}  // namespace

void SystemRandom::fill(std::span<std::byte> bytes) {
  // Ids of requests and spans are few bytes each, and a call of the kernel costs more than they do.
  constexpr size_t small = 64;
  if (bytes.size() > small) return ask_kernel(bytes);
  thread_local Store store;
  if (store.left < bytes.size()) {
    ask_kernel(store.bytes);
    store.left = store.bytes.size();
  }
  store.left -= bytes.size();
  const auto given = std::span(store.bytes).subspan(store.left, bytes.size());
  std::copy(given.begin(), given.end(), bytes.begin());
  explicit_bzero(given.data(), given.size());  // Nobody finds a key there that was given away.
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  std::lock_guard lock(mutex_);
  while (!bytes.empty()) {
    const uint64_t value = engine_();
    const size_t count = std::min(bytes.size(), sizeof value);
    std::memcpy(bytes.data(), &value, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace holdfast
