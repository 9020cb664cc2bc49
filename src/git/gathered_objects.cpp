#include "git/gathered_objects.h"

#include <git2/errors.h>
#include <git2/odb.h>
#include <git2/odb_backend.h>
#include <git2/pack.h>
#include <git2/repository.h>
#include <git2/sys/odb_backend.h>

#include <cstring>
#include <unordered_map>
#include <vector>

#include "git/handle.h"

namespace holdfast::git {

namespace {

constexpr int before_all_others = 1000;

struct Gathered {
  git_object_t type = GIT_OBJECT_BLOB;
  std::string bytes;
};

// libgit2 calls through the base; the static functions below find the rest of the object behind it.
struct MemoryBackend : git_odb_backend {
  std::unordered_map<ObjectId, Gathered> objects;
  std::vector<ObjectId> order;  // As written: what an object names comes before it.
  uint64_t bytes = 0;

  static MemoryBackend& of(git_odb_backend* base) { return *static_cast<MemoryBackend*>(base); }
  static const Gathered* find(git_odb_backend* base, const git_oid* id) {
    const auto found = of(base).objects.find(ObjectId(*id));
    return found == of(base).objects.end() ? nullptr : &found->second;
  }

  static int read_one(void** data, size_t* size, git_object_t* type, git_odb_backend* base,
                      const git_oid* id) {
    const Gathered* found = find(base, id);
    if (found == nullptr) return GIT_ENOTFOUND;
    *data = git_odb_backend_data_alloc(base, found->bytes.size());
    if (*data == nullptr) return GIT_ERROR;
    std::memcpy(*data, found->bytes.data(), found->bytes.size());
    *size = found->bytes.size();
    *type = found->type;
    return GIT_OK;
  }
  static int read_head(size_t* size, git_object_t* type, git_odb_backend* base, const git_oid* id) {
    const Gathered* found = find(base, id);
    if (found == nullptr) return GIT_ENOTFOUND;
    *size = found->bytes.size();
    *type = found->type;
    return GIT_OK;
  }
  static int has(git_odb_backend* base, const git_oid* id) { return find(base, id) != nullptr ? 1 : 0; }
  static int write_one(git_odb_backend* base, const git_oid* id, const void* data, size_t size,
                       git_object_t type) {
    MemoryBackend& self = of(base);
    if (self.bytes + size > gathered_bytes_max) return GIT_EBUFS;
    const auto [place, fresh] = self.objects.try_emplace(ObjectId(*id));
    if (!fresh) return GIT_OK;
    place->second = {type, std::string(static_cast<const char*>(data), size)};
    self.order.push_back(place->first);
    self.bytes += size;
    return GIT_OK;
  }
  static void free_self(git_odb_backend* base) { delete static_cast<MemoryBackend*>(base); }
};

struct PackFree {
  void operator()(git_packbuilder* raw) const { git_packbuilder_free(raw); }
};

Status write_pack(const Repository& repository, const MemoryBackend& gathered) {
  git_packbuilder* raw = nullptr;
  TRY_DONE(done(git_packbuilder_new(&raw, repository.raw()), "making a pack"));
  const std::unique_ptr<git_packbuilder, PackFree> pack(raw);
  git_packbuilder_set_threads(raw, 1);
  for (const ObjectId& id : gathered.order) {
    const git_oid oid = id.to_git();
    TRY_DONE(done(git_packbuilder_insert(raw, &oid, nullptr), "making a pack"));
  }
  return done(git_packbuilder_write(raw, nullptr, 0, nullptr, nullptr), "writing a pack");
}

// Through a handle of its own, which does not have the memory in front.
Status write_loose(const Repository& repository, const MemoryBackend& gathered) {
  TRY(const Repository plain, Repository::open(repository.folder()));
  git_odb* raw = nullptr;
  TRY_DONE(done(git_repository_odb(&raw, plain.raw()), "opening the objects"));
  const OdbHandle objects(raw);
  for (const ObjectId& id : gathered.order) {
    const Gathered& one = gathered.objects.at(id);
    git_oid written;
    TRY_DONE(done(git_odb_write(&written, raw, one.bytes.data(), one.bytes.size(), one.type),
                  "writing an object"));
  }
  return Done{};
}

}  // namespace

Result<git_odb_backend*> gather_objects(const Repository& repository) {
  auto memory = std::make_unique<MemoryBackend>();
  TRY_DONE(done(git_odb_init_backend(memory.get(), GIT_ODB_BACKEND_VERSION), "gathering objects"));
  memory->read = MemoryBackend::read_one;
  memory->read_header = MemoryBackend::read_head;
  memory->exists = MemoryBackend::has;
  memory->write = MemoryBackend::write_one;
  memory->free = MemoryBackend::free_self;
  git_odb* raw = nullptr;
  TRY_DONE(done(git_repository_odb(&raw, repository.raw()), "opening the objects"));
  const OdbHandle objects(raw);
  TRY_DONE(done(git_odb_add_backend(raw, memory.get(), before_all_others), "gathering objects"));
  return static_cast<git_odb_backend*>(memory.release());
}

Status write_gathered(const Repository& repository, git_odb_backend* gathered) {
  MemoryBackend& memory = MemoryBackend::of(gathered);
  if (memory.order.empty()) return Done{};
  TRY_DONE(memory.order.size() < packed_objects_min ? write_loose(repository, memory)
                                                    : write_pack(repository, memory));
  memory.objects.clear();
  memory.order.clear();
  memory.bytes = 0;
  return Done{};
}

}  // namespace holdfast::git
