#include "app/program.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>

#include "api/ask_again.h"
#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/guarded_stream.h"
#include "api/health.h"
#include "api/known_endpoints.h"
#include "api/lfs_parts.h"
#include "api/mount_watched.h"
#include "api/openapi.h"
#include "api/routes.h"
#include "api/services.h"
#include "app/batching.h"
#include "app/degradation.h"
#include "app/evaluating.h"
#include "app/exchanging.h"
#include "app/keeping.h"
#include "app/machine_memory.h"
#include "app/maintenance.h"
#include "app/model_files.h"
#include "app/moved_clock.h"
#include "app/observing.h"
#include "app/probing.h"
#include "app/process_probe.h"
#include "app/release_checker.h"
#include "app/watching.h"
#include "base/data_layout.h"
#include "cli/capabilities.h"
#include "cli/instance.h"
#include "cli/lock.h"
#include "cli/version.h"
#include "git/git_hook.h"
#include "git/hook_server.h"
#include "git/smart_http.h"
#include "govern/evaluations.h"
#include "govern/registry.h"
#include "identity/checkpoint.h"
#include "identity/reserved_names.h"
#include "identity/user_caller.h"
#include "io/folder_lock.h"
#include "job/batches.h"
#include "net/client.h"
#include "net/server.h"
#include "observe/rounds.h"
#include "page/pages.h"
#include "repo/creation.h"
#include "repo/hub.h"
#include "repo/masking_jobs.h"
#include "serve/answer_cache.h"
#include "serve/capabilities.h"
#include "serve/fallbacks.h"
#include "serve/guardrails.h"
#include "serve/guards.h"
#include "serve/lock_file.h"
#include "serve/models.h"
#include "serve/quotas.h"
#include "serve/warm_hours.h"

namespace holdfast::app {
namespace {

constexpr uint64_t free_bytes_min = 64 << 20;  // Below it a commit's journal may not fit.
constexpr size_t socket_name_max = 100;        // The kernel's limit is 107.

// A folder of the machine's; an empty one where it has none, since a disk makes its root.
Result<std::unique_ptr<io::Disk>> open_if_there(const io::Path& folder) {
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return io::make_memory_disk();
  return io::open_posix_disk(folder);
}

// In the data folder, or, where its path is too long for a socket, in a folder of its own under /tmp.
Result<io::Path> hook_socket_path(io::Disk& disk, Random& random) {
  io::Path path = disk.absolute(io::Path(data_layout::run) / "hooks.sock");
  if (path.string().size() <= socket_name_max) return path;
  const io::Path folder = "/tmp/holdfast-" + random.hex(8);
  TRY(std::unique_ptr<io::Disk> made, io::open_posix_disk(folder));
  TRY_DONE(made->restrict_to_owner("."));
  return folder / "hooks.sock";
}

// Names of routes are no names of users (design decision 14). The command line, which has no router, refuses
// by the list of identity/reserved_names.h; that list and the router's own table must agree.
Status check_reserved_names(const net::Router& router) {
  for (const std::string& name : router.reserved_names())
    if (!identity::is_reserved_name(name))
      return fail(Code::internal,
                  fmt::format("'{}' is a route and missing in identity/reserved_names.h", name));
  return Done{};
}

// Where no route answers, a browser gets the pages.
net::Response write_error_or_page(const net::Request& request, const Error& error, const Context& context) {
  if (auto document = page::answer_browser(request, error)) return std::move(*document);
  return api::write_error(request, error, context);
}

class RunningProgram final : public Program {
 public:
  RunningProgram(const ServeOptions& options, const Clock& clock, Random& random, Log& log)
      : moved_clock_(clock),
        clock_(options.manual_clock ? static_cast<const Clock&>(moved_clock_) : clock),
        random_(random),
        log_(log) {}
  ~RunningProgram() override { stop(); }

