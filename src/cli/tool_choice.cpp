#include "cli/tool_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <optional>

#include "codec/json.h"
#include "model/structured/json_schema.h"

namespace holdfast::cli {
namespace {

namespace json = boost::json;

constexpr size_t tools_most = 128, name_bytes_most = 64, depth_most = 32;

Error wrong(std::string_view key, std::string_view what) {
  return fail(Reason::bad_request, fmt::format("'{}' {}", key, what));
}

struct Function {
  std::string name;
  json::value parameters;
};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_most && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<std::vector<Function>> read_functions(const json::array& tools) {
  if (tools.size() > tools_most) return wrong("tools", fmt::format("has more than {} functions", tools_most));
  std::vector<Function> out;
  for (const json::value& tool : tools) {
    if (!tool.is_object()) return wrong("tools", "is a list of objects");
    TRY(const std::string_view type, codec::json_text(tool.get_object(), "type"));
    if (type != "function") return wrong("tools", "has functions only");
    TRY(const json::object* function, codec::json_object(tool.get_object(), "function"));
    TRY(const std::string_view name, codec::json_text(*function, "name"));
    if (!is_name(name))
      return wrong("tools", "has a function whose name is not letters, digits, '_', '-' and '.'");
    TRY(const json::object* parameters, codec::json_object_if(*function, "parameters"));
    json::value schema = json::object{{"type", "object"}};
    if (parameters != nullptr && !parameters->empty()) schema = *parameters;
    out.push_back({std::string(name), std::move(schema)});
  }
  return out;
}

// A schema that moved below another: what it refers to in itself moved with it.
void move_references(json::value& schema, const std::string& place, size_t depth) {
  if (depth > depth_most) return;
  if (schema.is_array())
    for (json::value& one : schema.get_array()) move_references(one, place, depth + 1);
  if (!schema.is_object()) return;
  for (auto& [key, value] : schema.get_object())
    if (key == "$ref" && value.is_string() && value.get_string().starts_with("#"))
      value = "#" + place + std::string(value.get_string().subview(1));
    else
      move_references(value, place, depth + 1);
}

Result<std::shared_ptr<const model::structured::Grammar>> grammar_of(const json::value& schema) {
  TRY(model::structured::Grammar made, model::structured::grammar_of_schema(schema));
  return std::make_shared<const model::structured::Grammar>(std::move(made));
}

// {"name", "arguments"} of any of them.
json::value any_call(const std::vector<Function>& functions) {
  json::array ways;
  for (const Function& one : functions) {
    json::value arguments = one.parameters;
    move_references(arguments, fmt::format("/anyOf/{}/properties/arguments", ways.size()), 0);
    ways.push_back(json::object{{"type", "object"},
                                {"properties", json::object{{"name", json::object{{"const", one.name}}},
                                                            {"arguments", std::move(arguments)}}},
                                {"required", json::array{"name", "arguments"}},
                                {"additionalProperties", false}});
  }
  return json::object{{"anyOf", std::move(ways)}};
}

Status choose_named(ToolChoice& out, const std::vector<Function>& functions, std::string_view name) {
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const Function& function) { return function.name == name; });
  if (found == functions.end()) return wrong("tool_choice", "names a function that 'tools' does not have");
  out.mode = ToolChoice::Mode::named;
  out.named = name;
  TRY(out.grammar, grammar_of(found->parameters));
  return Done{};
}

}  // namespace

Result<ToolChoice> read_tool_choice(const json::object& body) {
  ToolChoice out;
  TRY(const json::array* tools, codec::json_array_if(body, "tools"));
  TRY(const auto parallel, codec::json_flag_if(body, "parallel_tool_calls"));
  const json::value* choice = body.if_contains("tool_choice");
  const bool chosen = choice != nullptr && !choice->is_null();
  if (tools == nullptr || tools->empty()) {
    if (chosen &&
        !(choice->is_string() && (choice->get_string() == "none" || choice->get_string() == "auto")))
      return wrong("tool_choice", "is only allowed when 'tools' are given");
    return out;
  }
  TRY(const std::vector<Function> functions, read_functions(*tools));
  for (const Function& function : functions) out.functions.push_back(function.name);
  out.one_call = !parallel.value_or(true);
  out.mode = ToolChoice::Mode::free;
  if (!chosen) return out;
  if (choice->is_string()) {
    const std::string_view word = choice->get_string();
    if (word == "auto") return out;
    if (word == "none") return ToolChoice{};
    if (word != "required") return wrong("tool_choice", "is none, auto, required or a function");
    if (functions.size() == 1) {
      TRY_DONE(choose_named(out, functions, functions.front().name));
      return out;
    }
    out.mode = ToolChoice::Mode::one_of;
    TRY(out.grammar, grammar_of(any_call(functions)));
    return out;
  }
  if (!choice->is_object()) return wrong("tool_choice", "is none, auto, required or a function");
  TRY(const std::string_view type, codec::json_text(choice->get_object(), "type"));
  if (type != "function") return wrong("tool_choice", "names a function");
  TRY(const json::object* function, codec::json_object(choice->get_object(), "function"));
  TRY(const std::string_view name, codec::json_text(*function, "name"));
  TRY_DONE(choose_named(out, functions, name));
  return out;
}

}  // namespace holdfast::cli
