#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/user_files.h"
#include "model/backend.h"

namespace holdfast::cli {

// OpenVINO at `place`, a command's --openvino, else where HOLDFAST_OPENVINO says, with so many threads.
// Nothing is loaded before a model needs it.
std::unique_ptr<model::Backend> open_openvino(const World& world, UserFiles& files, size_t threads,
                                              std::optional<std::string_view> place);
// Ours first, then OpenVINO.
std::vector<std::unique_ptr<model::Backend>> open_backends(const World& world, UserFiles& files,
                                                           size_t threads,
                                                           std::optional<std::string_view> place);

}  // namespace holdfast::cli