  Status open(const ServeOptions& options, const std::string& program_path) {
    const rlimit no_cores{0, 0};  // They would hold what models are asked, and secrets.
    (void)::setrlimit(RLIMIT_CORE, &no_cores);
    rlimit files{};  // Connections are files: as many as the machine's owner allows.
    if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
      files.rlim_cur = files.rlim_max;
      (void)::setrlimit(RLIMIT_NOFILE, &files);
    }
    cli::InstanceOptions instance;
    instance.data = options.data;
    instance.database = options.database;
    TRY(instance_, cli::Instance::open(instance, cli::WhenMissing::create, clock_, random_, log_));
    TRY(lock_, io::lock_folder(instance_->disk().absolute(data_layout::run), "serve.lock",
                               fmt::format("holdfast serve, pid {}", ::getpid())));
    TRY_DONE(instance_->disk().remove_tree(data_layout::views));
    TRY(first_admin_, identity::ensure_first_admin(instance_->accounts(), instance_->tokens()));
    TRY_DONE(open_hub(options, program_path));
    TRY_DONE(open_models(options, program_path));
    open_clients();
    TRY_DONE(open_exchange(options));
    open_registry(options.card_demand);
    TRY(time_zones_, open_if_there("/usr/share/zoneinfo"));
    TRY(schedules_, serve::WarmSchedules::open(instance_->database(), *time_zones_));
    open_jobs();
    if (!options.traces.endpoint.empty()) {
      observe::TraceOptions traces = options.traces;
      traces.program_version = std::string(cli::program_version());
      traces_ = observe::start_trace_exporter(traces, *any_engines_, log_, instance_->metrics());
    }
    series_names_.emplace(instance_->key());
    shadow_ = std::make_unique<observe::Shadow>(observe::Shadow::Parts{.live = registry_->live,
                                                                       .names = *series_names_,
                                                                       .random = random_,
                                                                       .log = log_,
                                                                       .metrics = instance_->metrics()},
                                                options.shadow_percent);
    meanings_ = std::make_unique<observe::MeaningMap>(
        options.meaning, observe::MeaningMap::Parts{clock_, random_, instance_->metrics()});
    desk_ = std::make_unique<observe::Desk>(options.desk, observe::DeskParts{.names = *series_names_,
                                                                             .instance_key = instance_->key(),
                                                                             .clock = clock_,
                                                                             .ticks = ticks_,
                                                                             .random = random_,
                                                                             .log = log_,
                                                                             .metrics = instance_->metrics(),
                                                                             .traces = traces_.get(),
                                                                             .shadow = shadow_.get(),
                                                                             .meanings = meanings_.get()});
    TRY_DONE(open_doors(options));
    lfs_parts_.emplace(instance_->disk(), random_, data_layout::uploads);
    probe_.emplace(instance_->metrics(), instance_->content(), instance_->disk());
    if (!options.checkpoints.empty()) {
      TRY(identity::CheckpointKey key, identity::CheckpointKey::open(instance_->disk(), random_));
      TRY(checkpoints_,
          CheckpointWriter::open(options.checkpoints,
                                 {instance_->audit(), instance_->database(), std::move(key), clock_}));
    }
    rounds_ = std::make_unique<observe::Rounds>(observe::Rounds::Parts{.desk = *desk_,
                                                                       .shadow = shadow_.get(),
                                                                       .asker = shadow_asker_.get(),
                                                                       .database = instance_->database(),
                                                                       .registry = *registry_,
                                                                       .auditor = *auditor_,
                                                                       .clock = clock_,
                                                                       .log = log_,
                                                                       .metrics = instance_->metrics()});
    observing_ = start_observing(*rounds_, log_);
    if (meanings_->looks()) meaning_work_ = observe::start_meaning(*meanings_, *meaning_asker_);
    watching_ = start_watching(*registry_, checkpoints_.get(), log_);
    TRY(evaluating_, start_evaluating(*evaluations_, std::move(release_askers_), log_));
    if (options.probes_every.count() > 0)
      probing_ = start_probing(
          {*registry_, instance_->database(), *series_names_, ticks_, log_, instance_->metrics()},
          {std::move(probe_askers_), std::move(endpoint_asker_)}, options.probes_every);
    keeping_ = start_keeping(*keeper_, *models_, log_);
    batching_ = start_batching(*batches_, api::make_request_asker(table_, *services_), log_);
    maintenance_ = start_maintenance({.content = instance_->content(),
                                      .hub = *hub_,
                                      .lfs_parts = *lfs_parts_,
                                      .probe = *probe_,
                                      .models = *models_,
                                      .callers = *callers_,
                                      .database = instance_->database(),
                                      .audit = instance_->audit(),
                                      .kinship = exchanging_->kinship(),
                                      .clock = clock_,
                                      .log = log_});
    url_ = fmt::format("{}://{}:{}", options.server.certificate_file.empty() ? "http" : "https",
                       options.server.address.find(':') == std::string::npos
                           ? options.server.address
                           : "[" + options.server.address + "]",
                       server_->port());
    exchanging_->start_webhooks(options.public_url.empty() ? url_ : options.public_url);
    log_.info("listening", {{"url", url_}});
    if (!options.model.model.empty()) {
      TRY(const std::string endpoint, start_model({*hub_, *exchanging_, *registry_, log_}, options.model));
      log_.info("model_served", {{"endpoint", endpoint}});
    }
    started_ = true;
    return Done{};
  }

