#include "cli/image_program.h"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace holdfast::cli {
namespace {

int note(dl_phdr_info* object, size_t, void* into) {
  auto& out = *static_cast<LoadedProgram*>(into);
  const std::string_view name(object->dlpi_name == nullptr ? "" : object->dlpi_name);
  // Ours comes first, without a name, and names its loader; what the kernel maps has no path.
  if (name.empty() && out.loader.empty()) {
    for (int i = 0; i < object->dlpi_phnum; ++i)
      if (object->dlpi_phdr[i].p_type == PT_INTERP)
        out.loader = reinterpret_cast<const char*>(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
  } else if (name.starts_with('/')) {
    out.libraries.emplace_back(name);
  }
  return 0;
}

std::string file_name(const std::string& path) { return io::Path(path).filename().string(); }
std::string below_root(const io::Path& path) { return path.lexically_normal().relative_path().string(); }

// glibc's own folders, and those of a distribution with folders by architecture, where its C library lies.
bool is_looked_in(const io::Path& folder, const io::Path& of_libc) {
  constexpr std::array usual = {"/lib", "/usr/lib", "/lib64", "/usr/lib64"};
  return std::find(usual.begin(), usual.end(), folder.string()) != usual.end() || folder == of_libc ||
         folder.string() == "/usr" + of_libc.string() || "/usr" + folder.string() == of_libc.string();
}

ImageFile folder(std::string path, uint32_t mode, uint32_t owner) {
  return {.path = std::move(path), .kind = ImageFile::Kind::folder, .mode = mode, .owner = owner};
}

}  // namespace

Result<LoadedProgram> loaded_program() {
  LoadedProgram out;
  std::error_code error;
  out.program = std::filesystem::read_symlink("/proc/self/exe", error).string();
  ::dl_iterate_phdr(note, &out);
  std::erase_if(out.libraries,
                [&](const std::string& path) { return file_name(path) == file_name(out.loader); });
  for (const std::string& path : out.libraries)
    if (file_name(path).starts_with("libc.so.")) out.libc = path;
  if (error || out.program.empty() || out.loader.empty() || out.libc.empty())
    return fail(Code::internal, "this program does not find its own files: an image needs glibc and /proc");
  return out;
}

std::vector<ImageFile> program_files(const LoadedProgram& loaded) {
  const io::Path of_libc = io::Path(loaded.libc).parent_path();
  const auto copied = [](std::string path, const std::string& source) {
    return ImageFile{
        .path = std::move(path), .kind = ImageFile::Kind::copied, .source = below_root(source), .mode = 0755};
  };
  std::vector<ImageFile> out = {copied(std::string(image_program.substr(1)), loaded.program),
                                copied(below_root(loaded.loader), loaded.loader)};
  for (const std::string& path : loaded.libraries) {
    io::Path place(path);
    if (!is_looked_in(place.parent_path(), of_libc)) place = of_libc / place.filename();
    // A library's version is the name of its file, which the name that programs know is a link to.
    std::error_code error;
    const io::Path real = std::filesystem::canonical(path, error).filename();
    const io::Path file = error || real.empty() ? place : place.parent_path() / real;
    out.push_back(copied(below_root(file), path));
    if (file != place)
      out.push_back({.path = below_root(place),
                     .kind = ImageFile::Kind::link,
                     .text = file.filename().string(),
                     .mode = 0777});
  }
  out.push_back(
      {.path = "etc/passwd",
       .text = fmt::format("root:x:0:0:root:/:/sbin/nologin\nholdfast:x:{0}:{0}::{1}:/sbin/nologin\n",
                           image_user, image_data)});
  out.push_back({.path = "etc/group", .text = fmt::format("root:x:0:\nholdfast:x:{}:\n", image_user)});
  out.push_back({.path = "etc/nsswitch.conf", .text = "hosts: files dns\n"});
  // Where runtimes mount what the kernel tells.
  for (const char* place : {"dev", "proc", "sys"}) out.push_back(folder(place, 0755, 0));
  out.push_back(folder("tmp", 01777, 0));
  out.push_back(folder(std::string(image_data.substr(1)), 0700, image_user));
  return out;
}

}  // namespace holdfast::cli
