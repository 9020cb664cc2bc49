#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstring>

namespace holdfast::net {
namespace {

struct Block {
  uint32_t base;
  int prefix_bits;
};
constexpr uint32_t v4(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr Block special[] = {
    {v4(0, 0, 0, 0), 8},      {v4(10, 0, 0, 0), 8},     {v4(100, 64, 0, 0), 10}, {v4(127, 0, 0, 0), 8},
    {v4(169, 254, 0, 0), 16}, {v4(172, 16, 0, 0), 12},  {v4(192, 0, 0, 0), 24},  {v4(192, 0, 2, 0), 24},
    {v4(192, 88, 99, 0), 24}, {v4(192, 168, 0, 0), 16}, {v4(198, 18, 0, 0), 15}, {v4(198, 51, 100, 0), 24},
    {v4(203, 0, 113, 0), 24}, {v4(224, 0, 0, 0), 4},    {v4(240, 0, 0, 0), 4},
};

bool is_public_v4(uint32_t address) {
  for (const Block& block : special)
    if ((address ^ block.base) >> (32 - block.prefix_bits) == 0) return false;
  return true;
}

uint32_t v4_at(const uint8_t* bytes) { return v4(bytes[0], bytes[1], bytes[2], bytes[3]); }

bool is_public_v6(const uint8_t* bytes) {
  static constexpr uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(bytes, mapped, 12) == 0 || std::memcmp(bytes, nat64, 12) == 0)
    return is_public_v4(v4_at(bytes + 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public_v4(v4_at(bytes + 2));  // 6to4
  if ((bytes[0] & 0xe0) != 0x20) return false;  // Only 2000::/3 is handed out.
  if (bytes[0] == 0x20 && bytes[1] == 0x01) {
    if (bytes[2] < 0x02) return false;                       // 2001::/23: Teredo, benchmarking, ORCHID.
    if (bytes[2] == 0x0d && bytes[3] == 0xb8) return false;  // Documentation.
  }
  return !(bytes[0] == 0x3f && bytes[1] == 0xff && bytes[2] < 0x10);  // 3fff::/20: documentation.
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in copy;
    std::memcpy(&copy, &address, sizeof copy);
    return is_public_v4(ntohl(copy.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 copy;
    std::memcpy(&copy, &address, sizeof copy);
    return is_public_v6(copy.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace holdfast::net
