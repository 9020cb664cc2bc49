#include <fmt/format.h>

#include <map>

#include "content/store.h"
#include "exchange/arrival.h"
#include "exchange/provenance.h"
#include "git/commit_write.h"
#include "git/lfs_pointer.h"
#include "repo/author.h"
#include "repo/hub.h"
#include "repo/upload_rules.h"
#include "repo/upstream_refs.h"
#include "scan/card_check.h"

namespace holdfast::exchange {
namespace {

constexpr size_t card_bytes_max = 1 << 20;

Result<std::string> text_of(const ArrivingFile& file) {
  std::string text;
  TRY_DONE(file.staged.each([&](ByteView bytes) -> Status {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return Done{};
  }));
  return text;
}

// Puts the large files where they will stay, before there is a repository: this takes long, and nobody sees
// a place without its files meanwhile. By index.
using LargeFiles = std::map<size_t, content::FileInfo>;
Result<LargeFiles> store_large(const Arrival& arrival, const MirrorParts& parts) {
  LargeFiles out;
  for (size_t i = 0; i < arrival.files.size(); ++i) {
    const ArrivingFile& file = arrival.files[i];
    TRY_DONE(repo::check_file_path(file.remote.path));
    if (!file.remote.sha256 && file.staged.size() <= repo::regular_file_bytes_max) continue;
    TRY(const auto ingest, parts.content.begin());
    TRY_DONE(file.staged.each([&](ByteView bytes) { return ingest->write(bytes); }));
    content::Expected expected;
    expected.size = file.staged.size();
    TRY(out[i], ingest->finish(expected));
  }
  return out;
}

struct Stored {
  std::vector<git::Change> changes;
  std::vector<repo::HeldFile> held;
};
Result<Stored> store(const Arrival& arrival, const git::Repository& objects, const LargeFiles& large) {
  Stored out;
  for (size_t i = 0; i < arrival.files.size(); ++i) {
    const ArrivingFile& file = arrival.files[i];
    const std::string& path = file.remote.path;
    git::PutFile put{.path = path, .blob = {}, .kind = git::EntryKind::file};
    if (const auto stored = large.find(i); stored != large.end()) {
      const std::string pointer = git::format_lfs_pointer(
          {.sha256 = content::to_text(stored->second.sha256), .size = stored->second.size});
      TRY(put.blob, objects.write_blob(as_bytes(pointer)));
      out.held.push_back({.file = stored->second, .path = path});
    } else {
      TRY(const std::string text, text_of(file));
      TRY(put.blob, objects.write_blob(as_bytes(text)));
    }
    out.changes.emplace_back(std::move(put));
  }
  return out;
}

Result<Provenance> provenance_of(const Arrival& arrival, const MirrorParts& parts) {
  Provenance out{.source = "upstream",
                 .address = fmt::format("{}/{}{}", arrival.place.upstream.url,
                                        remote_prefix(arrival.remote().type), arrival.place.remote),
                 .revision = arrival.remote_commit,
                 .fetched = format_time(parts.clock.wall())};
  std::vector<FileIdentity> identities;
  for (const ArrivingFile& file : arrival.files) {
    identities.push_back({file.remote.path, file.remote.size, file.remote.etag()});
    if (file.remote.path != "README.md" || file.staged.size() > card_bytes_max) continue;
    TRY(const std::string readme, text_of(file));
    const auto card = scan::check_card(
        readme, arrival.type == repo::RepoType::dataset ? scan::CardKind::dataset : scan::CardKind::model);
    out.license = card.license;
    out.base_models = card.base_models;
    out.datasets = card.datasets;
  }
  out.digest = digest_of_files(std::move(identities));
  return out;
}

// Where refs go. A place that is new has a main of one commit that nobody wrote: it goes, unless main is what
// was asked for.
std::vector<repo::RefMove> moves_of(const Arrival& arrival, const std::string& ref, bool made,
                                    const std::optional<git::ObjectId>& main,
                                    const std::optional<git::ObjectId>& named, const git::ObjectId& commit) {
  std::vector<repo::RefMove> moves;
  const bool to_main = ref == repo::main_ref && (made || !main || arrival.moves_main);
  if (to_main)
    moves.push_back({std::string(repo::main_ref), main.value_or(git::ObjectId()), commit});
  else if (made && main)
    moves.push_back({std::string(repo::main_ref), *main, {}});
  if (!ref.empty() && ref != repo::main_ref) moves.push_back({ref, named.value_or(git::ObjectId()), commit});
  return moves;
}

// Whether a revision was published here before; a repository without was made by a run that broke off.
Result<bool> has_upstream_refs(repo::Hub& hub, const repo::Repository& repository) {
  TRY(const auto refs, hub.publisher.refs(repository.id));
  for (const git::Ref& ref : refs)
    if (ref.name.starts_with(repo::upstream_prefix)) return true;
  return false;
}

}  // namespace

Result<Published> publish(const Arrival& arrival, const std::string& ref, const MirrorParts& parts) {
  repo::Hub& hub = parts.hub;
  const identity::Caller caller = mirror_caller();
  TRY(const Provenance provenance, provenance_of(arrival, parts));
  TRY(const LargeFiles large, store_large(arrival, parts));
  TRY(auto repository, hub.repositories.find(arrival.type, arrival.ns, arrival.name));
  const bool missing = !repository;
  if (missing) {
    TRY(repository, hub.repositories.create(caller, {.type = arrival.type,
                                                     .ns = arrival.ns,
                                                     .name = arrival.name,
                                                     .visibility = arrival.place.upstream.visibility,
                                                     .sdk = ""}));
  }
  const auto undo = [&](const Error& error) {
    if (missing) (void)hub.repositories.remove(caller, *repository).ok();
    return error;
  };
  TRY(const bool taken_over, has_upstream_refs(hub, *repository));
  if (!taken_over && repository->creator != caller.name)
    return fail(Reason::already_exists, "a repository of this hub's own has this name");
  const bool made = !taken_over;
  auto objects = hub.storage.open(repository->id);
  if (!objects.ok()) return undo(objects.error());
  git::Repository& git = objects.value();
  const auto write = [&]() -> Result<std::string> {
    TRY_DONE(git.gather());
    TRY(const Stored stored, store(arrival, git, large));
    const repo::Storage::Lock lock = hub.storage.lock(repository->id);
    TRY(const auto main, hub.publisher.ref(repository->id, repo::main_ref));
    const std::string alias = fmt::format("{}{}", repo::upstream_prefix, arrival.remote_commit);
    TRY(const auto known, hub.publisher.ref(repository->id, alias));
    std::optional<git::ObjectId> named;
    if (!ref.empty() && ref != repo::main_ref) {
      TRY(named, hub.publisher.ref(repository->id, ref));
    }
    git::ObjectId commit;
    if (known) {
      commit = *known;
    } else {
      TRY(const git::ObjectId tree, git::edit_tree(git, {}, stored.changes));
      const git::Signature author = repo::signature_of(caller, parts.clock);
      std::vector<git::ObjectId> parents;
      if (main && !made && ref == repo::main_ref) parents.push_back(*main);
      TRY(commit, git::write_commit(
                      git, {.tree = tree,
                            .parents = std::move(parents),
                            .author = author,
                            .committer = author,
                            .message = fmt::format("Mirror of {} at {}\n\n{}", provenance.address,
                                                   arrival.remote_commit, provenance_lines(provenance))}));
      if (arrival.findings == Arrival::Findings::usual) TRY_DONE(hub.checks.check_change(git, {}, commit));
    }
    repo::Publication publication;
    publication.kind = "mirrored";
    publication.files = stored.held;
    publication.moves = moves_of(arrival, ref, made, main, named, commit);
    if (!known) publication.moves.push_back({alias, {}, commit});
    TRY_DONE(hub.publisher.publish(lock, caller, *repository, git, publication));
    return commit.hex();
  };
  auto commit = write();
  if (!commit.ok()) return undo(commit.error());
  return Published{.repository = repository->id,
                   .commit = std::move(commit).value(),
                   .digest = provenance.digest,
                   .license = provenance.license};
}

}  // namespace holdfast::exchange
