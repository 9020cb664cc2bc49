#include "api/openai_service.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

constexpr std::string_view tiers[] = {"auto", "default", "flex", "scale", "priority"};

// Text is what every answer is of.
Status check_modalities(const json::object& body) {
  TRY(const json::array* modalities, codec::json_array_if(body, "modalities"));
  if (modalities == nullptr) return Done{};
  for (const json::value& one : *modalities) {
    if (!one.is_string() || (one.get_string() != "text" && one.get_string() != "audio"))
      return fail(Reason::bad_request, "'modalities' is a list of \"text\" and \"audio\"");
    if (one.get_string() == "audio")
      return fail(Reason::not_offered, "'modalities': audio is not offered here");
  }
  if (modalities->empty()) return fail(Reason::bad_request, "'modalities' is empty");
  return Done{};
}

}  // namespace

Result<bool> names_service_tier(const json::object& body) {
  TRY(const auto tier, codec::json_text_if(body, "service_tier"));
  if (!tier) return false;
  if (std::find(std::begin(tiers), std::end(tiers), *tier) == std::end(tiers))
    return fail(Reason::bad_request, "'service_tier' is auto, default, flex, scale or priority");
  return true;
}

Status take_service_wishes(json::object& body) {
  TRY_DONE(check_modalities(body));
  TRY(const auto store, codec::json_flag_if(body, "store"));
  if (store.value_or(false))
    return fail(Reason::not_offered, "'store' is not offered here: answers are not kept to be fetched again");
  for (const char* key : {"modalities", "store", "service_tier"}) body.erase(key);
  return Done{};
}

}  // namespace holdfast::api
