#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/lfs_limits.h"
#include "app/card_demand.h"
#include "app/exchanging.h"
#include "app/start_model.h"
#include "base/log.h"
#include "base/options.h"
#include "base/result.h"
#include "cli/command.h"
#include "net/server.h"
#include "observe/desk.h"
#include "observe/metric_aliases.h"
#include "repo/checks.h"
#include "serve/callers.h"
#include "serve/input_rules.h"
#include "serve/scaling.h"
#include "serve/worker_process.h"

namespace holdfast::app {

// What `holdfast serve` was told, read once from flags, environment and defaults.
struct ServeOptions {
  std::string data;
  std::string database;    // Empty: SQLite in the data folder.
  std::string public_url;  // Empty: answers use the request's Host.
  net::ServerOptions server;
  api::LfsLimits lfs;
  bool manual_clock = false;
  StartModel model;
  std::string checkpoints;  // Folder; empty: none are written.
  repo::CheckPolicy checks;
  CardDemand card_demand = CardDemand::licence;
  observe::DeskOptions desk;
  observe::TraceOptions traces;
  SecretOptions secrets;
  PrivateWebhooks private_webhooks = PrivateWebhooks::refused;
  double shadow_percent = 0;
  observe::MeaningMap::Options meaning{};
  std::chrono::milliseconds probes_every{};  // Zero: never.
  bool zero_retention = false;
  bool control_characters = false;  // Inputs to models may hold them.
  serve::InputRules input_rules;    // Where an endpoint has none of its own.
  serve::CallerOptions callers;
  observe::AliasSet metric_aliases;
  uint64_t cache_bytes = 0;  // Of models' answers.
  size_t workers_max = 4;
  uint64_t worker_memory = 0;   // Of all workers together; 0: what the machine has.
  serve::WorkerOptions worker;  // But for the program.
  serve::ScalingOptions scaling;
  std::chrono::milliseconds queue_delay_max{};  // Of requests that say no deadline; 0: none.
  LogLevel log_level = LogLevel::info;
  cli::Output output = cli::Output::people;
};

// The one table of the options a user meets: parser, help, docs/options.md and the errors about unknown names
// are made from it. Precedence: flag, environment (HOLDFAST_…), the TOML file of --config, the table.
std::span<const OptionRow> serve_options();

Result<ServeOptions> read_serve_options(std::span<const std::string_view> words, const cli::World& world);

// "--listen ADDRESS:PORT"; IPv6 as "[::1]:8080".
struct Listen {
  std::string address;
  uint16_t port = 0;
};
Result<Listen> parse_listen(std::string_view text);

}  // namespace holdfast::app
