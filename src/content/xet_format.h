#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/blake3.h"

// Constants of the Xet formats: docs/formats/xorb.md and docs/formats/shard.md.
namespace holdfast::content {

inline constexpr size_t chunk_bytes_min = 8192;  // Of all chunks but a file's last.
inline constexpr size_t chunk_bytes_max = 131072;
inline constexpr uint64_t chunk_cut_mask =
    0xFFFF'0000'0000'0000;  // Cuts where these bits of the gear hash are 0.

inline constexpr size_t xorb_bytes_max = 64 << 20;  // Of the chunks together, uncompressed.
inline constexpr size_t xorb_chunks_max = 8192;
inline constexpr size_t chunk_header_bytes = 8;
// hf_xet fills xorbs by their chunks, so the headers come on top.
inline constexpr size_t xorb_stored_bytes_max = xorb_bytes_max + xorb_chunks_max * chunk_header_bytes;
inline constexpr size_t chunk_stored_bytes_max = 262144;
inline constexpr std::string_view xorb_footer_tag = "XETBLOB";

// How a chunk's bytes lie in a xorb.
enum class Scheme : uint8_t {
  raw = 0,
  lz4 = 1,      // An LZ4 frame.
  bg4_lz4 = 2,  // Bytes grouped by their index mod 4, then an LZ4 frame: helps arrays of four-byte numbers.
};

inline constexpr size_t shard_bytes_max = 64 << 20;
inline constexpr size_t shard_entry_bytes = 48;
inline constexpr size_t shard_footer_bytes = 200;
inline constexpr uint64_t shard_version = 2;
inline constexpr uint64_t shard_footer_version = 1;
inline constexpr uint32_t shard_file_has_verification = 1U << 31;
inline constexpr uint32_t shard_file_has_metadata = 1U << 30;
inline constexpr std::array<uint8_t, 32> shard_tag = {
    'H',  'F',  'R',  'e',  'p',  'o',  'M',  'e',  't',  'a',  'D',  'a',  't',  'a',  0x00, 0x55,
    0x69, 0x67, 0x45, 0x6A, 0x7B, 0x81, 0x57, 0x83, 0xA5, 0xBD, 0xD9, 0x5C, 0xCD, 0xD1, 0x4A, 0xA9};

// A chunk may be asked for by name when the last eight bytes of its hash, as a number, divide by this.
inline constexpr uint64_t global_dedup_modulus = 1024;
inline constexpr uint64_t merkle_branching_mean = 4;
inline constexpr size_t merkle_branching_max = 9;

namespace xet_keys {
constexpr codec::Blake3Key key_of(const std::array<uint8_t, 32>& numbers) {
  codec::Blake3Key key{};
  for (size_t i = 0; i < key.size(); ++i) key[i] = std::byte{numbers[i]};
  return key;
}
inline constexpr codec::Blake3Key data =
    key_of({102, 151, 245, 119, 91,  149, 80, 222, 49,  53,  203, 172, 165, 151, 24,  28,
            157, 228, 33,  16,  155, 235, 43, 88,  180, 208, 176, 75,  147, 173, 242, 41});
inline constexpr codec::Blake3Key internal =
    key_of({1,  126, 197, 199, 165, 71,  41,  150, 253, 148, 102, 102, 180, 138, 2,   230,
            93, 221, 83,  111, 55,  199, 109, 210, 248, 99,  82,  230, 74,  83,  113, 63});
inline constexpr codec::Blake3Key verification =
    key_of({127, 24,  87, 214, 206, 86,  237, 102, 18, 127, 249, 19,  231, 165, 195, 243,
            164, 205, 38, 213, 181, 219, 73,  230, 65, 36,  152, 127, 40,  251, 148, 195});
inline constexpr codec::Blake3Key zero{};
}  // namespace xet_keys

}  // namespace holdfast::content
