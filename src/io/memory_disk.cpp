#include "io/memory_disk.h"

#include <cerrno>
#include <cstring>
#include <mutex>

#include "io/disk_path.h"
#include "io/memory_tree.h"
#include "io/posix_file.h"

namespace holdfast::io {
namespace {

using Node = std::shared_ptr<MemoryNode>;
constexpr uint64_t pretended_free_bytes = 1ULL << 40;

// Guards every node of one disk; shared by the disk and its open files, whichever goes last.
using Lock = std::shared_ptr<std::mutex>;

class MemoryReadFile final : public ReadFile {
 public:
  MemoryReadFile(Node node, Lock lock) : node_(std::move(node)), lock_(std::move(lock)) {}

  Result<uint64_t> size() const override {
    std::lock_guard guard(*lock_);
    return node_->bytes.size();
  }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    std::lock_guard guard(*lock_);
    const Bytes& bytes = node_->bytes;
    if (offset >= bytes.size()) return size_t{0};
    const size_t count = std::min<size_t>(into.size(), bytes.size() - offset);
    if (count > 0) std::memcpy(into.data(), bytes.data() + offset, count);
    return count;
  }
  int descriptor() const override { return -1; }

 private:
  Node node_;
  Lock lock_;
};

class MemoryWriteFile final : public WriteFile {
 public:
  MemoryWriteFile(Node node, Lock lock) : node_(std::move(node)), lock_(std::move(lock)) {
    std::lock_guard guard(*lock_);
    size_ = node_->bytes.size();
  }

  Status append(ByteView bytes) override { return write_at(size_, bytes); }
  Status write_at(uint64_t offset, ByteView bytes) override {
    if (bytes.empty()) return Done{};
    std::lock_guard guard(*lock_);
    node_->bytes.resize(std::max<size_t>(node_->bytes.size(), offset + bytes.size()));
    std::memcpy(node_->bytes.data() + offset, bytes.data(), bytes.size());
    size_ = std::max(size_, offset + bytes.size());
    return Done{};
  }
  Status truncate(uint64_t size) override {
    std::lock_guard guard(*lock_);
    node_->bytes.resize(size);
    size_ = size;
    return Done{};
  }
  Status sync() override {
    std::lock_guard guard(*lock_);
    node_->durable_bytes = node_->bytes;
    return Done{};
  }
  uint64_t size() const override { return size_; }

 private:
  Node node_;
  Lock lock_;
  uint64_t size_ = 0;
};

class MemoryMappedFile final : public MappedFile {
 public:
  explicit MemoryMappedFile(Bytes bytes) : bytes_(std::move(bytes)) {}
  ByteView bytes() const override { return bytes_; }

 private:
  Bytes bytes_;
};

// A folder and a name in it.
struct Place {
  Node folder;
  std::string name;
};

Node make_node(bool is_directory) {
  auto node = std::make_shared<MemoryNode>();
  node->is_directory = is_directory;
  return node;
}

class TreeDisk final : public MemoryDisk {
 public:
  Result<std::unique_ptr<ReadFile>> open(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(Node node, file_at(path, "open"));
    return std::unique_ptr<ReadFile>(std::make_unique<MemoryReadFile>(std::move(node), lock_));
  }

  Result<std::unique_ptr<MappedFile>> map(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Node node, file_at(path, "open"));
    return std::unique_ptr<MappedFile>(std::make_unique<MemoryMappedFile>(node->bytes));
  }

  Result<std::unique_ptr<WriteFile>> create(const Path& path) override {
    return open_to_write(path, Existing::refused);
  }
  Result<std::unique_ptr<WriteFile>> open_append(const Path& path) override {
    return open_to_write(path, Existing::appended);
  }

  Status rename(const Path& from, const Path& to) override {
    std::lock_guard guard(*lock_);
    TRY(const Place source, place_of(from, "rename"));
    TRY(const Place target, place_of(to, "rename"));
    const auto found = source.folder->names.find(source.name);
    if (found == source.folder->names.end()) return disk_error(ENOENT, "rename", shown_name(from));
    const Node node = found->second;
    if (node->is_directory && holds(*node, target.folder.get()))
      return disk_error(EINVAL, "rename", shown_name(from));
    const auto replaced = target.folder->names.find(target.name);
    if (replaced != target.folder->names.end() && replaced->second != node) {
      const MemoryNode& old = *replaced->second;
      if (old.is_directory && holds(old, source.folder.get()))
        return disk_error(ENOTEMPTY, "rename", shown_name(from));
      if (old.is_directory && !node->is_directory) return disk_error(EISDIR, "rename", shown_name(from));
      if (!old.is_directory && node->is_directory) return disk_error(ENOTDIR, "rename", shown_name(from));
      if (!old.names.empty()) return disk_error(ENOTEMPTY, "rename", shown_name(from));
    }
    source.folder->names.erase(found);
    target.folder->names[target.name] = node;
    return Done{};
  }

