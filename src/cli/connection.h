#pragma once

#include <boost/json/fwd.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/arguments.h"
#include "cli/command.h"
#include "exchange/hub_client.h"
#include "io/disk.h"
#include "net/client.h"

namespace holdfast::cli {

using exchange::HubClient;

// The flags of every command that speaks to a hub.
inline constexpr FlagRow endpoint_flag{"--endpoint", "URL", "The hub [HF_ENDPOINT]."};
inline constexpr FlagRow token_flag{"--token", "TOKEN",
                                    "Access token [HF_TOKEN, else the one `holdfast login` kept]."};
inline constexpr FlagRow client_json_flag{"--json", {}, "One JSON object on standard output."};
inline constexpr size_t token_bytes_max = 4096;

// Where huggingface_hub keeps its cache and token: HF_HOME, else the user's cache folder.
Result<io::Path> hub_home(World& world);
Result<std::unique_ptr<io::Disk>> open_home(World& world);
std::string trimmed(std::string text);  // Without white space at its end.

// The connection a command works with; the client outlives the hub that borrows it.
struct Connection {
  std::unique_ptr<net::Client> client;
  std::unique_ptr<HubClient> hub;
};
Result<Connection> connect(World& world, const Arguments& arguments);

// Asks one of the hub's JSON routes: `body` is sent as it is, "{…}" or YAML. An answer of 400 and above is an
// error with the hub's words, and below them what it misses, one a line.
struct Question {
  std::string method = "GET", path, body{};
  std::string content_type = "application/json";
};
Result<boost::json::value> ask_json(World& world, const Arguments& arguments, const Question& question);
// The same, for an answer that is text.
Result<std::string> ask_text(World& world, const Arguments& arguments, const Question& question);

// A command that speaks to a hub: reads its words by the shape, runs, reports an error.
struct Shape {
  std::vector<FlagRow> flags;
  size_t least = 0, most = 0;
};
using Work = Result<int> (*)(World&, const Arguments&);
Command client_command(std::string words, std::string arguments, std::string summary, std::string example,
                       const Shape& shape, Work work);

}  // namespace holdfast::cli
