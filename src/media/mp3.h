#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "media/sound.h"

namespace holdfast::media {

bool looks_like_mp3(ByteView bytes);
// MPEG audio of the layers I to III, without the silence that encoders put around it where the file says how
// much.
Result<Sound> decode_mp3(ByteView bytes, const SoundLimits& limits);

}  // namespace holdfast::media
