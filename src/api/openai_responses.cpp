#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/openai_routes.h"
#include "api/responses_call.h"
#include "api/responses_shapes.h"
#include "api/route_rows.h"
#include "api/served_model.h"
#include "api/served_task.h"
#include "base/clock.h"
#include "base/random.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr uint64_t body_bytes_max = 8 << 20;

enum class What : uint8_t { respond, count };

// How many tokens the input would be.
Result<net::Response> count(serve::Models& models, const Call& call, const serve::ServedModel& model,
                            ResponsesCall asked) {
  json::object shown{{"messages", std::move(asked.chat["messages"])}};
  if (asked.chat.contains("tools")) shown["tools"] = std::move(asked.chat["tools"]);
  TRY(const json::value text, ask_task(models, call, model, "render", std::move(shown), json::object()));
  TRY(const json::value rows,
      ask_task(models, call, model, "tokenize", text, {{"add_special_tokens", false}}));
  return json_answer(json::object{{"object", "response.input_tokens"},
                                  {"input_tokens", rows.get_array().front().get_array().size()}});
}

Result<net::Response> respond(Services& services, serve::Models& models, const Call& call, What what) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string name, model_wanted(call, body));
  TRY(const serve::ServedModel model, find_served_model(services, call, name));
  TRY(ResponsesCall asked, read_responses_call(body));
  if (what == What::count) return count(models, call, model, std::move(asked));
  const auto now = services.clock.wall().time_since_epoch();
  ResponsesShape shape{.model = name,
                       .id = "resp_" + services.random.hex(16),
                       .created = std::chrono::duration_cast<std::chrono::seconds>(now).count(),
                       .echoed = std::move(asked.echoed),
                       .streams = asked.streams,
                       .with_log_probabilities = asked.with_log_probabilities};
  if (const json::value* said = body.if_contains("model"); said != nullptr && said->is_string())
    shape.model = said->get_string();
  auto answer = write_answers(services, models, call, model, {codec::to_text(asked.chat)},
                              make_responses_form(std::move(shape)));
  if (!answer.ok()) return in_responses_words(answer.error());
  return answer;
}

}  // namespace

void add_responses_routes(RouteTable& table, Services& services, serve::Models& models) {
  static constexpr RouteRow<What> rows[] = {
      {"POST", "/v1/responses", "openai_responses", What::respond},
      {"POST", "/v1/responses/input_tokens", "openai_input_tokens", What::count},
      {"POST", "/models/{ns}/{name}/v1/responses", "model_responses", What::respond},
      {"POST", "/models/{ns}/{name}/v1/responses/input_tokens", "model_input_tokens", What::count}};
  add_rows(table, rows, body_bytes_max, Dialect::openai, [&services, &models](const Call& call, What what) {
    return respond(services, models, call, what);
  });
}

}  // namespace holdfast::api