  std::string url() const override { return url_; }
  const std::optional<identity::FirstAdmin>& first_admin() const override { return first_admin_; }

  void stop() override {
    stopping_ = true;
    maintenance_.reset();
    probing_.reset();
    keeping_.reset();
    batching_.reset();
    evaluating_.reset();
    if (server_) server_->stop();
    server_.reset();
    masking_.reset();
    exchanging_.reset();
    observing_.reset();
    meaning_work_.reset();
    watching_.reset();
    // What is cut now says how it ended, to what is still open.
    guarded_streams_.reset();
    engine_streams_.reset();
    cached_models_.reset();
    models_.reset();
  }

 private:
  Status open_hub(const ServeOptions& options, const std::string& program_path) {
    repo::HubParts parts{instance_->database(),
                         instance_->disk(),
                         instance_->content(),
                         instance_->permission(),
                         instance_->audit(),
                         clock_,
                         random_,
                         log_};
    hub_ = std::make_unique<repo::Hub>(parts);
    hub_->checks.configure(options.checks, [this](std::string_view text, std::string_view where) {
      return is_live_token(text, where);
    });
    TRY(size_t repaired, hub_->publisher.repair());
    if (repaired > 0) log_.warn("refs_repaired", {{"refs", repaired}});
    TRY(const size_t unborn, repo::sweep_unborn(instance_->disk(), hub_->storage, hub_->repositories));
    if (unborn > 0) log_.warn("unborn_repositories_swept", {{"repositories", unborn}});
    TRY_DONE(git::install_hooks(instance_->disk(), data_layout::hooks, program_path));
    git::HookServerOptions hooks;
    TRY(hooks.socket, hook_socket_path(instance_->disk(), random_));
    TRY(hook_server_,
        git::start_hook_server(hooks, hub_->push_rules, hub_->push_rules, clock_, random_, log_));
    git::SmartHttpOptions smart;
    smart.hooks_folder = instance_->disk().absolute(data_layout::hooks);
    smart_http_ = git::make_smart_http(smart, *hook_server_, clock_, log_);
    return Done{};
  }

  // Models run in child processes of this program, from plain copies of their files.
  Status open_models(const ServeOptions& chosen, const std::string& program_path) {
    model_files_ = make_model_files(*hub_, instance_->content());
    serve::WorkerOptions worker = chosen.worker;
    worker.program = program_path;
    worker_starter_ = serve::make_process_starter(worker, clock_);
    held_starter_ = serve::hold_to_locks(*worker_starter_, cli::runtime(), instance_->metrics());
    serve::ModelsOptions options;
    options.folder = data_layout::serving;
    options.workers_max = chosen.workers_max;
    options.slot.scaling = chosen.scaling;
    // A fifth of the threads stays free of those that wait for models, and a fifth of the rest of any one
    // key.
    const auto threads = static_cast<size_t>(chosen.server.disk_threads);
    options.waiting_max = std::max<size_t>(threads - threads / 5, 1);
    options.waiting_of_key_max = std::max<size_t>(options.waiting_max - options.waiting_max / 5, 1);
    const serve::ModelsParts parts{.files = *model_files_,
                                   .starter = *held_starter_,
                                   .disk = instance_->disk(),
                                   .clock = clock_,
                                   .ticks = ticks_,
                                   .random = random_,
                                   .log = log_,
                                   .metrics = instance_->metrics()};
    TRY(models_, serve::open_models(options, parts));
    TRY(proc_, open_if_there("/proc"));
    TRY(control_groups_, open_if_there("/sys/fs/cgroup"));
    memory_room_ = make_machine_memory(*proc_, *control_groups_, chosen.worker_memory, ::getpid());
    switch_memory_.emplace(*memory_room_, *model_files_);
    if (chosen.cache_bytes > 0 && !chosen.zero_retention) {
      answer_cache_.emplace(chosen.cache_bytes, instance_->metrics());
      cached_models_ = serve::cache_answers(*models_, *answer_cache_);
    }
    return Done{};
  }

