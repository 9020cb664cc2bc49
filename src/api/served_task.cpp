#include "api/served_task.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/served_model.h"
#include "codec/json.h"

namespace holdfast::api {

namespace json = boost::json;

Result<json::value> ask_task(serve::Models& models, const Call& call, const serve::ServedModel& model,
                             std::string_view task, json::value inputs, json::object parameters) {
  serve::EmbedItem item;
  item.wanted = serve::Wanted::task;
  item.texts.push_back(codec::to_text(
      json::object{{"task", task}, {"inputs", std::move(inputs)}, {"parameters", std::move(parameters)}}));
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
