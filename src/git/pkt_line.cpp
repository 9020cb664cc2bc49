#include "git/pkt_line.h"

#include "base/check.h"

namespace holdfast::git {

namespace {

int digit(std::byte raw) {
  const char c = static_cast<char>(raw);
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Pkt::text() const {
  std::string_view text = payload;
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

Result<std::optional<Pkt>> take_pkt(ByteView& bytes) {
  if (bytes.size() < 4) return std::optional<Pkt>();
  size_t length = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int value = digit(bytes[i]);
    if (value < 0) return fail(Code::corrupt, "a packet's length is not hexadecimal");
    length = length * 16 + static_cast<size_t>(value);
  }
  if (length == 3 || length > pkt_payload_bytes_max + 4)
    return fail(Code::corrupt, "a packet's length is impossible");
  if (length < 3) {
    bytes = bytes.subspan(4);
    return std::optional(Pkt{.kind = static_cast<PktKind>(length + 1)});
  }
  if (bytes.size() < length) return std::optional<Pkt>();
  Pkt pkt{.payload = std::string(as_text(bytes.subspan(4, length - 4)))};
  bytes = bytes.subspan(length);
  return std::optional(std::move(pkt));
}

std::string format_pkt(std::string_view payload) {
  CHECK(payload.size() <= pkt_payload_bytes_max);
  constexpr char digits[] = "0123456789abcdef";
  const size_t length = payload.size() + 4;
  std::string out{digits[length >> 12 & 15], digits[length >> 8 & 15], digits[length >> 4 & 15],
                  digits[length & 15]};
  return out += payload;
}

}  // namespace holdfast::git