  void open_clients() {
    net::ClientOptions inside;
    inside.addresses = net::AddressPolicy::any;
    any_engines_ = net::make_client(inside, clock_);
    public_engines_ = net::make_client({}, clock_);
  }

  Status open_exchange(const ServeOptions& options) {
    TRY(exchanging_, start_exchanging({.instance = *instance_,
                                       .hub = *hub_,
                                       .any_address = *any_engines_,
                                       .public_addresses = *public_engines_,
                                       .secrets = options.secrets,
                                       .private_webhooks = options.private_webhooks,
                                       .policy = options.checks,
                                       .is_live_token =
                                           [this](std::string_view text, std::string_view where) {
                                             return is_live_token(text, where);
                                           },
                                       .clock = clock_,
                                       .random = random_,
                                       .log = log_}));
    return Done{};
  }

  // A token that lies in content is known to strangers: it ends with the question.
  bool is_live_token(std::string_view text, std::string_view found_in) {
    const auto known = instance_->tokens().find_value(text);
    if (!known.ok() || !known.value()) return false;
    const identity::TokenInfo& token = *known.value();
    const Status revoked = instance_->tokens().revoke_leaked(token.id, found_in);
    if (!revoked.ok()) log_.failure("leaked_token_not_revoked", revoked.error(), {{"token", token.id.raw}});
    log_.warn("leaked_token", {{"token", token.id.raw}, {"user", token.user_name}});
    return true;
  }

  // Who may do what is decided before a request reaches a model, and before a bound token gets a file.
  void open_registry(CardDemand demand) {
    checker_ = make_release_checker(*hub_, instance_->content(), demand);
    auditor_ = make_licence_auditor(*hub_, instance_->content());
    registry_ = std::make_unique<govern::Registry>(
        govern::RegistryParts{.database = instance_->database(),
                              .permission = instance_->permission(),
                              .accounts = instance_->accounts(),
                              .audit = instance_->audit(),
                              .hub = *hub_,
                              .checker = *checker_,
                              .instance_key = instance_->key(),
                              .program_version = std::string(cli::program_version()),
                              .clock = clock_,
                              .random = random_,
                              .log = log_});
    evaluations_ = std::make_unique<govern::Evaluations>(
        govern::Evaluations::Parts{.database = instance_->database(),
                                   .registry = *registry_,
                                   .accounts = instance_->accounts(),
                                   .hub = *hub_,
                                   .files = *model_files_,
                                   .metric_code = fmt::format("holdfast {}", cli::program_version()),
                                   .clock = clock_,
                                   .ticks = ticks_,
                                   .log = log_});
  }

  void open_jobs() {
    engine_streams_ = api::make_engine_streams(ticks_);
    guarded_streams_ = api::make_guarded_streams(ticks_);
    keeper_ = std::make_unique<govern::EndpointKeeper>(
        govern::EndpointKeeper::Parts{.endpoints = registry_->endpoints,
                                      .models = *models_,
                                      .clock = clock_,
                                      .log = log_,
                                      .schedules = schedules_.get()});
    job_files_.emplace(job::Files::Parts{instance_->database(), clock_, random_});
    batches_.emplace(job::Batches::Parts{.database = instance_->database(),
                                         .files = *job_files_,
                                         .accounts = instance_->accounts(),
                                         .tokens = instance_->tokens(),
                                         .clock = clock_,
                                         .random = random_,
                                         .log = log_});
  }

