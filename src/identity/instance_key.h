#pragma once

#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace holdfast::io {
class Disk;
}

namespace holdfast::identity {

// 32 random bytes as hexadecimal in data_layout::instance_key, made at first use, readable by the owner only.
// `data` is the data folder. Whoever loses the file loses all tokens; whoever leaks it and the database leaks
// no token, but can test guesses.
Result<Secret> open_instance_key(io::Disk& data, Random& random);

}  // namespace holdfast::identity
