#include "model/first_module.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"
#include "tensor/weights.h"

namespace holdfast::model {
namespace {

constexpr size_t modules_bytes_max = 1 << 20;

}  // namespace

Result<FirstModule> first_module(io::Disk& disk, const io::Path& folder) {
  FirstModule out{.place = folder, .is_table = false};
  auto text = io::read_text(disk, folder / "modules.json", modules_bytes_max);
  if (!text.ok() && text.error().code == Code::not_found) return out;
  if (!text.ok()) return std::move(text).error();
  TRY(const boost::json::value json, codec::parse_json(text.value()));
  if (!json.is_array() || json.get_array().empty() || !json.get_array().front().is_object())
    return fail(Reason::bad_request, "modules.json is not a list of modules");
  const boost::json::object& module = json.get_array().front().get_object();
  TRY(const std::string_view type, codec::json_text(module, "type"));
  TRY(const auto path, codec::json_text_if(module, "path"));
  const std::string_view below = path.value_or("");
  if (below.find("..") != std::string_view::npos || below.starts_with('/'))
    return fail(Reason::bad_request, "modules.json leaves the folder");
  if (!below.empty()) out.place = folder / std::string(below);
  out.is_table = type.substr(type.rfind('.') + 1) == "StaticEmbedding";
  return out;
}

Result<boost::json::object> config_of_table(io::Disk& disk, const io::Path& place) {
  TRY(const tensor::Weights weights, tensor::Weights::open(disk, place));
  for (const std::string_view name : {"embedding.weight", "embeddings"}) {
    const tensor::TensorView* view = weights.find(std::string(name));
    if (view == nullptr) continue;
    if (view->shape.size() != 2)
      return fail(Reason::bad_request, "the table of words has not two dimensions");
    if (weights.find("mapping") != nullptr || weights.find("weights") != nullptr)
      return fail(Reason::model_unsupported,
                  "tables of words with a mapping or weights of their own are not supported");
    return boost::json::object{{"model_type", "static_embedding"},
                               {"vocab_size", static_cast<int64_t>(view->shape[0])},
                               {"hidden_size", static_cast<int64_t>(view->shape[1])},
                               {"tensor", name}};
  }
  return fail(Reason::bad_request, "the static embedding has no table of words");
}

}  // namespace holdfast::model
