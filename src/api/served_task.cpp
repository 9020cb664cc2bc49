#include "api/served_task.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/served_model.h"
#include "codec/json.h"
#include "serve/task_text.h"

namespace holdfast::api {

namespace json = boost::json;

Result<json::value> ask_task(serve::Models& models, const Call& call, const serve::ServedModel& model,
                             std::string_view task, json::value inputs, json::object parameters,
                             std::string_view file) {
  serve::EmbedItem item;
  item.wanted = serve::Wanted::task;
  const json::object asked{
      {"task", task}, {"inputs", std::move(inputs)}, {"parameters", std::move(parameters)}};
  item.texts.push_back(serve::task_text(codec::to_text(asked), file));
  TRY(const serve::EmbedAnswer answer, models.embed(call.context, model, std::move(item), asker_of(call)));
  return codec::parse_json(answer.json);
}

std::string model_in_path(const Call& call) {
  return fmt::format("{}/{}", call.capture("ns"), call.capture("name"));
}

Result<std::string> model_wanted(const Call& call, const json::object& body) {
  if (!call.capture("name").empty()) return model_in_path(call);
  TRY(const std::string_view model, codec::json_text(body, "model"));
  return std::string(model);
}

}  // namespace holdfast::api
