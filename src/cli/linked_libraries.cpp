#include "cli/linked_libraries.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "base/bytes.h"
#include "codec/hex.h"

namespace holdfast::cli {
namespace {

constexpr std::array<std::string_view, 11> of_answers = {
    "libc",       "libm",     "libstdc++",  "libgcc_s",    "libboost_json", "libfmt",
    "libicudata", "libicuuc", "libpcre2-8", "libutf8proc", "libyaml-cpp"};
constexpr size_t id_digits = 12;

// The note that the linker leaves: sizes of its name and its text, its kind, "GNU" and the id.
std::string build_id(const dl_phdr_info& library) {
  for (int i = 0; i < library.dlpi_phnum; ++i) {
    const auto& part = library.dlpi_phdr[i];
    if (part.p_type != PT_NOTE) continue;
    // Mapped by the loader, for as long as the library is.
    const ByteView notes(reinterpret_cast<const std::byte*>(library.dlpi_addr + part.p_vaddr), part.p_memsz);
    const auto padded = [](size_t size) { return (size + 3) / 4 * 4; };
    for (size_t at = 0; at + sizeof(ElfW(Nhdr)) <= notes.size();) {
      ElfW(Nhdr) head;
      std::memcpy(&head, notes.data() + at, sizeof(head));
      const size_t name = at + sizeof(head), text = name + padded(head.n_namesz);
      if (text > notes.size() || head.n_descsz > notes.size() - text) break;
      if (head.n_type == NT_GNU_BUILD_ID && as_text(notes.subspan(name, head.n_namesz)).starts_with("GNU"))
        return codec::to_hex(notes.subspan(text, head.n_descsz)).substr(0, id_digits);
      at = text + padded(head.n_descsz);
    }
  }
  return "unknown";
}

int look_at(dl_phdr_info* library, size_t, void* into) {
  std::error_code error;
  const std::filesystem::path path(library->dlpi_name == nullptr ? "" : library->dlpi_name);
  const std::filesystem::path file = std::filesystem::canonical(path, error);
  const std::string linked = path.filename().string(), real = error ? linked : file.filename().string();
  const size_t end = linked.find(".so");
  if (end == std::string::npos) return 0;
  const std::string name = linked.substr(0, end);
  if (std::find(of_answers.begin(), of_answers.end(), std::string_view(name)) == of_answers.end()) return 0;
  const size_t version = real.find(".so.");
  (*static_cast<std::map<std::string, std::string>*>(into))[name] = fmt::format(
      "{} {}", version == std::string::npos ? "unknown" : real.substr(version + 4), build_id(*library));
  return 0;
}

}  // namespace

std::map<std::string, std::string> linked_libraries() {
  std::map<std::string, std::string> out;
  ::dl_iterate_phdr(look_at, &out);
  return out;
}

}  // namespace holdfast::cli
