#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::codec {

// RFC 4648: section 4 (`+/`) and section 5 (`-_`).
enum class Base64Alphabet : uint8_t { standard, url };
enum class Base64Padding : uint8_t { padded, bare };

std::string base64_encode(ByteView bytes, Base64Alphabet alphabet = Base64Alphabet::standard,
                          Base64Padding padding = Base64Padding::padded);
// Accepts text with its padding or with none at all; anything else, white space included, is bad_request. The
// unused bits of the last character are ignored, as Python and browsers do.
Result<Bytes> base64_decode(std::string_view text, Base64Alphabet alphabet = Base64Alphabet::standard);

// Decodes a text that arrives in pieces. One thread; after an error it stays in error.
class Base64Decoder {
 public:
  explicit Base64Decoder(Base64Alphabet alphabet = Base64Alphabet::standard) : alphabet_(alphabet) {}

  // Appends at most piece.size() / 4 * 3 + 3 bytes to `out`.
  Status update(std::string_view piece, Bytes& out);
  // The text ended: appends what the last characters hold.
  Status finish(Bytes& out);

 private:
  Base64Alphabet alphabet_;
  uint32_t bits_ = 0;    // The characters of the unfinished group, 6 bits each.
  uint8_t held_ = 0;     // How many of them: 0 to 3.
  uint8_t padding_ = 0;  // '=' seen; nothing but more of them may follow.
  bool failed_ = false;
};

}  // namespace holdfast::codec
