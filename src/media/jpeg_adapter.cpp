// The only file that sees libjpeg, and where its longjmp ends.
#include <cstddef>
#include <cstdio>
// jpeglib.h needs the two above.
#include <fmt/format.h>
#include <jpeglib.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdint>
#include <vector>

#include "media/image_bounds.h"
#include "media/jpeg.h"

namespace holdfast::media {
namespace {

// A progressive file may go over every pixel for each scan; encoders write about ten.
constexpr int scans_max = 500;

// Lives outside of the frames that longjmp leaves. `manager` is first: libjpeg hands back a pointer to it.
struct Failure {
  jpeg_error_mgr manager{};
  jmp_buf where{};
  std::array<char, JMSG_LENGTH_MAX> message{};
};

[[noreturn]] void leave(jpeg_common_struct* info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  std::longjmp(failure->where, 1);
}

[[noreturn]] void on_error(jpeg_common_struct* info) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  info->err->format_message(info, failure->message.data());
  leave(info);
}

[[noreturn]] void stop(jpeg_common_struct* info, const char* message) {
  auto* failure = reinterpret_cast<Failure*>(info->err);
  std::snprintf(failure->message.data(), failure->message.size(), "%s", message);
  leave(info);
}

void on_message(jpeg_common_struct*, int) {}
void on_output(jpeg_common_struct*) {}

void on_progress(jpeg_common_struct* info) {
  if (info->is_decompressor == FALSE) return;
  if (reinterpret_cast<jpeg_decompress_struct*>(info)->input_scan_number > scans_max)
    stop(info, "it has too many scans");
}

void start_source(jpeg_decompress_struct*) {}
void end_source(jpeg_decompress_struct*) {}
// All bytes were there at once. libjpeg's own source would go on with grey where they end.
boolean fill_source(jpeg_decompress_struct* info) {
  stop(reinterpret_cast<jpeg_common_struct*>(info), "the file ends too early");
}
void skip_source(jpeg_decompress_struct* info, long count) {
  if (count <= 0) return;
  if (static_cast<size_t>(count) > info->src->bytes_in_buffer) fill_source(info);
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= static_cast<size_t>(count);
}

struct Closer {
  jpeg_decompress_struct info{};
  ~Closer() { jpeg_destroy_decompress(&info); }
};

bool start(jpeg_decompress_struct& info, Failure& failure) {
  if (setjmp(failure.where) != 0) return false;
  jpeg_create_decompress(&info);
  return true;
}

bool read_header(jpeg_decompress_struct& info, Failure& failure) {
  if (setjmp(failure.where) != 0) return false;
  jpeg_read_header(&info, TRUE);
  return true;
}

// rows: [H, row_bytes].
bool read_rows(jpeg_decompress_struct& info, Failure& failure, uint8_t* rows, size_t row_bytes) {
  if (setjmp(failure.where) != 0) return false;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = rows + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  return true;  // What follows the last row is not looked at.
}

// a * b / 255 as Pillow rounds it.
int scaled(int a, int b) {
  const int t = a * b + 128;
  return ((t >> 8) + t) >> 8;
}

// Adobe's inverted colours: 255 is no ink.
void convert_cmyk(const uint8_t* row, size_t width, uint8_t* out) {
  for (size_t x = 0; x < width; ++x) {
    const int light = row[x * 4 + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int ink = 255 - row[x * 4 + c];
      out[x * 3 + c] = static_cast<uint8_t>(std::clamp(light - scaled(ink, light), 0, 255));
    }
  }
}

}  // namespace

bool looks_like_jpeg(ByteView bytes) { return as_text(bytes).starts_with("\xFF\xD8\xFF"); }

Result<Image> decode_jpeg(ByteView bytes, size_t pixels_max) {
  Failure failure;
  const auto broken = [&] {
    return fail(Reason::bad_request, fmt::format("the JPEG cannot be read: {}", failure.message.data()));
  };
  Closer closer;
  jpeg_decompress_struct& info = closer.info;
  info.err = jpeg_std_error(&failure.manager);
  failure.manager.error_exit = on_error;
  failure.manager.emit_message = on_message;
  failure.manager.output_message = on_output;
  if (!start(info, failure)) return broken();

  jpeg_source_mgr source{};
  source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  source.bytes_in_buffer = bytes.size();
  source.init_source = start_source;
  source.fill_input_buffer = fill_source;
  source.skip_input_data = skip_source;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = end_source;
  info.src = &source;
  jpeg_progress_mgr progress{};
  progress.progress_monitor = on_progress;
  info.progress = &progress;

  if (!read_header(info, failure)) return broken();
  TRY_DONE(check_image_size(info.image_width, info.image_height, pixels_max));
  const int colours = info.num_components;
  if (colours != 1 && colours != 3 && colours != 4)
    return fail(Reason::bad_request, fmt::format("the JPEG has {} colours, not 1, 3 or 4", colours));
  info.out_color_space = colours == 1 ? JCS_GRAYSCALE : colours == 3 ? JCS_RGB : JCS_CMYK;

  Image image{.width = info.image_width, .height = info.image_height, .pixels = {}};
  image.pixels.resize(image.width * image.height * 3);
  if (colours == 3) {
    if (!read_rows(info, failure, image.pixels.data(), image.width * 3)) return broken();
    return image;
  }
  const size_t row_bytes = image.width * static_cast<size_t>(colours);
  std::vector<uint8_t> rows(row_bytes * image.height);
  if (!read_rows(info, failure, rows.data(), row_bytes)) return broken();
  if (colours == 4) {
    convert_cmyk(rows.data(), image.width * image.height, image.pixels.data());
  } else {
    for (size_t i = 0; i < rows.size(); ++i) std::fill_n(image.pixels.data() + i * 3, 3, rows[i]);
  }
  return image;
}

}  // namespace holdfast::media
