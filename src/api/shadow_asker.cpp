#include "api/ask_again.h"
#include "api/services.h"
#include "base/clock.h"
#include "base/random.h"

namespace holdfast::api {
namespace {

constexpr std::chrono::seconds patience{10};  // A shadow is worth no more.

class DoorAsker final : public observe::ShadowAsker {
 public:
  DoorAsker(const RouteTable& table, Services& services, const GovernDoor& door)
      : table_(table), services_(services), door_(door) {}

  Result<std::string> ask(const serve::ServedCall& call, const identity::Caller& caller,
                          const serve::ReleaseAnswer& earlier) override {
    net::Request request;
    request.method = "POST";
    Context context;
    context.trace_id = services_.random.hex(16);
    context.deadline = services_.clock.now() + patience;
    const Call outer{
        .request = request, .context = context, .caller = caller, .type = {}, .found = {}, .base_url = {}};
    const govern::KeptRequest kept{.id = call.id,
                                   .record = earlier.record,
                                   .deployment = earlier.deployment,
                                   .model = earlier.model.name,
                                   .revision = earlier.model.commit,
                                   .tokenizer = {},
                                   .feature = earlier.feature,
                                   .user = call.user,
                                   .door = call.door,
                                   .content_type = call.content_type,
                                   .captures = call.captures,
                                   .release = earlier.release,
                                   .repository = earlier.model.repository,
                                   .status = call.status,
                                   .output_digest = {},
                                   .input = call.input};
    TRY(const net::Response answer, ask_again(table_, services_, door_, outer, kept));
    const auto* body = std::get_if<std::string>(&answer.body);
    if (answer.status != 200 || body == nullptr)
      return fail(Reason::dependency_failed, "the earlier version gave no answer");
    return *body;
  }

 private:
  const RouteTable& table_;
  Services& services_;
  const GovernDoor door_;
};

}  // namespace

std::unique_ptr<observe::ShadowAsker> make_shadow_asker(const RouteTable& table, Services& services,
                                                        const GovernDoor& door) {
  return std::make_unique<DoorAsker>(table, services, door);
}

}  // namespace holdfast::api
