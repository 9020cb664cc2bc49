#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace holdfast::scan {

// SecretSearch for a text that comes in pieces: finds a secret before any of it was let through. Held back is
// the run of characters that the text ends with, up to what stands between words, as a secret has none within
// it but for the block of a private key. One thread.
class SecretWatch {
 public:
  bool take(std::string_view more);  // More of the text. True: there is a secret in it.
  bool end();                        // Nothing follows: true as above.
  // Bytes from the text's begin that are no part of a secret, whatever follows.
  size_t cleared() const { return base_ + held_from_; }

  // Longer than any form, and what is looked at of the text before what is held back.
  static constexpr size_t form_bytes_max = 2048;

 private:
  std::string window_;    // What of the text is still looked at,
  size_t base_ = 0;       // and where it begins.
  size_t held_from_ = 0;  // In the window.
};

}  // namespace holdfast::scan
