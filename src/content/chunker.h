#pragma once

#include <cstddef>

#include "base/bytes.h"

namespace holdfast::content {

// Where the Xet protocol cuts a file into chunks. A chunk has 8 to 128 KiB, the last perhaps less, and ends
// where the gear hash of the bytes before has its upper 16 bits zero.

// The length of the first chunk of `bytes`, when its end lies within them; 0 when more bytes are needed to
// tell. At the end of a file, what is left is the last chunk. Needs chunk_bytes_max bytes to be certain of an
// answer.
size_t find_cut(ByteView bytes);
// Ten clear lines: the oracle of the tests.
size_t find_cut_plain(ByteView bytes);

}  // namespace holdfast::content
