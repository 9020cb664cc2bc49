#include "page/assets.h"

#include <algorithm>

namespace holdfast::page {

const Asset* find_asset(std::string_view path) {
  const auto all = assets();
  const auto found = std::ranges::lower_bound(all, path, {}, &Asset::path);
  return found == all.end() || found->path != path ? nullptr : &*found;
}

}  // namespace holdfast::page
