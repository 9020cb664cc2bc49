#include "cli/mirror.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <map>

#include "cli/connection.h"
#include "cli/hub_cache.h"
#include "cli/hub_transfer.h"
#include "cli/mirror_source.h"
#include "cli/named_repo.h"
#include "cli/progress.h"
#include "cli/user_files.h"
#include "codec/json.h"
#include "exchange/provenance.h"
#include "scan/card_check.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr uint64_t card_bytes_max = 1 << 20;

constexpr FlagRow from_flag{"--from", "URL", "The upstream hub [HOLDFAST_UPSTREAM]."};
constexpr FlagRow from_token_flag{"--from-token-file", "PATH",
                                  "File with the upstream's token [HOLDFAST_UPSTREAM_TOKEN]."};
constexpr FlagRow as_flag{"--as", "REPO", "The repository here [the upstream's name]."};
constexpr FlagRow revision_flag{"--revision", "NAME", "Branch, tag or commit of the upstream [main]."};
constexpr FlagRow allow_flag{"--allow", "NAMES",
                             "Only repositories that fit one of these: \"org/*,demo/bert\"."};
constexpr FlagRow deny_flag{"--deny", "NAMES", "No repository that fits one of these."};
constexpr FlagRow private_flag{"--private", {}, "A new repository is private."};
constexpr FlagRow accept_flag{"--accept-findings", {}, "Dangerous findings are told and do not stop it."};

// What is taken over: files on a disk, under the names that they have at their source.
struct Staged {
  std::vector<LocalFile> files;
  std::vector<FileIdentity> identities;  // In the same order.
  Provenance provenance;
};

json::object as_json(const Provenance& provenance) {
  return {{"source", provenance.source},
          {"address", provenance.address},
          {"revision", provenance.revision},
          {"fetched", provenance.fetched},
          {"digest", provenance.digest},
          {"license", provenance.license},
          {"baseModels", json::array(provenance.base_models.begin(), provenance.base_models.end())},
          {"datasets", json::array(provenance.datasets.begin(), provenance.datasets.end())}};
}

void read_card(io::Disk& disk, Staged& staged, RemoteType type) {
  for (const LocalFile& file : staged.files) {
    if (file.path != "README.md") continue;
    const auto text = io::read_text(disk, file.source, card_bytes_max);
    if (!text.ok()) return;
    const auto card = scan::check_card(
        text.value(), type == RemoteType::dataset ? scan::CardKind::dataset : scan::CardKind::model);
    staged.provenance.license = card.license;
    staged.provenance.base_models = card.base_models;
    staged.provenance.datasets = card.datasets;
  }
}

// One commit that makes the branch equal to what was staged; nothing is sent that is there already.
Result<int> publish(World& world, const Arguments& arguments, io::Disk& disk, Staged& staged,
                    const RemoteRepo& target) {
  TRY_DONE(check_staged(world, disk, staged.files,
                        arguments.has("--accept-findings") ? OnDangerous::tell : OnDangerous::refuse));
  read_card(disk, staged, target.type);
  staged.provenance.digest = digest_of_files(staged.identities);
  staged.provenance.fetched = format_time(world.clock().wall());

  TRY(Connection local, connect(world, arguments));
  TRY([[maybe_unused]] const std::string url,
      local.hub->create_repo(target, arguments.has("--private") ? "private" : "public",
                             HubClient::IfExists::accept, Context{}));
  TRY(const RemoteRevision before, local.hub->revision(target, "main", Context{}));
  std::map<std::string, std::string> have;
  for (const RemoteFile& file : before.files) have[file.path] = file.etag();
  std::vector<LocalFile> changed;
  for (size_t i = 0; i < staged.files.size(); ++i) {
    const auto found = have.find(staged.files[i].path);
    // By the digest; what lies in a commit here and in LFS there is compared as it is sent.
    if (found == have.end() || found->second != staged.identities[i].etag) changed.push_back(staged.files[i]);
    if (found != have.end()) have.erase(found);
  }
  std::string commit = before.commit;
  uint64_t sent = 0;
  if (!changed.empty() || !have.empty()) {
    Upload wish{target,
                "main",
                fmt::format("Mirror of {}{}", staged.provenance.address,
                            staged.provenance.revision.empty() ? "" : " at " + staged.provenance.revision),
                before.commit,
                provenance_lines(staged.provenance),
                {}};
    for (const auto& [path, etag] : have) wish.removed.push_back(path);
    Progress progress(world, "stored");
    TRY(const Uploaded done,
        upload_files(*local.hub, disk, changed, wish, Context{}, [&](const TransferProgress& so_far) {
          progress.bytes(so_far.bytes, so_far.bytes_total);
        }));
    progress.end();
    commit = done.commit;
    sent = done.bytes_sent;
  }
  if (arguments.has("--json")) {
    world.print(codec::to_text(json::object{{"repository", target.name},
                                            {"commit", commit},
                                            {"changed", changed.size() + have.size()},
                                            {"files", staged.files.size()},
                                            {"bytesSent", sent},
                                            {"provenance", as_json(staged.provenance)}}) +
                "\n");
  } else {
    world.print(fmt::format("{} is {} of {}: {} files, {} changed\n", target.name, commit,
                            staged.provenance.address, staged.files.size(), changed.size() + have.size()));
  }
  return exit_done;
}

