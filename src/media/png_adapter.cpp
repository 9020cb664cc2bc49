// The only file that sees libpng, and where its longjmp ends.
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>

#include "media/image_bounds.h"
#include "media/png.h"

namespace holdfast::media {
namespace {

constexpr size_t chunk_bytes_max = 8 << 20;  // Of what libpng keeps of a text or colour chunk.

// Lives outside of the frames that longjmp leaves.
struct Reading {
  ByteView bytes;
  size_t at = 0;
  std::array<char, 200> message{};
};

void on_error(png_structp png, png_const_charp message) {
  auto* reading = static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading->message.data(), message, reading->message.size() - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep out, size_t count) {
  auto* reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (count > reading->bytes.size() - reading->at) png_error(png, "the file ends too early");
  std::memcpy(out, reading->bytes.data() + reading->at, count);
  reading->at += count;
}

// What the header and the palette say. Trivial, so that longjmp may leave it behind.
struct Header {
  png_uint_32 width = 0;
  png_uint_32 height = 0;
  int depth = 0;
  int colours = 0;
  int passes = 1;
  size_t row_bytes = 0;
  std::array<std::array<uint8_t, 3>, 256> palette{};
};

// False when libpng stopped; the message is in `reading` then.
bool read_header(png_structp png, png_infop info, Header& header) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_read_info(png, info);
  png_get_IHDR(png, info, &header.width, &header.height, &header.depth, &header.colours, nullptr, nullptr,
               nullptr);
  png_colorp colours = nullptr;
  int count = 0;
  if (png_get_PLTE(png, info, &colours, &count) != 0)
    for (int i = 0; i < std::min(count, 256); ++i)
      header.palette[static_cast<size_t>(i)] = {colours[i].red, colours[i].green, colours[i].blue};
  return true;
}

// What one row takes is known, and its memory taken, only here: after the size was looked at.
bool prepare_rows(png_structp png, png_infop info, Header& header) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_packing(png);  // One byte for each value of one, two or four bits.
  header.passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  header.row_bytes = png_get_rowbytes(png, info);
  return true;
}

struct Closer {
  png_structp png = nullptr;
  png_infop info = nullptr;
  ~Closer() { png_destroy_read_struct(&png, &info, nullptr); }
};

// One row as libpng gives it into red, green and blue.
void convert_row(const Header& header, const uint8_t* row, uint8_t* out) {
  const size_t width = header.width;
  const bool wide = header.depth == 16;  // Big-endian.
  const size_t step = wide ? 2 : 1;
  const auto grey = [&](size_t x, uint8_t value) { std::memset(out + x * 3, value, 3); };
  switch (header.colours) {
    case PNG_COLOR_TYPE_GRAY: {
      const int top = wide ? 255 : (1 << header.depth) - 1;
      for (size_t x = 0; x < width; ++x)
        grey(x, wide ? (row[x * 2] != 0 ? 255 : row[x * 2 + 1]) : static_cast<uint8_t>(row[x] * (255 / top)));
      return;
    }
    case PNG_COLOR_TYPE_PALETTE:
      for (size_t x = 0; x < width; ++x) std::memcpy(out + x * 3, header.palette[row[x]].data(), 3);
      return;
    case PNG_COLOR_TYPE_GRAY_ALPHA:
      for (size_t x = 0; x < width; ++x) grey(x, row[x * 2 * step]);
      return;
    default: {
      const size_t channels = header.colours == PNG_COLOR_TYPE_RGB_ALPHA ? 4 : 3;
      for (size_t x = 0; x < width; ++x)
        for (size_t c = 0; c < 3; ++c) out[x * 3 + c] = row[(x * channels + c) * step];
    }
  }
}

// Interlaced, `rows` is the whole picture, [H, row_bytes], which its passes fill; else one row. out: [H, W,
// 3].
bool read_rows(png_structp png, const Header& header, uint8_t* rows, uint8_t* out) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  const size_t row_step = header.passes > 1 ? header.row_bytes : 0;
  for (int pass = 0; pass < header.passes; ++pass)
    for (png_uint_32 y = 0; y < header.height; ++y) {
      png_read_row(png, rows + y * row_step, nullptr);
      if (pass + 1 == header.passes)
        convert_row(header, rows + y * row_step, out + size_t{y} * header.width * 3);
    }
  return true;
}

}  // namespace

bool looks_like_png(ByteView bytes) {
  return as_text(bytes).starts_with(std::string_view("\x89PNG\r\n\x1a\n", 8));
}

Result<Image> decode_png(ByteView bytes, size_t pixels_max) {
  Reading reading{.bytes = bytes};
  const auto broken = [&] {
    return fail(Reason::bad_request, fmt::format("the PNG cannot be read: {}", reading.message.data()));
  };
  Closer closer;
  closer.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
  if (closer.png == nullptr) return fail(Code::internal, "libpng does not start");
  closer.info = png_create_info_struct(closer.png);
  if (closer.info == nullptr) return fail(Code::internal, "libpng does not start");
  png_set_read_fn(closer.png, &reading, read_bytes);
  png_set_user_limits(closer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // Ours is on their product.
  png_set_chunk_cache_max(closer.png, 256);
  png_set_chunk_malloc_max(closer.png, chunk_bytes_max);

  Header header;
  if (!read_header(closer.png, closer.info, header)) return broken();
  TRY_DONE(check_image_size(header.width, header.height, pixels_max));
  if (!prepare_rows(closer.png, closer.info, header)) return broken();
  std::vector<uint8_t> rows(header.row_bytes * (header.passes > 1 ? header.height : 1));
  Image image{.width = header.width, .height = header.height, .pixels = {}};
  image.pixels.resize(image.width * image.height * 3);
  if (!read_rows(closer.png, header, rows.data(), image.pixels.data())) return broken();
  return image;
}

}  // namespace holdfast::media
