#include "app/serve_options.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <vector>

#include "base/arguments.h"
#include "io/disk.h"
#include "net/forwarded.h"

namespace holdfast::app {
namespace {

constexpr std::array table = {
    OptionRow{"listen", OptionKind::text, "127.0.0.1:8080",
              "Address and port of the HTTP door; port 0 takes any free one."},
    OptionRow{"next-free-port", OptionKind::flag, "false",
              "When the port is taken, take one of the 50 after it."},
    OptionRow{"data", OptionKind::text, "data",
              "Folder of database, repositories, content and keys; made when missing."},
    OptionRow{"database",
              OptionKind::text,
              "",
              "postgresql://… instead of SQLite in the data folder.",
              0,
              0,
              {},
              OptionShown::secret},
    OptionRow{"public-url", OptionKind::text, "",
              "Address that answers start with, when a proxy stands in front."},
    OptionRow{"trusted-proxies", OptionKind::text, "",
              "Addresses of proxies (\"127.0.0.1, ::1\") whose X-Forwarded-For and X-Forwarded-Proto are "
              "believed."},
    OptionRow{"tls-certificate", OptionKind::text, "", "PEM file; with tls-key the door speaks HTTPS."},
    OptionRow{"tls-key", OptionKind::text, "", "PEM file of the certificate's private key."},
    OptionRow{"log-level", OptionKind::choice, "info",
              "From which level on events are logged, one JSON line each, on standard error.", 0, 0,
              "debug|info|warn|error"},
    OptionRow{"checkpoints", OptionKind::text, "",
              "Folder outside of the data for signed checkpoints of the audit log, one a minute at most."},
    OptionRow{
        "model", OptionKind::text, "",
        "NS/NAME@REVISION that is served from the start: taken over where it is not here yet, then kept."},
    OptionRow{"model-from", OptionKind::text, "",
              "The hub that has it, or a folder with its files [HF_ENDPOINT, with HF_TOKEN]."},
    OptionRow{"manual-clock", OptionKind::flag, "false",
              "For tests: an instance administrator may move the server's clock on. Never in production."},
    OptionRow{"json", OptionKind::flag, "false", "Tell what happens at start as JSON lines."},
    OptionRow{"checks.pickle", OptionKind::choice, "refuse",
              "What follows when a pushed pickle or archive would run code.", 0, 0, "refuse|hold|warn"},
    OptionRow{"checks.secrets", OptionKind::choice, "hold",
              "What follows when a pushed text holds a secret; live tokens of this hub are always refused.",
              0, 0, "refuse|hold|warn"},
    OptionRow{"checks.license", OptionKind::choice, "hold", "What follows when a card names no licence.", 0,
              0, "refuse|hold|warn"},
    OptionRow{"checks.card", OptionKind::choice, "licence",
              "What the card of a release must have before its gate passes: a licence, or every section too.",
              0, 0, "licence|complete"},
    OptionRow{
        "checks.sensitive", OptionKind::choice, "warn",
        "What follows when personal, payment or health data, keys or confidential papers are pushed to a "
        "repository that was not cleared for them.",
        0, 0, "refuse|warn"},
    OptionRow{"checks.release", OptionKind::choice, "one",
              "How many people release a revision that is held: one, or two who are not the same.", 0, 0,
              "one|two"},
    OptionRow{"cost.worker-hour", OptionKind::text, "0.05",
              "What an hour of one model worker costs, in your currency: for the cost of a prediction."},
    OptionRow{
        "slo.availability", OptionKind::text, "99.9",
        "Percent of valid requests that endpoints promise to answer, where a record says nothing else."},
    OptionRow{"slo.latency", OptionKind::duration, "300ms", "The time that their answers promise to keep.", 1,
              3'600'000},
    OptionRow{"slo.latency-share", OptionKind::text, "95", "Percent of answers that keep it."},
    OptionRow{"slo.shadow-percent", OptionKind::text, "1",
              "Of classifiers' answers: as many are asked of the version before as well, to see how often "
              "the two disagree."},
    OptionRow{"slo.meaning-endpoint", OptionKind::text, "",
              "An embedding endpoint (namespace/name) that says which inputs are alike, so that errors are "
              "also gathered by what was asked; empty: none."},
    OptionRow{"slo.meaning-percent", OptionKind::text, "10", "Of the requests, as many are looked at so."},
    OptionRow{"slo.meaning-likeness", OptionKind::text, "35",
              "Percent of likeness (the cosine) from which on inputs are of one cluster."},
    OptionRow{"probes.every", OptionKind::duration, "5m",
              "How often golden examples are put to every version that answers or waits to; 0 never.", 0,
              86'400'000},
    OptionRow{
        "cache.answers", OptionKind::bytes, "64MiB",
        "For models' answers that are the same every time, given again to who asked before; 0 keeps none.", 0,
        1LL << 40},
    OptionRow{"scaling.up-queue-delay", OptionKind::duration, "500ms",
              "A model gets one replica more, up to its most, when a request waits longer than this …", 1,
              600'000},
    OptionRow{"scaling.up-utilization", OptionKind::count, "80",
              "… or its replicas are busy for more than this percentage of the time …", 1, 100},
    OptionRow{"scaling.up-after", OptionKind::duration, "2s", "… all through this time.", 0, 3'600'000},
    OptionRow{
        "scaling.down-utilization", OptionKind::count, "50",
        "One fewer, down to its least, when those that stay would be busy for no more percent than this …", 0,
        100},
    OptionRow{"scaling.down-after", OptionKind::duration, "60s", "… on average over this time.", 0,
              86'400'000},
    OptionRow{
        "privacy.zero-retention", OptionKind::flag, "false",
        "What models are asked and answer is kept nowhere: not for replay, drift, comparison or again."},
    OptionRow{"input.signs", OptionKind::choice, "count",
              "What is done about inputs to models that write which look like instructions to the model.", 0,
              0, "pass|count|refuse"},
    OptionRow{"input.unusual", OptionKind::choice, "tell",
              "Whether a caller whose inputs are odd is told of only, or has one request a second.", 0, 0,
              "tell|limit"},
    OptionRow{"input.control-characters", OptionKind::choice, "refuse",
              "Whether inputs to models may hold control characters other than tab and line ends.", 0, 0,
              "refuse|allow"},
    OptionRow{
        "metrics.aliases", OptionKind::text, "",
        "Figures of models under other servers' names too: some of tgi, tei, vllm, with commas between."},
    OptionRow{"traces.endpoint", OptionKind::text, "",
              "OTLP collector (http://host:4318) that gets a trace of every request to a model."},
    OptionRow{"traces.sample-percent", OptionKind::text, "100",
              "Of the traces that begin here; a caller's traceparent says for itself."},
    OptionRow{
        "secrets.key-file", OptionKind::text, "",
        "File with the key (64 hexadecimal digits) of the secrets store instead of the data folder's own; "
        "HOLDFAST_SECRETS_KEY holds the key itself."},
    OptionRow{"secrets.vault-url", OptionKind::text, "",
              "HashiCorp Vault, for secrets that lie there (KV version 2)."},
    OptionRow{"secrets.vault-token-file", OptionKind::text, "", "File with the token for Vault."},
    OptionRow{"webhooks.private-addresses", OptionKind::flag, "false",
              "Webhooks may name servers in private networks and on this machine."},
    OptionRow{"limits.disk-threads", OptionKind::count, "64",
              "Requests worked on at once, on disk, in the database or waiting for a model.", 1, 512},
    OptionRow{"limits.connections", OptionKind::count, "4096", "Open connections; more are refused at once.",
              1, 100'000},
    OptionRow{"limits.head-timeout", OptionKind::duration, "15s",
              "From the first byte of a request to the end of its head.", 100, 600'000},
    OptionRow{"limits.idle-timeout", OptionKind::duration, "75s",
              "Between requests, and between pieces of a body.", 100, 3'600'000},
    OptionRow{"limits.workers", OptionKind::count, "4",
              "Model workers at once, replicas counted each; models that nobody keeps give way.", 1, 256},
    OptionRow{
        "limits.queue-delay", OptionKind::duration, "300ms",
        "A request that says no deadline waits no longer than this for its turn at a model, or than four "
        "times as long as it takes itself: where more would come, it is refused at once; 0s lets it wait. "
        "An endpoint may say its own.",
        0, 3'600'000},
    OptionRow{"limits.worker-threads", OptionKind::count, "2", "Threads that a worker computes with.", 1, 64},
    OptionRow{
        "limits.worker-memory", OptionKind::bytes, "0",
        "What all workers may have in memory together when an endpoint gets another version beside the one "
        "that answers; 0: what the machine, or the server's control group, has.",
        0, 1LL << 50},
    OptionRow{"limits.worker-heartbeat", OptionKind::duration, "2s",
              "How often a worker shows that it lives; after two that are missed it is replaced.", 50,
              600'000},
    OptionRow{"limits.lfs-part", OptionKind::bytes, "64MiB",
              "LFS objects above 80 such parts go up in parts, where the client can.", 64 << 10, 1LL << 32},
    OptionRow{"limits.stop-timeout", OptionKind::duration, "20s",
              "For running answers when the server stops.", 0, 600'000},
};

constexpr uint64_t file_bytes_max = 1 << 20;

// What the command line may say: every option of the table, and the file.
std::vector<FlagRow> flag_rows(const std::vector<std::string>& names) {
  std::vector<FlagRow> rows{{"--config", "FILE", "TOML file with any of these options."}};
  for (size_t i = 0; i < table.size(); ++i)
    rows.push_back({names[i],
                    table[i].kind == OptionKind::flag ? std::string_view() : std::string_view("VALUE"),
                    table[i].help});
  return rows;
}

Result<OptionPairs> read_file(std::string_view path) {
  TRY(std::unique_ptr<io::Disk> disk,
      io::open_posix_disk(io::Path(path).has_parent_path() ? io::Path(path).parent_path() : io::Path(".")));
  auto text = io::read_text(*disk, io::Path(path).filename(), file_bytes_max);
  if (!text.ok())
    return fail(Reason::bad_request,
                fmt::format("--config {} cannot be read: {}", path, text.error().message));
  return parse_option_file(text.value());
}

LogLevel level_of(std::string_view name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warn") return LogLevel::warn;
  if (name == "error") return LogLevel::error;
  return LogLevel::info;
}

Result<uint16_t> parse_port(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size())
    return fail(Reason::bad_request, fmt::format("the port of --listen is 0 to 65535, not '{}'", text));
  return port;
}

Result<double> parse_number(std::string_view name, std::string_view text, double most) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number >= 0 && number <= most))
    return fail(Reason::bad_request, fmt::format("--{} is 0 to {}, not '{}'", name, most, text));
  return number;
}

}  // namespace

std::span<const OptionRow> serve_options() { return table; }

Result<Listen> parse_listen(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(Reason::bad_request, fmt::format("--listen is ADDRESS:PORT, not '{}'", text));
  Listen listen;
  std::string_view address = text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  listen.address = address;
  TRY(listen.port, parse_port(text.substr(colon + 1)));
  return listen;
}

Result<ServeOptions> read_serve_options(std::span<const std::string_view> words, const cli::World& world) {
  std::vector<std::string> names;
  for (const OptionRow& row : table) names.push_back("--" + std::string(row.name));
  const std::vector<FlagRow> rows = flag_rows(names);
  TRY(Arguments arguments, Arguments::parse({rows, 0, 0}, words));
  OptionSources sources;
  sources.environment = [&world](const std::string& name) { return world.environment(name); };
  for (const auto& [name, value] : arguments.flags())
    if (name != "--config")
      sources.flags.emplace_back(name.substr(2), value.empty() ? "true" : std::string(value));
  if (const auto file = arguments.value("--config")) {
    TRY(sources.file, read_file(*file));
  }
  TRY(Options chosen, Options::read(table, sources));

  ServeOptions options;
  options.data = chosen.text("data");
  options.database = chosen.text("database");
  options.public_url = chosen.text("public-url");
  while (options.public_url.ends_with('/')) options.public_url.pop_back();
  TRY(Listen listen, parse_listen(chosen.text("listen")));
  options.server.address = listen.address;
  options.server.port = listen.port;
  options.server.next_free_port = chosen.flag("next-free-port");
  TRY(options.server.trusted_proxies, net::parse_addresses(chosen.text("trusted-proxies")));
  options.server.certificate_file = chosen.text("tls-certificate");
  options.server.key_file = chosen.text("tls-key");
  if (options.server.certificate_file.empty() != options.server.key_file.empty())
    return fail(Reason::bad_request, "--tls-certificate and --tls-key go together");
  options.server.disk_threads = static_cast<int>(chosen.count("limits.disk-threads"));
  options.server.limits.connections_max = static_cast<size_t>(chosen.count("limits.connections"));
  options.server.limits.head_timeout = chosen.duration("limits.head-timeout");
  options.server.limits.idle_timeout = chosen.duration("limits.idle-timeout");
  options.server.limits.stop_timeout = chosen.duration("limits.stop-timeout");
  options.workers_max = static_cast<size_t>(chosen.count("limits.workers"));
  options.queue_delay_max = chosen.duration("limits.queue-delay");
  options.worker.threads = static_cast<int>(chosen.count("limits.worker-threads"));
  options.worker_memory = chosen.bytes("limits.worker-memory");
  options.worker.heartbeat = chosen.duration("limits.worker-heartbeat");
  options.scaling.up_queue_delay = chosen.duration("scaling.up-queue-delay");
  options.scaling.up_utilization = static_cast<double>(chosen.count("scaling.up-utilization")) / 100;
  options.scaling.up_after = chosen.duration("scaling.up-after");
  options.scaling.down_utilization = static_cast<double>(chosen.count("scaling.down-utilization")) / 100;
  options.scaling.down_after = chosen.duration("scaling.down-after");
  options.lfs.part_bytes = chosen.bytes("limits.lfs-part");
  options.lfs.parts_above_bytes = 80 * options.lfs.part_bytes;
  options.checks.pickle = *repo::on_finding_of_name(chosen.text("checks.pickle"));
  options.checks.secrets = *repo::on_finding_of_name(chosen.text("checks.secrets"));
  options.checks.license = *repo::on_finding_of_name(chosen.text("checks.license"));
  if (chosen.text("checks.card") == "complete") options.card_demand = CardDemand::complete;
  if (chosen.text("checks.sensitive") == "refuse") options.checks.sensitive = repo::OnSensitive::refuse;
  if (chosen.text("checks.release") == "two") options.checks.release = repo::ReleasePeople::two;
  TRY(options.desk.price_per_hour, parse_number("cost.worker-hour", chosen.text("cost.worker-hour"), 1e6));
  TRY(const double availability, parse_number("slo.availability", chosen.text("slo.availability"), 99.9999));
  TRY(const double share, parse_number("slo.latency-share", chosen.text("slo.latency-share"), 99.9999));
  options.desk.usual = {.availability = availability / 100,
                        .latency = chosen.duration("slo.latency"),
                        .latency_share = share / 100};
  TRY(options.shadow_percent, parse_number("slo.shadow-percent", chosen.text("slo.shadow-percent"), 100));
  options.meaning.endpoint = chosen.text("slo.meaning-endpoint");
  if (!options.meaning.endpoint.empty() && options.meaning.endpoint.find('/') == std::string::npos)
    return fail(Reason::bad_request, "slo.meaning-endpoint is namespace/name");
  TRY(const double looked_at, parse_number("slo.meaning-percent", chosen.text("slo.meaning-percent"), 100));
  TRY(const double likeness, parse_number("slo.meaning-likeness", chosen.text("slo.meaning-likeness"), 100));
  options.meaning.share = looked_at / 100;
  options.meaning.likeness = likeness / 100;
  options.probes_every = chosen.duration("probes.every");
  options.zero_retention = chosen.flag("privacy.zero-retention");
  options.cache_bytes = chosen.bytes("cache.answers");
  const std::string_view signs = chosen.text("input.signs");
  options.input_rules.signs = signs == "pass"     ? serve::InputRules::Signs::pass
                              : signs == "refuse" ? serve::InputRules::Signs::refuse
                                                  : serve::InputRules::Signs::count;
  if (chosen.text("input.unusual") == "limit") options.callers.unusual = serve::CallerOptions::Unusual::limit;
  options.control_characters = chosen.text("input.control-characters") == "allow";
  TRY(options.metric_aliases, observe::parse_aliases(chosen.text("metrics.aliases")));
  options.traces.endpoint = chosen.text("traces.endpoint");
  TRY(options.traces.sample_percent,
      parse_number("traces.sample-percent", chosen.text("traces.sample-percent"), 100));
  options.secrets.key_file = chosen.text("secrets.key-file");
  options.secrets.vault_url = chosen.text("secrets.vault-url");
  while (options.secrets.vault_url.ends_with('/')) options.secrets.vault_url.pop_back();
  options.secrets.vault_token_file = chosen.text("secrets.vault-token-file");
  options.secrets.environment = sources.environment;
  options.private_webhooks =
      chosen.flag("webhooks.private-addresses") ? PrivateWebhooks::allowed : PrivateWebhooks::refused;
  options.log_level = level_of(chosen.text("log-level"));
  options.checkpoints = chosen.text("checkpoints");
  options.model.model = chosen.text("model");
  options.model.from = chosen.text("model-from");
  if (options.model.from.empty()) options.model.from = world.environment("HF_ENDPOINT").value_or("");
  while (options.model.from.ends_with('/')) options.model.from.pop_back();
  options.model.signed_in = world.environment("HF_TOKEN").has_value();
  options.manual_clock = chosen.flag("manual-clock");
  options.output = chosen.flag("json") ? cli::Output::json : cli::Output::people;
  return options;
}

}  // namespace holdfast::app