Result<Connection> connect_upstream(World& world, const Arguments& arguments) {
  std::string endpoint(arguments.value_or("--from", world.environment("HOLDFAST_UPSTREAM").value_or("")));
  while (endpoint.ends_with('/')) endpoint.pop_back();
  if (endpoint.empty())
    return fail(Reason::bad_request, "which upstream? Give --from or set HOLDFAST_UPSTREAM");
  std::string token = world.environment("HOLDFAST_UPSTREAM_TOKEN").value_or("");
  if (const auto file = arguments.value("--from-token-file")) {
    TRY(UserFiles files, UserFiles::open());
    TRY(token, files.read(*file, token_bytes_max));
  }
  Connection upstream;
  net::ClientOptions options;
  options.addresses = net::AddressPolicy::any;  // The operator names it.
  upstream.client = net::make_client(options, world.clock());
  upstream.hub = std::make_unique<HubClient>(*upstream.client, endpoint, Secret(trimmed(token)));
  return upstream;
}

// That it does not answer is another thing than that it has nothing of this name.
Error upstream_error(const Error& error, const std::string& endpoint) {
  Error out = error;
  const bool down = error.reason == Reason::dependency_failed || error.reason == Reason::timed_out;
  out.message =
      down ? fmt::format("the upstream {} does not answer ({}); what was mirrored before is served on",
                         endpoint, error.message)
           : fmt::format("the upstream {} says: {}", endpoint, error.message);
  return out;
}

Result<int> pull(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo source, repo_of(arguments, arguments.positionals()[0]));
  RemoteRepo target = source;
  if (const auto as = arguments.value("--as")) {
    TRY(target, repo_of(arguments, *as));
  }
  const std::string_view allow = arguments.value_or("--allow", "*");
  if (!fits_any(source.name, allow) || fits_any(source.name, arguments.value_or("--deny", "")))
    return fail(Reason::policy_refused, fmt::format("the rules do not allow {} to be mirrored", source.name));
  TRY(const Connection upstream, connect_upstream(world, arguments));
  HubClient& hub = *upstream.hub;
  const auto remote = hub.revision(source, arguments.value_or("--revision", "main"), Context{});
  if (!remote.ok()) return upstream_error(remote.error(), hub.endpoint());

  TRY(const std::unique_ptr<io::Disk> home, open_home(world));
  TRY(const std::unique_ptr<io::Disk> cache, io::open_posix_disk(home->absolute("hub")));
  Progress progress(world, "fetched");
  const auto fetched = download_snapshot(
      hub, *cache, {source, remote.value().commit, {}}, Context{},
      [&](const TransferProgress& so_far) { progress.bytes(so_far.bytes, so_far.bytes_total); });
  progress.end();
  if (!fetched.ok()) return upstream_error(fetched.error(), hub.endpoint());

  Staged staged;
  for (const RemoteFile& file : remote.value().files) {
    staged.files.push_back({io::Path(cache_folder(source)) / "blobs" / file.etag(), file.path});
    staged.identities.push_back({file.path, file.size, file.etag()});
  }
  staged.provenance.source = "upstream";
  staged.provenance.address = fmt::format("{}/{}{}", hub.endpoint(), remote_prefix(source.type), source.name);
  staged.provenance.revision = remote.value().commit;
  return publish(world, arguments, *cache, staged, target);
}

