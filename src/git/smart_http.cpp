#include "git/smart_http.h"

#include <atomic>
#include <utility>
#include <vector>

#include "git/git_exchange.h"
#include "git/hook_server.h"
#include "git/pkt_line.h"
#include "process/run.h"

namespace holdfast::git {

namespace {

using Setting = std::pair<std::string, std::string>;

constexpr std::chrono::milliseconds advertise_timeout{60'000};
constexpr size_t advertisement_bytes_max = 64 << 20;

// The configuration git runs with, whatever stands in files. Numbers bound what one client can make us do.
std::vector<Setting> settings_of(const SmartHttpOptions& options, ShownHistory history) {
  const std::string any = history == ShownHistory::whole ? "true" : "false";
  return {{"safe.directory", "*"},
          {"gc.auto", "0"},
          {"core.fsync", "all"},
          {"pack.threads", "2"},
          {"pack.windowMemory", "100m"},
          {"core.bigFileThreshold", "16m"},
          {"uploadpack.allowFilter", any},
          {"uploadpack.allowAnySHA1InWant", any},
          {"core.hooksPath", options.hooks_folder.string()},
          {"receive.procReceiveRefs", "refs"},
          {"receive.fsckObjects", "true"},
          {"receive.autogc", "false"},
          {"receive.updateServerInfo", "false"},
          {"receive.denyDeleteCurrent", "ignore"},
          {"receive.denyCurrentBranch", "ignore"},
          {"receive.advertisePushOptions", "false"},
          {"receive.maxInputSize", std::to_string(options.request_bytes_max)}};
}

bool allowed_protocol(const GitRequest& request) {
  return request.protocol == "version=0" || request.protocol == "version=1" ||
         (request.protocol == "version=2" && request.history == ShownHistory::whole);
}

class ProcessSmartHttp final : public SmartHttp {
 public:
  ProcessSmartHttp(SmartHttpOptions options, HookServer& hooks, const Clock& clock, Log& log)
      : options_(std::move(options)), hooks_(hooks), clock_(clock), log_(log) {}

  Result<std::string> advertise(const GitRequest& request) override {
    TRY(const ExchangeSlot slot, take_slot());
    process::SpawnOptions spawn = command(request);
    spawn.arguments.insert(spawn.arguments.end() - 1, "--http-backend-info-refs");
    TRY(process::Ran ran,
        process::run(
            spawn,
            {.output_bytes_max = advertisement_bytes_max, .timeout = advertise_timeout, .stop = request.stop},
            clock_));
    if (!ran.exit.clean()) {
      log_.warn("git_failed", {{"service", service_name(request.service)},
                               {"exit_code", ran.exit.code},
                               {"stderr", std::string_view(ran.errors).substr(0, 2000)}});
      return fail(Reason::dependency_failed, "git could not list the repository's references");
    }
    // Where version 2 was asked the body starts with the capabilities; receive-pack knows no version 2.
    if (request.protocol == "version=2" && allowed_protocol(request) &&
        request.service == Service::upload_pack)
      return std::move(ran.output);
    return format_pkt("# service=" + std::string(service_name(request.service)) + "\n") +
           std::string(flush_pkt) + ran.output;
  }

  Result<std::unique_ptr<Exchange>> upload_pack(const GitRequest& request) override {
    return start(request, command(request), nullptr);
  }

  Result<std::unique_ptr<Exchange>> receive_pack(const GitRequest& request,
                                                 std::shared_ptr<Pusher> pusher) override {
    std::unique_ptr<RunningPush> push = hooks_.expect(request.repository, std::move(pusher));
    process::SpawnOptions spawn = command(request);
    spawn.environment.emplace_back("HOLDFAST_HOOK_SOCKET", hooks_.socket().string());
    spawn.environment.emplace_back("HOLDFAST_HOOK_KEY", push->key());
    return start(request, std::move(spawn), std::move(push));
  }

 private:
  // In the repository's own folder, so that no message of git holds a path of the server.
  process::SpawnOptions command(const GitRequest& request) const {
    process::SpawnOptions spawn{.program = options_.git_program.string(),
                                .folder = request.repository.string()};
    spawn.arguments = {request.service == Service::upload_pack ? "upload-pack" : "receive-pack",
                       "--stateless-rpc", "."};
    spawn.environment = {{"PATH", "/usr/local/bin:/usr/bin:/bin"},
                         {"LC_ALL", "C"},
                         {"GIT_CONFIG_NOSYSTEM", "1"},
                         {"GIT_CONFIG_GLOBAL", "/dev/null"},
                         {"GIT_TERMINAL_PROMPT", "0"}};
    if (allowed_protocol(request)) spawn.environment.emplace_back("GIT_PROTOCOL", request.protocol);
    const std::vector<Setting> settings = settings_of(options_, request.history);
    for (size_t i = 0; i < settings.size(); ++i) {
      spawn.environment.emplace_back("GIT_CONFIG_KEY_" + std::to_string(i), settings[i].first);
      spawn.environment.emplace_back("GIT_CONFIG_VALUE_" + std::to_string(i), settings[i].second);
    }
    spawn.environment.emplace_back("GIT_CONFIG_COUNT", std::to_string(settings.size()));
    return spawn;
  }

  Result<ExchangeSlot> take_slot() {
    ExchangeSlot slot(running_);
    if (slot.taken() > options_.exchanges_max)
      return fail(Reason::queue_full, "too many git requests at once");
    return slot;
  }

  Result<std::unique_ptr<Exchange>> start(const GitRequest& request, process::SpawnOptions spawn,
                                          std::unique_ptr<RunningPush> push) {
    TRY(ExchangeSlot slot, take_slot());
    return start_exchange(ExchangeOptions{.spawn = std::move(spawn),
                                          .service = request.service,
                                          .deadline = clock_.now() + options_.exchange_timeout,
                                          .request_bytes_max = options_.request_bytes_max,
                                          .stop = request.stop},
                          std::move(push), std::move(slot), clock_, log_);
  }

  const SmartHttpOptions options_;
  HookServer& hooks_;
  const Clock& clock_;
  Log& log_;
  std::shared_ptr<std::atomic<int>> running_ =
      std::make_shared<std::atomic<int>>(0);  // Shared with the slots.
};

}  // namespace

std::optional<Service> service_of_name(std::string_view name) {
  if (name == "git-upload-pack") return Service::upload_pack;
  if (name == "git-receive-pack") return Service::receive_pack;
  return std::nullopt;
}

std::string_view service_name(Service service) {
  return service == Service::upload_pack ? "git-upload-pack" : "git-receive-pack";
}

std::string advertisement_type(Service service) {
  return "application/x-" + std::string(service_name(service)) + "-advertisement";
}
std::string request_type(Service service) {
  return "application/x-" + std::string(service_name(service)) + "-request";
}
std::string result_type(Service service) {
  return "application/x-" + std::string(service_name(service)) + "-result";
}

std::unique_ptr<SmartHttp> make_smart_http(SmartHttpOptions options, HookServer& hooks, const Clock& clock,
                                           Log& log) {
  return std::make_unique<ProcessSmartHttp>(std::move(options), hooks, clock, log);
}

}  // namespace holdfast::git
