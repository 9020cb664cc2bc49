#include "cli/model_backends.h"

namespace holdfast::cli {

std::unique_ptr<model::Backend> open_openvino(const World& world, UserFiles& files, size_t threads,
                                              std::optional<std::string_view> place) {
  std::optional<std::string> named = world.environment("HOLDFAST_OPENVINO");
  if (place) named = std::string(*place);
  const bool somewhere = named && !named->empty();
  return model::make_openvino_backend(somewhere ? files.disk().absolute(files.path(*named)) : io::Path(),
                                      threads);
}

std::vector<std::unique_ptr<model::Backend>> open_backends(const World& world, UserFiles& files,
                                                           size_t threads,
                                                           std::optional<std::string_view> place) {
  std::vector<std::unique_ptr<model::Backend>> out;
  out.push_back(model::make_own_backend());
  out.push_back(open_openvino(world, files, threads, place));
  return out;
}

}  // namespace holdfast::cli
