#include "cli/hub_commands.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "base/arguments.h"
#include "cli/connection.h"
#include "cli/hub_cache.h"
#include "cli/hub_transfer.h"
#include "cli/named_repo.h"
#include "cli/progress.h"
#include "codec/json.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr const FlagRow& json_flag = client_json_flag;
Result<std::unique_ptr<io::Disk>> open_cache(World& world) {
  if (const auto cache = world.environment("HF_HUB_CACHE")) return io::open_posix_disk(*cache);
  TRY(io::Path home, hub_home(world));
  return io::open_posix_disk(home / "hub");
}

void print_json(World& world, const json::object& object) { world.print(codec::to_text(object) + "\n"); }

Result<int> login(World& world, const Arguments& arguments) {
  if (!arguments.value("--token") && !world.environment("HF_TOKEN"))
    world.complain("Token (from standard input): ");
  std::string token(arguments.value_or("--token", world.environment("HF_TOKEN").value_or("")));
  if (token.empty()) {
    TRY(std::optional<std::string> line, world.read_line(token_bytes_max));
    token = trimmed(line.value_or(""));
  }
  if (token.empty()) return fail(Reason::bad_request, "no token was given");
  TRY(Connection connection, connect(world, arguments));
  const HubClient hub(*connection.client, connection.hub->endpoint(), Secret(token));
  TRY(std::string name, HubClient(hub).whoami(Context{}));
  TRY(std::unique_ptr<io::Disk> home, open_home(world));
  TRY_DONE(io::publish_text(*home, "token", token));
  TRY_DONE(home->restrict_to_owner("token"));
  if (arguments.has("--json"))
    print_json(world, {{"name", name}, {"endpoint", hub.endpoint()}});
  else
    world.print(fmt::format("signed in at {} as {}\n", hub.endpoint(), name));
  return exit_done;
}

Result<int> whoami(World& world, const Arguments& arguments) {
  TRY(Connection connection, connect(world, arguments));
  TRY(std::string name, connection.hub->whoami(Context{}));
  if (arguments.has("--json"))
    print_json(world, {{"name", name}, {"endpoint", connection.hub->endpoint()}});
  else
    world.print(name + "\n");
  return exit_done;
}

Result<int> download(World& world, const Arguments& arguments) {
  TRY(RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  TRY(Connection connection, connect(world, arguments));
  TRY(std::unique_ptr<io::Disk> cache, open_cache(world));
  Download wish{repo, std::string(arguments.value_or("--revision", "main")), {}};
  for (size_t i = 1; i < arguments.positionals().size(); ++i)
    wish.only.emplace_back(arguments.positionals()[i]);
  Progress progress(world, "downloaded");
  TRY(Downloaded done,
      download_snapshot(*connection.hub, *cache, wish, Context{}, [&](const TransferProgress& so_far) {
        progress.bytes(so_far.bytes, so_far.bytes_total);
      }));
  progress.end();
  const std::string folder = cache->absolute(done.folder).string();
  if (arguments.has("--json"))
    print_json(world, {{"commit", done.commit},
                       {"folder", folder},
                       {"files", done.progress.files},
                       {"bytes", done.progress.bytes}});
  else
    world.print(folder + "\n");
  return exit_done;
}

Result<int> upload(World& world, const Arguments& arguments) {
  TRY(RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  const io::Path local = std::string(arguments.positionals()[1]);
  const std::string target(arguments.positionals().size() > 2 ? arguments.positionals()[2]
                                                              : std::string_view());
  std::error_code unknown;
  const bool is_folder = std::filesystem::is_directory(local, unknown);
  if (!is_folder && !std::filesystem::is_regular_file(local, unknown))
    return fail(Reason::bad_request, fmt::format("there is no file or folder '{}'", local.string()));
  const io::Path root = is_folder ? local : std::filesystem::absolute(local).parent_path();
  TRY(std::unique_ptr<io::Disk> files, io::open_posix_disk(root));
  std::vector<LocalFile> list;
  if (is_folder) {
    TRY(list, files_below(*files, ".", target.empty() ? "" : target + "/"));
  } else {
    list.push_back({local.filename(), target.empty() ? local.filename().string() : target});
  }
  if (list.empty()) return fail(Reason::bad_request, fmt::format("'{}' holds no files", local.string()));

  TRY(Connection connection, connect(world, arguments));
  if (arguments.has("--create")) {
    TRY([[maybe_unused]] std::string url,
        connection.hub->create_repo(repo, arguments.has("--private") ? "private" : "public",
                                    HubClient::IfExists::accept, Context{}));
  }
  Upload wish{repo,
              std::string(arguments.value_or("--revision", "main")),
              std::string(arguments.value_or("--message", "Upload with holdfast")),
              {}};
  Progress progress(world, "uploaded");
  TRY(Uploaded done,
      upload_files(*connection.hub, *files, list, wish, Context{}, [&](const TransferProgress& so_far) {
        progress.bytes(so_far.bytes, so_far.bytes_total);
      }));
  progress.end();
  if (arguments.has("--json"))
    print_json(world, {{"commit", done.commit},
                       {"files", done.progress.files},
                       {"bytes", done.progress.bytes},
                       {"bytes_sent", done.bytes_sent}});
  else
    world.print(fmt::format("{} files ({}) are commit {} of {}\n", done.progress.files,
                            format_bytes(done.progress.bytes), done.commit, repo.name));
  return exit_done;
}

Result<int> repo_create(World& world, const Arguments& arguments) {
  TRY(RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  TRY(Connection connection, connect(world, arguments));
  TRY(std::string url, connection.hub->create_repo(repo, arguments.has("--private") ? "private" : "public",
                                                   arguments.has("--exist-ok") ? HubClient::IfExists::accept
                                                                               : HubClient::IfExists::refuse,
                                                   Context{}));
  if (arguments.has("--json"))
    print_json(world, {{"url", url}});
  else
    world.print(url + "\n");
  return exit_done;
}

Result<int> repo_delete(World& world, const Arguments& arguments) {
  TRY(RemoteRepo repo, repo_of(arguments, arguments.positionals()[0]));
  TRY(Connection connection, connect(world, arguments));
  TRY_DONE(connection.hub->delete_repo(repo, Context{}));
  if (arguments.has("--json"))
    print_json(world, {{"deleted", repo.name}});
  else
    world.print(fmt::format("{} is deleted\n", repo.name));
  return exit_done;
}

Result<int> cache_list(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> cache, open_cache(world));
  TRY(std::vector<CachedRepo> repos, list_cache(*cache));
  json::array rows;
  if (!arguments.has("--json"))
    world.print(fmt::format("{:<48} {:>10} {:>9} {:>9}\n", "repository", "size", "revisions", "files"));
  for (const CachedRepo& repo : repos) {
    uint64_t files = 0;
    json::array revisions;
    for (const CachedRevision& revision : repo.revisions) {
      files += revision.files;
      revisions.push_back(json::object{{"commit", revision.commit},
                                       {"refs", json::array(revision.refs.begin(), revision.refs.end())},
                                       {"files", revision.files},
                                       {"bytes", revision.bytes}});
    }
    rows.push_back(json::object{{"type", remote_plural(repo.repo.type)},
                                {"name", repo.repo.name},
                                {"bytes", repo.bytes},
                                {"revisions", std::move(revisions)}});
    if (!arguments.has("--json"))
      world.print(fmt::format("{:<48} {:>10} {:>9} {:>9}\n",
                              std::string(remote_prefix(repo.repo.type)) + repo.repo.name,
                              format_bytes(repo.bytes), repo.revisions.size(), files));
  }
  if (arguments.has("--json")) print_json(world, {{"repositories", std::move(rows)}});
  return exit_done;
}

Result<int> cache_verify(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> cache, open_cache(world));
  Progress progress(world, "checking");
  uint64_t blobs = 0;
  TRY(std::vector<CacheDamage> damage, verify_cache(*cache, [&](const std::string& blob) {
        ++blobs;
        progress.say(blob);
      }));
  progress.end();
  json::array rows;
  for (const CacheDamage& one : damage) {
    rows.push_back(json::object{{"repository", one.repo}, {"blob", one.blob}, {"why", one.why}});
    if (!arguments.has("--json"))
      world.print(fmt::format("{}: {} is damaged: {}\n", one.repo, one.blob, one.why));
  }
  if (arguments.has("--json"))
    print_json(world, {{"blobs", blobs}, {"damaged", std::move(rows)}});
  else
    world.print(fmt::format("{} blobs read, {} damaged\n", blobs, damage.size()));
  return damage.empty() ? exit_done : exit_failed;
}

Result<int> cache_prune(World& world, const Arguments& arguments) {
  TRY(std::unique_ptr<io::Disk> cache, open_cache(world));
  TRY(uint64_t freed, prune_cache(*cache));
  if (arguments.has("--json"))
    print_json(world, {{"bytes", freed}});
  else
    world.print(fmt::format("{} given back\n", format_bytes(freed)));
  return exit_done;
}

}  // namespace