  Status remove(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Place place, place_of(path, "remove"));
    const auto found = place.folder->names.find(place.name);
    if (found == place.folder->names.end()) return disk_error(ENOENT, "remove", shown_name(path));
    if (found->second->is_directory) return disk_error(EISDIR, "remove", shown_name(path));
    place.folder->names.erase(found);
    return Done{};
  }

  Status remove_tree(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Path target, checked_path(path));
    if (target == ".") return fail(Reason::bad_request, "the root of a disk is not removed");
    auto place = place_of(path, "remove");
    if (!place.ok() && place.error().code == Code::not_found) return Done{};
    if (!place.ok()) return std::move(place).error();
    place.value().folder->names.erase(place.value().name);
    return Done{};
  }

  Status make_directories(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Path target, checked_path(path));
    Node at = root_;
    for (const Path& part : target) {
      if (part == ".") continue;
      Node& next = at->names[part.string()];
      if (next == nullptr) {
        next = make_node(true);
        at->durable_names = at->names;
      }
      if (!next->is_directory) return disk_error(EEXIST, "make", shown_name(path));
      at = next;
    }
    return Done{};
  }

  Status sync_directory(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Node folder, folder_at(path, "sync"));
    folder->durable_names = folder->names;
    return Done{};
  }

  Result<std::vector<Entry>> list(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Node folder, folder_at(path, "list"));
    std::vector<Entry> entries;
    for (const auto& [name, node] : folder->names)
      entries.push_back({name, node->is_directory, node->bytes.size()});
    return entries;
  }

  Result<Entry> stat(const Path& path) override {
    std::lock_guard guard(*lock_);
    TRY(const Path target, checked_path(path));
    TRY(const Node node, node_at(path, "look at"));
    return Entry{target.filename().string(), node->is_directory, node->bytes.size()};
  }

  Status restrict_to_owner(const Path& path) override {
    TRY_DONE(stat(path));  // No modes in memory.
    return Done{};
  }
  Result<uint64_t> free_bytes() override { return pretended_free_bytes; }
  Path absolute(const Path& path) const override { return path.is_absolute() ? path : "/memory" / path; }

  void crash() override {
    SeededRandom unused(0);
    std::lock_guard guard(*lock_);
    crash_tree(*root_, CrashMode::lose_all, unused);
  }
  void crash(Random& random) override {
    std::lock_guard guard(*lock_);
    crash_tree(*root_, CrashMode::by_dice, random);
  }

 private:
  enum class Existing : uint8_t { refused, appended };

  Result<std::unique_ptr<WriteFile>> open_to_write(const Path& path, Existing existing) {
    Node node;
    {
      std::lock_guard guard(*lock_);
      TRY(const Place place, place_of(path, "create"));
      Node& slot = place.folder->names[place.name];
      if (slot != nullptr && existing == Existing::refused)
        return disk_error(EEXIST, "create", shown_name(path));
      if (slot == nullptr) slot = make_node(false);
      if (slot->is_directory) return disk_error(EISDIR, "open", shown_name(path));
      node = slot;
    }
    return std::unique_ptr<WriteFile>(std::make_unique<MemoryWriteFile>(std::move(node), lock_));
  }

  // An absolute path lies under a folder called "/".
  Result<Node> node_at(const Path& path, std::string_view verb) const {
    TRY(const Path target, checked_path(path));
    Node at = root_;
    for (const Path& part : target) {
      if (part == ".") continue;
      if (!at->is_directory) return disk_error(ENOTDIR, verb, shown_name(path));
      const auto found = at->names.find(part.string());
      if (found == at->names.end()) return disk_error(ENOENT, verb, shown_name(path));
      at = found->second;
    }
    return at;
  }

  Result<Node> file_at(const Path& path, std::string_view verb) const {
    TRY(Node node, node_at(path, verb));
    if (node->is_directory) return disk_error(EISDIR, verb, shown_name(path));
    return node;
  }

  Result<Node> folder_at(const Path& path, std::string_view verb) const {
    TRY(Node node, node_at(path, verb));
    if (!node->is_directory) return disk_error(ENOTDIR, verb, shown_name(path));
    return node;
  }

  Result<Place> place_of(const Path& path, std::string_view verb) const {
    TRY(const Path target, checked_path(path));
    const Path parent = target.parent_path();
    TRY(Node folder, folder_at(parent.empty() ? Path(".") : parent, verb));
    return Place{std::move(folder), target.filename().string()};
  }

  static bool holds(const MemoryNode& tree, const MemoryNode* searched) {
    if (&tree == searched) return true;
    for (const auto& [name, node] : tree.names)
      if (node->is_directory && holds(*node, searched)) return true;
    return false;
  }

  Lock lock_ = std::make_shared<std::mutex>();
  Node root_ = make_node(true);
};

}  // namespace

std::unique_ptr<MemoryDisk> make_crashing_disk() { return std::make_unique<TreeDisk>(); }
std::unique_ptr<Disk> make_memory_disk() { return make_crashing_disk(); }

}  // namespace holdfast::io
