#include "app/exchanging.h"

#include "api/upstream_door.h"
#include "cli/instance.h"
#include "cli/secret.h"
#include "exchange/mirror.h"
#include "exchange/upstreams.h"
#include "exchange/webhook_sender.h"
#include "exchange/webhooks.h"
#include "identity/sealed.h"
#include "identity/secrets.h"
#include "repo/kinship.h"

namespace holdfast::app {
namespace {

class RunningExchange final : public Exchanging {
 public:
  RunningExchange(const ExchangingParts& parts, const Secret& sealing_key)
      : parts_(parts),
        secrets_(parts.instance.database(), parts.instance.audit(), parts.clock, parts.random, sealing_key,
                 outside_secrets(parts.secrets, parts.any_address)),
        upstreams_(parts.instance.database(), parts.instance.accounts(), parts.instance.audit(), parts.clock),
        webhooks_(parts.instance.database(), parts.clock, parts.random, sealing_key),
        kinship_(parts.instance.database(), parts.instance.content(), parts.instance.audit(), parts.clock) {}

  Status start(const ExchangingParts& parts) {
    TRY(mirror_, exchange::open_mirror({.upstreams = upstreams_,
                                        .secrets = secrets_,
                                        .client = parts.any_address,
                                        .hub = parts.hub,
                                        .content = parts.instance.content(),
                                        .disk = parts.instance.disk(),
                                        .database = parts.instance.database(),
                                        .audit = parts.instance.audit(),
                                        .policy = parts.policy,
                                        .clock = parts.clock,
                                        .log = parts.log,
                                        .metrics = parts.instance.metrics()},
                                       parts.is_live_token));
    door_ = api::make_upstream_door(*mirror_);
    return Done{};
  }

  void start_webhooks(const std::string& public_url) override {
    const bool anywhere = parts_.private_webhooks == PrivateWebhooks::allowed;
    sender_ =
        exchange::start_webhook_sender({.webhooks = webhooks_,
                                        .database = parts_.instance.database(),
                                        .accounts = parts_.instance.accounts(),
                                        .audit = parts_.instance.audit(),
                                        .hub = parts_.hub,
                                        .client = anywhere ? parts_.any_address : parts_.public_addresses,
                                        .public_url = public_url,
                                        .clock = parts_.clock,
                                        .log = parts_.log,
                                        .metrics = parts_.instance.metrics()});
  }

  identity::Secrets& secrets() override { return secrets_; }
  exchange::Upstreams& upstreams() override { return upstreams_; }
  exchange::Mirror& mirror() override { return *mirror_; }
  exchange::Webhooks& webhooks() override { return webhooks_; }
  repo::Kinship& kinship() override { return kinship_; }
  api::UpstreamDoor& upstream_door() override { return *door_; }

 private:
  const ExchangingParts parts_;
  identity::Secrets secrets_;
  exchange::Upstreams upstreams_;
  exchange::Webhooks webhooks_;
  repo::Kinship kinship_;
  std::unique_ptr<exchange::Mirror> mirror_;
  std::unique_ptr<api::UpstreamDoor> door_;
  std::unique_ptr<exchange::WebhookSender> sender_;
};

}  // namespace

Result<std::unique_ptr<Exchanging>> start_exchanging(const ExchangingParts& parts) {
  TRY(const Secret given, cli::given_sealing_key(parts.secrets.environment, parts.secrets.key_file));
  TRY(const Secret key, identity::open_sealing_key(parts.instance.disk(), parts.random, given));
  auto running = std::make_unique<RunningExchange>(parts, key);
  TRY_DONE(running->start(parts));
  return std::unique_ptr<Exchanging>(std::move(running));
}

}  // namespace holdfast::app