  Status open_doors(const ServeOptions& options) {
    masking_.emplace(repo::MaskingJobs::Parts{
        .database = instance_->database(),
        .hub = *hub_,
        .content = instance_->content(),
        .caller_again = [this](identity::TokenId token, const std::string& name) -> Result<identity::Caller> {
          // A token that was revoked since does nothing more; a browser's session may be over.
          return token.raw > 0 ? instance_->tokens().caller(token)
                               : identity::user_caller(instance_->accounts(), name);
        },
        .clock = clock_,
        .random = random_,
        .log = log_});
    services_.emplace(api::Services{clock_, random_, log_, instance_->metrics(), instance_->database(),
                                    instance_->accounts(), instance_->tokens(), instance_->sessions(),
                                    instance_->permission(), instance_->audit(), instance_->content(), *hub_,
                                    router_, options.public_url, &registry_->gatekeeper,
                                    &registry_->gatekeeper});
    TRY(quotas_, serve::Quotas::open({instance_->database(), clock_, log_, instance_->metrics()}));
    TRY(identity::CheckpointKey key, identity::CheckpointKey::open(instance_->disk(), random_));
    receipt_key_.emplace(std::move(key));
    TRY(fallbacks_, serve::Fallbacks::open({instance_->database(), clock_, instance_->metrics()}));
    TRY(input_rules_, serve::InputRuleBook::open(instance_->database(), options.input_rules));
    TRY(guardrails_, serve::Guardrails::open(instance_->database()));
    callers_.emplace(options.callers, clock_, log_, instance_->metrics());
    capabilities_ = cli::serving_capabilities(*proc_);
    guards_ = {.quotas = quotas_.get(),
               .fallbacks = fallbacks_.get(),
               .answers = answer_cache_ ? &*answer_cache_ : nullptr,
               .input_rules = input_rules_.get(),
               .guardrails = guardrails_.get(),
               .schedules = schedules_.get(),
               .callers = &*callers_,
               .price_per_second = options.desk.price_per_hour / 3600,
               .key = &*receipt_key_,
               .retention =
                   options.zero_retention ? serve::Guards::Retention::none : serve::Guards::Retention::usual,
               .controls = options.control_characters ? serve::Guards::Controls::allowed
                                                      : serve::Guards::Controls::refused,
               .queue_delay_max = options.queue_delay_max,
               .runtime = cli::runtime_name(),
               .libraries = cli::runtime().libraries,
               .capabilities = &capabilities_};
    services_->guards = &guards_;
    known_models_.emplace(clock_);
    services_->known_models = &*known_models_;
    const api::GovernDoor govern{*registry_,
                                 *evaluations_,
                                 *public_engines_,
                                 *any_engines_,
                                 options.manual_clock ? &moved_clock_ : nullptr,
                                 engine_streams_.get(),
                                 guarded_streams_.get(),
                                 &exchanging_->secrets(),
                                 keeper_.get(),
                                 &*switch_memory_};
    shadow_asker_ = api::make_shadow_asker(table_, *services_, govern);
    release_askers_ = api::make_release_askers(*services_, *models_, govern);
    probe_askers_ = api::make_release_askers(*services_, *models_, govern);
    endpoint_asker_ = api::make_endpoint_asker(table_, *services_, govern);
    meaning_asker_ = api::make_endpoint_asker(table_, *services_, govern);
    const api::DoorParts parts{.git = *smart_http_,
                               .models = cached_models_ ? *cached_models_ : *models_,
                               .instance_key = instance_->key(),
                               .data = instance_->disk(),
                               .govern = govern,
                               .job = {*job_files_, *batches_},
                               .lfs = options.lfs,
                               .secrets = &exchanging_->secrets(),
                               .upstreams = &exchanging_->upstreams(),
                               .mirror = &exchanging_->mirror(),
                               .webhooks = &exchanging_->webhooks(),
                               .kinship = &exchanging_->kinship(),
                               .masking = &*masking_,
                               .desk = desk_.get()};
    api::add_all_routes(table_, *services_, parts);
    degradation_ =
        watch_degradation({instance_->disk(), instance_->database(), clock_, log_, instance_->metrics()});
    api::add_openapi_routes(table_, cli::program_version());
    api::add_health_routes(
        table_, *services_, [this] { return ready(); }, [this] { return degradation_->now(); },
        options.metric_aliases);
    TRY_DONE(api::mount_watched(table_, *services_, desk_.get(), &exchanging_->upstream_door(), router_));
    TRY_DONE(page::add_asset_routes(router_));
    TRY_DONE(check_reserved_names(router_));
    TRY(server_, net::start_server(options.server, router_, write_error_or_page, clock_, random_, log_,
                                   instance_->metrics()));
    return Done{};
  }

  Status ready() {
    if (stopping_) return fail(Reason::shutting_down, "stopping");
    if (!started_) return fail(Code::busy, "starting: the model comes");
    TRY(uint64_t free, instance_->disk().free_bytes());
    if (free < free_bytes_min) return fail(Reason::disk_full, "the disk is nearly full");
    return Done{};
  }

