// The one list of this room's commands. A noun's file gives its rows by a function `NOUN_commands()`.
#include "cli/audit.h"
#include "cli/batch.h"
#include "cli/bench.h"
#include "cli/bench_forward.h"
#include "cli/bench_generate.h"
#include "cli/bench_tokenize.h"
#include "cli/capabilities.h"
#include "cli/chat.h"
#include "cli/command.h"
#include "cli/doctor.h"
#include "cli/evaluate.h"
#include "cli/example.h"
#include "cli/forward.h"
#include "cli/git_hook.h"
#include "cli/hub_commands.h"
#include "cli/instance_transfer.h"
#include "cli/inventory.h"
#include "cli/license.h"
#include "cli/lock.h"
#include "cli/maintenance.h"
#include "cli/mask.h"
#include "cli/mirror.h"
#include "cli/model_export.h"
#include "cli/org.h"
#include "cli/package.h"
#include "cli/profile.h"
#include "cli/quantize.h"
#include "cli/quota.h"
#include "cli/receipt.h"
#include "cli/registry.h"
#include "cli/render.h"
#include "cli/repo_review.h"
#include "cli/run.h"
#include "cli/scan.h"
#include "cli/secret.h"
#include "cli/token.h"
#include "cli/tokenize.h"
#include "cli/tokenizer.h"
#include "cli/train.h"
#include "cli/upstream.h"
#include "cli/user.h"
#include "cli/version.h"
#include "cli/vet.h"
#include "cli/worker.h"

namespace holdfast::cli {

std::vector<Command> commands() {
  std::vector<Command> all;
  auto add = [&all](std::vector<Command> more) {
    for (Command& command : more) all.push_back(std::move(command));
  };
  add(hub_commands());
  add(repo_review_commands());
  add(mirror_commands());
  add(upstream_commands());
  add(user_commands());
  add(org_commands());
  add(token_commands());
  add(secret_commands());
  add(quota_commands());
  add(receipt_commands());
  add(inventory_commands());
  add(lock_commands());
  add(doctor_commands());
  add(capabilities_commands());
  add(maintenance_commands());
  add(instance_commands());
  add(audit_commands());
  add(git_hook_commands());
  add(forward_commands());
  add(run_commands());
  add(chat_commands());
  add(render_commands());
  add(bench_commands());
  add(bench_forward_commands());
  add(bench_generate_commands());
  add(bench_tokenize_commands());
  add(profile_commands());
  add(quantize_commands());
  add(package_commands());
  add(model_export_commands());
  add(scan_commands());
  add(license_commands());
  add(mask_commands());
  add(tokenize_commands());
  add(tokenizer_commands());
  add(registry_commands());
  add(release_commands());
  add(endpoint_commands());
  add(batch_commands());
  add(example_commands());
  add(vet_commands());
  add(train_commands());
  add(evaluate_commands());
  add(worker_commands());
  add(version_commands());
  return all;
}

}  // namespace holdfast::cli