std::vector<Command> hub_commands() {
  constexpr FlagRow revision{"--revision", "NAME", "Branch, tag or commit [main]."};
  constexpr FlagRow private_flag{"--private", {}, "A new repository is private."};
  constexpr FlagRow message{"--message", "TEXT", "Of the commit."};
  constexpr FlagRow create{"--create", {}, "Create the repository when it is not there."};
  constexpr FlagRow exist_ok{"--exist-ok", {}, "That it exists already is fine."};
  return {
      client_command("login", "[--token TOKEN]", "Checks a token and keeps it for this user.",
                     "holdfast login --endpoint http://127.0.0.1:8080",
                     {{endpoint_flag, token_flag, json_flag}}, login),
      client_command("whoami", "", "Says whose token it is.", "holdfast whoami",
                     {{endpoint_flag, token_flag, json_flag}}, whoami),
      client_command("download", "REPO [PATH …]",
                     "Brings a revision into the shared cache and prints its folder.",
                     "holdfast download demo/all-MiniLM-L6-v2 --revision main",
                     {{revision, type_flag, endpoint_flag, token_flag, json_flag}, 1, 1000}, download),
      client_command(
          "upload", "REPO FILE|FOLDER [PATH]", "Publishes a file or a folder as one commit.",
          "holdfast upload demo/model ./model --create",
          {{revision, message, create, private_flag, type_flag, endpoint_flag, token_flag, json_flag}, 2, 3},
          upload),
      client_command(
          "repo create", "REPO", "Creates a repository.", "holdfast repo create demo/model --private",
          {{private_flag, exist_ok, type_flag, endpoint_flag, token_flag, json_flag}, 1, 1}, repo_create),
      client_command("repo delete", "REPO", "Deletes a repository.", "holdfast repo delete demo/model",
                     {{type_flag, endpoint_flag, token_flag, json_flag}, 1, 1}, repo_delete),
      client_command("cache list", "", "Shows what the shared cache holds.", "holdfast cache list",
                     {{json_flag}}, cache_list),
      client_command("cache verify", "", "Reads every cached file again and compares its digest.",
                     "holdfast cache verify", {{json_flag}}, cache_verify),
      client_command("cache prune", "", "Removes revisions without a name and unfinished downloads.",
                     "holdfast cache prune", {{json_flag}}, cache_prune),
  };
}

}  // namespace holdfast::cli
