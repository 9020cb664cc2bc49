#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "git/attributes.h"
#include "git/ignore.h"

using namespace holdfast;

// The first line is a path, the rest a .gitattributes and a .gitignore file: neither may crash or run away.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const std::string_view path = text.substr(0, std::min<size_t>(text.find('\n'), 1024));
  const std::string_view rules = text.substr(std::min(text.size(), path.size() + 1)).substr(0, 4096);
  git::LfsAttributes attributes;
  if (attributes.add("", rules).ok() && attributes.add("a/b", rules).ok()) (void)attributes.is_lfs(path);
  const auto ignore = git::IgnoreRules::parse(rules);
  if (ignore.ok()) (void)ignore.value().ignores(path);
  return 0;
}