Result<int> import(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo target, repo_of(arguments, arguments.value_or("--as", "")));
  TRY(UserFiles files, UserFiles::open());
  TRY(const ImportFolder folder, read_import_folder(files.disk(), files.path(arguments.positionals()[0]),
                                                    arguments.value_or("--revision", "main")));
  Staged staged;
  staged.files = folder.files;
  for (const LocalFile& file : staged.files) {
    TRY(FileIdentity identity, identify(files.disk(), file));
    staged.identities.push_back(std::move(identity));
  }
  staged.provenance.source = folder.kind;
  staged.provenance.address = io::Path(arguments.positionals()[0]).lexically_normal().filename().string();
  staged.provenance.revision = folder.revision;
  return publish(world, arguments, files.disk(), staged, target);
}

Result<int> provenance(World& world, const Arguments& arguments) {
  TRY(const RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  TRY(const json::value commits,
      ask_json(world, arguments,
               {.path = fmt::format("/api/{}/{}/commits/{}?limit=1000", remote_plural(repo.type), repo.name,
                                    arguments.value_or("--revision", "main"))}));
  if (!commits.is_array()) return fail(Code::corrupt, "the hub's answer is no list of commits");
  // A commit by hand after the mirrored one makes the source unknown again.
  std::optional<Provenance> found;
  bool newest = true, changed = false;
  std::string commit;
  for (const json::value& each : commits.get_array()) {
    if (!each.is_object()) continue;
    TRY(const std::string_view title, codec::json_text(each.get_object(), "title"));
    TRY(const std::string_view message, codec::json_text(each.get_object(), "message"));
    found = read_provenance(fmt::format("{}\n{}", title, message));
    if (found) {
      TRY(const std::string_view id, codec::json_text(each.get_object(), "id"));
      commit = id;
      changed = !newest;
      break;
    }
    newest = false;
  }
  if (arguments.has("--json")) {
    json::object out{{"repository", repo.name}, {"known", found.has_value()}, {"changedSince", changed}};
    if (found) out["commit"] = commit;
    out["provenance"] = found ? json::value(as_json(*found)) : json::value(nullptr);
    if (!found) out["risk"] = "unknown source";
    world.print(codec::to_text(out) + "\n");
  } else if (!found) {
    world.print(fmt::format("{}: unknown source\n", repo.name));
  } else {
    world.print(fmt::format("{}{}\n", provenance_lines(*found), changed ? "Changed here since then.\n" : ""));
  }
  return found ? exit_done : exit_failed;
}

}  // namespace

std::vector<Command> mirror_commands() {
  const Shape pulled{{from_flag, from_token_flag, as_flag, revision_flag, type_flag, allow_flag, deny_flag,
                      private_flag, accept_flag, endpoint_flag, token_flag, client_json_flag},
                     1,
                     1};
  return {
      client_command(
          "mirror pull", "REPO",
          "Takes a repository over from an upstream hub: fetched, checked, and one commit here that "
          "says where it comes from. Again: what changed.",
          "holdfast mirror pull demo/bert --from https://hub.example.org --as mirror/bert", pulled, pull),
      client_command("mirror import", "PATH",
                     "Takes over a folder, a git-lfs checkout or a repository of huggingface_hub's cache.",
                     "holdfast mirror import ./my-model --as demo/my-model",
                     {{as_flag, revision_flag, type_flag, private_flag, accept_flag, endpoint_flag,
                       token_flag, client_json_flag},
                      1,
                      1},
                     import),
      client_command("mirror provenance", "REPO", "Says where a repository's files come from.",
                     "holdfast mirror provenance mirror/bert",
                     {{revision_flag, type_flag, endpoint_flag, token_flag, client_json_flag}, 1, 1},
                     provenance),
  };
}

}  // namespace holdfast::cli
