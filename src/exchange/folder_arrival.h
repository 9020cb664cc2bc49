#pragma once

#include <string>

#include "exchange/arrival.h"
#include "exchange/mirror.h"

namespace holdfast::exchange {

// Takes the files over as one private revision that is main here and answers to its name at the source, in
// one step that is seen; nothing is left behind where it fails. Each file is looked at by the hub's policy
// first: policy_refused names the first that may not come in. Names that begin with a dot stay where they
// are, but for .gitattributes.
Result<Published> take_over_folder(const FolderRevision& revision, const MirrorParts& parts,
                                   const repo::Checks::IsLiveToken& is_live_token);

}  // namespace holdfast::exchange
