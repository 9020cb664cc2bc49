#pragma once

#include <fmt/format.h>

#include <cstddef>

#include "base/result.h"

namespace holdfast::media {

// What a header says of the size, before any memory is taken for it.
inline Status check_image_size(size_t width, size_t height, size_t pixels_max) {
  if (width == 0 || height == 0) return fail(Reason::bad_request, "the image has no pixels");
  if (height > pixels_max / width)
    return fail(Reason::body_too_large,
                fmt::format("the image is {} by {}, at most {} pixels are read", width, height, pixels_max));
  return Done{};
}

}  // namespace holdfast::media
