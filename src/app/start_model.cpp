#include "app/start_model.h"

#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "exchange/mirror.h"
#include "exchange/upstreams.h"
#include "identity/own_caller.h"
#include "identity/secrets.h"
#include "repo/hub.h"
#include "repo/revisions.h"

namespace holdfast::app {
namespace {

constexpr std::string_view actor = "(serve --model)";
constexpr std::chrono::seconds step{5};

struct Named {
  repo::RepoName repo;
  std::string revision;
};
Result<Named> parse(std::string_view text) {
  const size_t at = text.find('@');
  TRY(const repo::RepoName name, repo::parse_repo_name(repo::RepoType::model, text.substr(0, at)));
  return Named{name, at == std::string_view::npos ? "main" : std::string(text.substr(at + 1))};
}

// The commit, where it is here.
Result<std::optional<git::ObjectId>> held(repo::Hub& hub, const Named& named) {
  using Held = std::optional<git::ObjectId>;
  TRY(const auto repository, hub.repositories.find(repo::RepoType::model, named.repo.ns, named.repo.name));
  if (!repository) return Held();
  TRY(const git::Repository objects, hub.storage.open(repository->id));
  const auto found = repo::find_revision(hub.publisher, objects, repository->id, named.revision);
  if (!found.ok() && found.error().code == Code::not_found) return Held();
  if (!found.ok()) return found.error();
  return Held(found.value().commit);
}

// That hub stands behind the model's namespace from now on, for this model and what was named before.
Status name_upstream(Exchanging& exchanging, const StartModel& wanted, const repo::RepoName& repo) {
  TRY(const auto behind, exchanging.upstreams().behind(repo.ns, repo.name));
  exchange::Upstream upstream{.name = "model-" + repo.ns, .url = wanted.from, .namespaces = repo.ns};
  const std::string full = repo.ns + "/" + repo.name;
  upstream.allow = full;
  if (behind) {
    if (behind->upstream.name != upstream.name) return Done{};  // An operator's own; its rules hold.
    const std::string allow = ", " + behind->upstream.allow + ",";
    if (allow.find(", " + full + ",") == std::string::npos)
      upstream.allow = behind->upstream.allow + ", " + full;
    else
      upstream.allow = behind->upstream.allow;
  }
  if (wanted.signed_in) {
    upstream.secret = "model-token";
    upstream.visibility = repo::Visibility::private_;
    TRY_DONE(exchanging.secrets().set(actor, {.name = upstream.secret,
                                              .place = identity::SecretPlace::environment,
                                              .reference = "HF_TOKEN",
                                              .host = exchange::host_of(wanted.from)}));
  }
  return exchanging.upstreams().set(actor, upstream);
}

// `serve` holds the signals back until it waits for them, which it does not yet.
bool is_stop_asked() {
  sigset_t waiting;
  sigemptyset(&waiting);
  sigpending(&waiting);
  return sigismember(&waiting, SIGTERM) == 1 || sigismember(&waiting, SIGINT) == 1;
}

Status take_folder(exchange::Mirror& mirror, const StartModel& wanted, const Named& named) {
  std::error_code unknown;
  const io::Path folder = io::Path(wanted.from).lexically_normal();
  if (!std::filesystem::is_directory(folder, unknown))
    return fail(Reason::bad_request,
                fmt::format("--model-from {} is neither a hub's address nor a folder", wanted.from));
  TRY(const auto disk, io::open_posix_disk(folder));
  return mirror.take_folder({.disk = *disk,
                             .title = folder.filename().string(),
                             .ns = named.repo.ns,
                             .name = named.repo.name,
                             .revision = named.revision});
}

Status take_over(const StartModelParts& parts, const StartModel& wanted, const Named& named) {
  if (wanted.from.empty())
    return fail(Reason::bad_request,
                fmt::format("{} is not here, and neither --model-from nor HF_ENDPOINT says "
                            "which hub has it",
                            wanted.model));
  if (wanted.from.find("://") == std::string::npos)
    return take_folder(parts.exchanging.mirror(), wanted, named);
  TRY_DONE(name_upstream(parts.exchanging, wanted, named.repo));
  exchange::Mirror& mirror = parts.exchanging.mirror();
  TRY(const int64_t id, mirror.start(repo::RepoType::model, named.repo.ns, named.repo.name, named.revision));
  while (true) {
    const auto published = mirror.wait_until_published(id, step);
    if (published.ok() && published.value()) return Done{};
    // It came before it was waited for: whether it is here is what the caller looks at.
    if (!published.ok() && published.error().code == Code::not_found) return Done{};
    if (!published.ok() && published.error().code != Code::busy) return published.error();
    if (!published.ok()) std::this_thread::sleep_for(step);  // Others wait in its place.
    if (is_stop_asked())
      return fail(Reason::shutting_down, "stopped while the model came; the next start goes on");
    TRY(const exchange::IncomingRevision now, mirror.show(id));
    parts.log.info("model_comes", {{"bytes", now.bytes_here}, {"bytes_total", now.bytes}});
  }
}

// What was asked for is what the name stands for without a revision.
Status make_main(repo::Hub& hub, const Named& named, const git::ObjectId& commit) {
  TRY(const auto repository, hub.repositories.find(repo::RepoType::model, named.repo.ns, named.repo.name));
  if (!repository) return fail(Reason::repo_not_found, "the model is gone again");
  return hub.branches.create(
      identity::own_caller(actor), *repository,
      {.name = "main", .starting_point = commit.hex(), .if_exists = repo::NewBranch::IfExists::overwrite});
}

}  // namespace

Result<std::string> start_model(const StartModelParts& parts, const StartModel& wanted) {
  TRY(const Named named, parse(wanted.model));
  TRY(std::optional<git::ObjectId> commit, held(parts.hub, named));
  if (!commit) {
    TRY_DONE(take_over(parts, wanted, named));
    TRY(commit, held(parts.hub, named));
    if (!commit) return fail(Reason::revision_not_found, fmt::format("{} did not come", wanted.model));
    TRY_DONE(make_main(parts.hub, named, *commit));
  }
  const identity::Caller caller = identity::own_caller(actor);
  const std::string id = named.repo.ns + "/" + named.repo.name;
  const auto before = parts.registry.endpoints.find(caller, id);
  if (before.ok()) {
    if (before.value().revision != commit->hex())
      TRY_DONE(parts.registry.endpoints.update(caller, id, {.model = id, .revision = commit->hex()}));
    return id;
  }
  TRY_DONE(parts.registry.endpoints.create(
      caller, {.ns = named.repo.ns,
               .name = named.repo.name,
               .model = id,
               .revision = commit->hex(),
               .settings = govern::EndpointSettings{.replicas_min = 1, .replicas_max = 1}}));
  return id;
}

}  // namespace holdfast::app
