#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::model {

// Where the files of the model itself lie in a folder: in the folder, or in the one that modules.json of
// sentence-transformers gives its first module ("0_Transformer", "0_StaticEmbedding").
struct FirstModule {
  io::Path place;
  bool is_table = false;  // StaticEmbedding: a table of words and nothing else.
};
Result<FirstModule> first_module(io::Disk& disk, const io::Path& folder);

// The config.json that a table of words would have, had it one: model_type "static_embedding", vocab_size,
// hidden_size and the tensor's name. model_unsupported for tables that model2vec keeps in parts.
Result<boost::json::object> config_of_table(io::Disk& disk, const io::Path& place);

}  // namespace holdfast::model
