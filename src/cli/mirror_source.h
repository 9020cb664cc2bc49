#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/hub_transfer.h"
#include "exchange/provenance.h"
#include "io/disk.h"

namespace holdfast::cli {

using exchange::digest_of_files;
using exchange::FileIdentity;
using exchange::fits_any;
using exchange::Provenance;
using exchange::provenance_lines;
using exchange::read_provenance;

// What a folder to be imported holds, by what it is:
//   hub-cache  models--NS--NAME of huggingface_hub: the snapshot that `revision` names
//   git-lfs    a checkout: pointers stand for the objects below .git/lfs/objects
//   folder     anything else
struct ImportFolder {
  std::string kind;
  std::string revision;  // The commit, where it is known.
  std::vector<LocalFile> files;
};
Result<ImportFolder> read_import_folder(io::Disk& disk, const io::Path& folder, std::string_view revision);

// SHA-256 and length of a file's bytes.
Result<FileIdentity> identify(io::Disk& disk, const LocalFile& file);

enum class OnDangerous : uint8_t { refuse, tell };
// Secrets that are refused are so only where what is dangerous is.
enum class OnSecret : uint8_t { tell, refuse };
// Looks at every file before anything is stored; policy_refused with the place and the reason.
Status check_staged(World& world, io::Disk& disk, const std::vector<LocalFile>& files,
                    OnDangerous on_dangerous, OnSecret on_secret = OnSecret::tell);

}  // namespace holdfast::cli
