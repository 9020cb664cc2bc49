#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "content/store.h"
#include "exchange/arrival.h"
#include "exchange/provenance.h"
#include "git/commit_write.h"
#include "git/lfs_pointer.h"
#include "repo/author.h"
#include "repo/creation.h"
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
  if (!arrival.folder.empty()) {
    out.source = "folder";
    out.address = arrival.folder;
  }
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

// Where refs go; what is not here yet is zero or nullopt.
std::vector<repo::RefMove> moves_of(const Arrival& arrival, const std::string& ref,
                                    const std::optional<git::ObjectId>& main,
                                    const std::optional<git::ObjectId>& named, const git::ObjectId& commit) {
  std::vector<repo::RefMove> moves;
  if (ref == repo::main_ref && (!main || arrival.moves_main))
    moves.push_back({std::string(repo::main_ref), main.value_or(git::ObjectId()), commit});
  if (!ref.empty() && ref != repo::main_ref) moves.push_back({ref, named.value_or(git::ObjectId()), commit});
  return moves;
}

// Everything of an arrival that publishing it takes.
struct Incoming {
  const Arrival& arrival;
  const std::string& ref;
  const MirrorParts& parts;
  const Provenance& provenance;
  const LargeFiles& large;
  const identity::Caller& caller;
};

// The commit that the files become.
Result<git::ObjectId> write_commit(const Incoming& incoming, git::Repository& git, const Stored& stored,
                                   std::vector<git::ObjectId> parents) {
  TRY(const git::ObjectId tree, git::edit_tree(git, {}, stored.changes));
  const git::Signature author = repo::signature_of(incoming.caller, incoming.parts.clock);
  TRY(const git::ObjectId commit,
      git::write_commit(git, {.tree = tree,
                              .parents = std::move(parents),
                              .author = author,
                              .committer = author,
                              .message = fmt::format("Mirror of {} at {}\n\n{}", incoming.provenance.address,
                                                     incoming.arrival.remote_commit,
                                                     provenance_lines(incoming.provenance))}));
  if (incoming.arrival.findings == Arrival::Findings::usual)
    TRY_DONE(incoming.parts.hub.checks.check_change(git, {}, commit));
  return commit;
}

std::string alias_of(const Arrival& arrival) {
  return fmt::format("{}{}", repo::upstream_prefix, arrival.remote_commit);
}

// The first revision and its repository are seen in the same moment: until then askers read from upstream.
Result<repo::Repository> publish_first(const Incoming& incoming, std::string& commit_name) {
  const Arrival& arrival = incoming.arrival;
  const auto content = [&](const repo::Repository&, git::Repository& git) -> Result<repo::Publication> {
    TRY_DONE(git.gather());
    TRY(Stored stored, store(arrival, git, incoming.large));
    TRY(const git::ObjectId commit, write_commit(incoming, git, stored, {}));
    commit_name = commit.hex();
    repo::Publication out;
    out.kind = "mirrored";
    out.files = std::move(stored.held);
    out.moves = moves_of(arrival, incoming.ref, {}, {}, commit);
    out.moves.push_back({alias_of(arrival), {}, commit});
    return out;
  };
  const MirrorParts& parts = incoming.parts;
  return repo::create_repository({.database = parts.database,
                                  .storage = parts.hub.storage,
                                  .publisher = parts.hub.publisher,
                                  .repositories = parts.hub.repositories,
                                  .rights = parts.hub.rights,
                                  .audit = parts.audit,
                                  .clock = parts.clock},
                                 incoming.caller,
                                 {.type = arrival.type,
                                  .ns = arrival.ns,
                                  .name = arrival.name,
                                  .visibility = arrival.place.upstream.visibility,
                                  .sdk = ""},
                                 content);
}

Result<std::string> publish_next(const Incoming& incoming, const repo::Repository& repository) {
  repo::Hub& hub = incoming.parts.hub;
  const Arrival& arrival = incoming.arrival;
  TRY(git::Repository git, hub.storage.open(repository.id));
  TRY_DONE(git.gather());
  TRY(const Stored stored, store(arrival, git, incoming.large));
  const repo::Storage::Lock lock = hub.storage.lock(repository.id);
  TRY(const auto main, hub.publisher.ref(repository.id, repo::main_ref));
  const std::string alias = alias_of(arrival);
  TRY(const auto known, hub.publisher.ref(repository.id, alias));
  std::optional<git::ObjectId> named;
  if (!incoming.ref.empty() && incoming.ref != repo::main_ref) {
    TRY(named, hub.publisher.ref(repository.id, incoming.ref));
  }
  git::ObjectId commit;
  if (known) {
    commit = *known;
  } else {
    std::vector<git::ObjectId> parents;
    if (main && incoming.ref == repo::main_ref) parents.push_back(*main);
    TRY(commit, write_commit(incoming, git, stored, std::move(parents)));
  }
  repo::Publication publication;
  publication.kind = "mirrored";
  publication.files = stored.held;
  publication.moves = moves_of(arrival, incoming.ref, main, named, commit);
  if (!known) publication.moves.push_back({alias, {}, commit});
  TRY_DONE(hub.publisher.publish(lock, incoming.caller, repository, git, publication));
  return commit.hex();
}

}  // namespace

Result<Published> publish(const Arrival& arrival, const std::string& ref, const MirrorParts& parts) {
  const identity::Caller caller = mirror_caller();
  TRY(const Provenance provenance, provenance_of(arrival, parts));
  TRY(const LargeFiles large, store_large(arrival, parts));
  TRY(auto repository, parts.hub.repositories.find(arrival.type, arrival.ns, arrival.name));
  if (repository && repository->creator != caller.name)
    return fail(Reason::already_exists, "a repository of this hub's own has this name");
  const Incoming incoming{arrival, ref, parts, provenance, large, caller};
  std::string commit;
  if (repository) {
    TRY(commit, publish_next(incoming, *repository));
  } else {
    TRY(repository, publish_first(incoming, commit));
  }
  return Published{.repository = repository->id,
                   .commit = std::move(commit),
                   .digest = provenance.digest,
                   .license = provenance.license};
}

}  // namespace holdfast::exchange