  MovedClock moved_clock_;  // Only moved by --manual-clock.
  const Clock& clock_;
  const SystemTicks ticks_;
  Random& random_;
  Log& log_;
  std::atomic<bool> stopping_ = false, started_ = false;
  std::string url_;
  std::optional<identity::FirstAdmin> first_admin_;

  // In the order they are opened; destroyed in reverse.
  std::unique_ptr<cli::Instance> instance_;
  std::unique_ptr<io::FolderLock> lock_;
  std::unique_ptr<repo::Hub> hub_;
  std::unique_ptr<git::HookServer> hook_server_;
  std::unique_ptr<git::SmartHttp> smart_http_;
  std::unique_ptr<serve::FileSource> model_files_;
  std::unique_ptr<serve::WorkerStarter> worker_starter_, held_starter_;
  std::unique_ptr<serve::Models> models_;
  std::unique_ptr<io::Disk> proc_, control_groups_;
  std::unique_ptr<serve::MemoryRoom> memory_room_;
  std::optional<serve::SwitchMemory> switch_memory_;
  std::optional<serve::AnswerCache> answer_cache_;
  std::unique_ptr<serve::Models> cached_models_;  // Null: no answer is kept.
  std::unique_ptr<govern::Checker> checker_;
  std::unique_ptr<observe::LicenceAuditor> auditor_;
  std::unique_ptr<net::Client> any_engines_, public_engines_;
  std::unique_ptr<Exchanging> exchanging_;
  std::unique_ptr<govern::Registry> registry_;
  std::unique_ptr<govern::Evaluations> evaluations_;
  std::unique_ptr<io::Disk> time_zones_;
  std::unique_ptr<serve::WarmSchedules> schedules_;
  std::unique_ptr<govern::EndpointKeeper> keeper_;
  std::unique_ptr<api::EngineStreams> engine_streams_;
  std::unique_ptr<api::GuardedStreams> guarded_streams_;
  std::optional<job::Files> job_files_;
  std::optional<job::Batches> batches_;
  std::optional<observe::SeriesNames> series_names_;
  std::unique_ptr<observe::Shadow> shadow_;
  std::unique_ptr<observe::ShadowAsker> shadow_asker_;
  std::unique_ptr<observe::MeaningMap> meanings_;
  std::unique_ptr<govern::ReleaseAskers> release_askers_, probe_askers_;
  std::unique_ptr<observe::EndpointAsker> endpoint_asker_, meaning_asker_;
  std::unique_ptr<observe::TraceExporter> traces_;
  std::unique_ptr<observe::Desk> desk_;
  std::unique_ptr<serve::Quotas> quotas_;
  std::unique_ptr<serve::Fallbacks> fallbacks_;
  std::unique_ptr<serve::InputRuleBook> input_rules_;
  std::unique_ptr<serve::Guardrails> guardrails_;
  std::optional<serve::Callers> callers_;
  std::optional<identity::CheckpointKey> receipt_key_;
  serve::Capabilities capabilities_;
  serve::Guards guards_;
  net::Router router_;
  api::RouteTable table_;
  std::optional<api::KnownEndpoints> known_models_;
  std::optional<api::Services> services_;
  std::unique_ptr<Degradation> degradation_;
  std::optional<ProcessProbe> probe_;
  std::optional<api::LfsParts> lfs_parts_;
  std::optional<repo::MaskingJobs> masking_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<CheckpointWriter> checkpoints_;
  std::unique_ptr<observe::Rounds> rounds_;
  std::unique_ptr<Observing> observing_;
  std::unique_ptr<observe::MeaningWork> meaning_work_;
  std::unique_ptr<Watching> watching_;
  std::unique_ptr<Evaluating> evaluating_;
  std::unique_ptr<Probing> probing_;
  std::unique_ptr<Batching> batching_;
  std::unique_ptr<Keeping> keeping_;
  std::unique_ptr<Maintenance> maintenance_;
};

}  // namespace

Result<std::unique_ptr<Program>> start_program(const ServeOptions& options, const std::string& program_path,
                                               const Clock& clock, Random& random, Log& log) {
  auto program = std::make_unique<RunningProgram>(options, clock, random, log);
  TRY_DONE(program->open(options, program_path));
  return std::unique_ptr<Program>(std::move(program));
}

}  // namespace holdfast::app
