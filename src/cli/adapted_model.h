#pragma once

#include <string>

#include "base/arguments.h"
#include "cli/command.h"
#include "cli/user_files.h"
#include "model/text_generator.h"

namespace holdfast::cli {

inline constexpr FlagRow adapter_flag{
    "--adapter", "ADAPTER",
    "A LoRA adapter of the model: a folder of PEFT's, a GGUF file, or NAMESPACE/NAME of the hub."};

// The folder or file of the adapter that the command line names; empty where it names none.
Result<std::string> adapter_place(World& world, const Arguments& arguments);

// A model that writes, with the adapter of a folder where `adapter` names one. bad_request, with what to say
// instead, for a model that is an adapter itself. `store`: as TextGenerator has it.
Result<model::TextGenerator> open_adapted(UserFiles& files, const std::string& place,
                                          const tensor::Compute& compute, const std::string& adapter,
                                          const model::LayerStore* store);

}  // namespace holdfast::cli
