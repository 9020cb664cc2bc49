#include "api/routes.h"

#include "api/git_routes.h"
#include "api/guard_routes.h"
#include "api/hub_routes.h"
#include "api/inventory_routes.h"
#include "api/kinship_routes.h"
#include "api/kserve_routes.h"
#include "api/lfs_routes.h"
#include "api/llama_routes.h"
#include "api/masking_routes.h"
#include "api/mirror_routes.h"
#include "api/observe_routes.h"
#include "api/openai_routes.h"
#include "api/quota_routes.h"
#include "api/receipt_routes.h"
#include "api/secret_routes.h"
#include "api/session_routes.h"
#include "api/supply_routes.h"
#include "api/tei_routes.h"
#include "api/tgi_routes.h"
#include "api/webhook_routes.h"
#include "api/xet_routes.h"

namespace holdfast::api {

void add_all_routes(RouteTable& table, Services& services, const DoorParts& parts) {
  add_hub_routes(table, services);
  add_git_routes(table, services, parts.git, parts.data);
  add_lfs_routes(table, services, parts.instance_key, parts.data, parts.lfs);
  add_openai_routes(table, services, parts.models);
  add_completion_routes(table, services, parts.models);
  add_responses_routes(table, services, parts.models);
  add_moderation_routes(table, services, parts.models);
  add_audio_routes(table, services, parts.models);
  add_file_routes(table, services, parts.job);
  add_batch_routes(table, services, parts.job);
  add_task_routes(table, services, parts.models);
  add_tei_routes(table, services, parts.models);
  add_tgi_routes(table, services, parts.models);
  add_llama_routes(table, services, parts.models);
  add_kserve_routes(table, services, parts.models);
  add_session_routes(table, services);
  add_token_routes(table, services);
  add_quota_routes(table, services);
  add_receipt_routes(table, services);
  add_supply_routes(table, services);
  add_guard_routes(table, services);
  add_xet_routes(table, services, parts.instance_key);
  add_govern_routes(table, services, parts.govern);
  add_inventory_routes(table, services, parts.govern.registry);
  if (parts.secrets != nullptr) add_secret_routes(table, *parts.secrets);
  if (parts.mirror != nullptr && parts.upstreams != nullptr)
    add_mirror_routes(table, services, *parts.upstreams, *parts.mirror);
  if (parts.kinship != nullptr) add_kinship_routes(table, services, *parts.kinship);
  if (parts.masking != nullptr) add_masking_routes(table, *parts.masking);
  if (parts.webhooks != nullptr) add_webhook_routes(table, *parts.webhooks);
  if (parts.desk != nullptr) {
    add_observe_routes(table, parts.govern.registry, *parts.desk);
    add_observe_drift_routes(table, services, parts.govern.registry, *parts.desk);
    add_observe_trace_routes(table, services, parts.govern.registry, *parts.desk);
    add_observe_figure_routes(table, services, parts.govern.registry, *parts.desk);
  }
}

}  // namespace holdfast::api
