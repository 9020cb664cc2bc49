#pragma once

#include <span>
#include <string_view>

namespace holdfast::page {

// One file of the built front end. Views are of the program itself.
struct Asset {
  std::string_view path;  // "index.html", "a/app-3f2c.js"
  std::string_view media_type;
  std::string_view etag;  // Of the bytes as they are sent without encoding; without quotes.
  std::string_view bytes;
  bool gzipped = false;  // `bytes` are a gzip stream: text, which browsers take so.
  bool hashed = false;   // The name changes with the bytes.
};

// Sorted by path; written at build time by tools/embed_assets.py.
std::span<const Asset> assets();
// Null when there is none of that path.
const Asset* find_asset(std::string_view path);

}  // namespace holdfast::page
