#include "media/orientation.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "media/jpeg.h"
#include "media/png.h"
#include "media/webp.h"

namespace holdfast::media {
namespace {

constexpr uint32_t orientation_tag = 0x0112;
constexpr std::string_view exif_prefix("Exif\0\0", 6);
constexpr std::string_view xmp_prefix("http://ns.adobe.com/xap/1.0/\0", 29);

// Numbers in either order of bytes; nullopt past the end.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool big) : bytes_(bytes), big_(big) {}

  std::optional<uint32_t> at(size_t offset, size_t width) const {
    if (offset > bytes_.size() || width > bytes_.size() - offset) return {};
    uint32_t value = 0;
    for (size_t i = 0; i < width; ++i) {
      const size_t from = offset + (big_ ? i : width - 1 - i);
      value = value << 8 | static_cast<uint8_t>(bytes_[from]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool big_;
};

// Of the first directory of a TIFF header.
std::optional<uint8_t> of_tiff(std::string_view tiff) {
  if (tiff.starts_with(exif_prefix)) tiff.remove_prefix(exif_prefix.size());
  const bool big = tiff.starts_with(std::string_view("MM\0*", 4));
  if (!big && !tiff.starts_with(std::string_view("II*\0", 4))) return {};
  const Numbers numbers(tiff, big);
  const auto directory = numbers.at(4, 4);
  if (!directory) return {};
  const auto entries = numbers.at(*directory, 2);
  for (uint32_t i = 0; entries && i < *entries; ++i) {
    const size_t entry = size_t{*directory} + 2 + size_t{i} * 12;
    const auto tag = numbers.at(entry, 2);
    if (!tag) return {};
    if (*tag != orientation_tag) continue;
    const auto type = numbers.at(entry + 2, 2);
    const auto value = numbers.at(entry + 8, type == 3U ? 2 : 4);
    if (!value || (type != 3U && type != 4U)) return {};
    return static_cast<uint8_t>(std::min<uint32_t>(*value, 255));
  }
  return {};
}

// tiff:Orientation="6" or tiff:Orientation>6
std::optional<uint8_t> of_xmp(std::string_view xmp) {
  constexpr std::string_view name = "tiff:Orientation";
  for (size_t at = xmp.find(name); at != std::string_view::npos; at = xmp.find(name, at + 1)) {
    std::string_view rest = xmp.substr(at + name.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') return static_cast<uint8_t>(rest[0] - '0');
  }
  return {};
}

struct Found {
  std::optional<uint8_t> exif;
  std::optional<uint8_t> xmp;
};

Found in_jpeg(std::string_view file) {
  Found found;
  const Numbers numbers(file, true);
  size_t at = 2;
  while (true) {
    const auto marker = numbers.at(at, 2);
    if (marker == 0xFFFFU) {  // Filling between markers.
      ++at;
      continue;
    }
    const auto length = numbers.at(at + 2, 2);
    if (!marker || !length || *marker < 0xFF01 || *marker == 0xFFDA || *length < 2) return found;
    const size_t end = at + 2 + *length;
    if (end > file.size()) return found;
    const std::string_view body = file.substr(at + 4, *length - 2);
    if (*marker == 0xFFE1 && body.starts_with(exif_prefix) && !found.exif) found.exif = of_tiff(body);
    if (*marker == 0xFFE1 && body.starts_with(xmp_prefix) && !found.xmp)
      found.xmp = of_xmp(body.substr(xmp_prefix.size()));
    at = end;
  }
}

Found in_png(std::string_view file) {
  Found found;
  const Numbers numbers(file, true);
  for (size_t at = 8;;) {
    const auto length = numbers.at(at, 4);
    if (!length || at + 12 > file.size() || *length > file.size() - at - 12) return found;
    const std::string_view name = file.substr(at + 4, 4);
    const std::string_view body = file.substr(at + 8, *length);
    if (name == "eXIf") found.exif = of_tiff(body);
    if (name == "iTXt" && body.starts_with(std::string_view("XML:com.adobe.xmp\0", 18)))
      found.xmp = of_xmp(body);
    at += 12 + size_t{*length};
  }
}

Found in_webp(std::string_view file) {
  Found found;
  const Numbers numbers(file, false);
  for (size_t at = 12;;) {
    const auto length = numbers.at(at + 4, 4);
    if (!length || *length > file.size() - at - 8) return found;
    const std::string_view name = file.substr(at, 4);
    const std::string_view body = file.substr(at + 8, *length);
    if (name == "EXIF" && !found.exif) found.exif = of_tiff(body);
    if (name == "XMP " && !found.xmp) found.xmp = of_xmp(body);
    at += 8 + size_t{*length} + (*length & 1);
  }
}

}  // namespace

uint8_t orientation(ByteView file) {
  const std::string_view text = as_text(file);
  const Found found = looks_like_jpeg(file)   ? in_jpeg(text)
                      : looks_like_png(file)  ? in_png(text)
                      : looks_like_webp(file) ? in_webp(text)
                                              : Found{};
  const uint8_t value = found.exif.value_or(found.xmp.value_or(1));
  return value >= 1 && value <= 8 ? value : 1;
}

Image turned(Image image, uint8_t orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swapped = orientation >= 5;  // Rows become columns.
  const size_t width = swapped ? image.height : image.width;
  const size_t height = swapped ? image.width : image.height;
  // From where in the source the pixel at (x, y) comes: mirrored across, mirrored down.
  const bool across = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool down = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image out{.width = width, .height = height, .pixels = std::vector<uint8_t>(image.pixels.size())};
  for (size_t y = 0; y < height; ++y)
    for (size_t x = 0; x < width; ++x) {
      size_t from_x = swapped ? y : x;
      size_t from_y = swapped ? x : y;
      if (across) from_x = image.width - 1 - from_x;
      if (down) from_y = image.height - 1 - from_y;
      std::copy_n(image.pixels.data() + (from_y * image.width + from_x) * 3, 3,
                  out.pixels.data() + (y * width + x) * 3);
    }
  return out;
}

}  // namespace holdfast::media
