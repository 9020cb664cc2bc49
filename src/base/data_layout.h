#pragma once

// What lies where in a data folder (ARCHITECTURE.md, "files on disk"). All rooms and the commands that work
// beside a running server name these here and nowhere else.
namespace holdfast::data_layout {

inline constexpr const char* database = "holdfast.db";  // SQLite, with -wal and -shm beside it while open.
inline constexpr const char* keys = "keys";             // Secrets of this instance, mode 0600.
inline constexpr const char* instance_key = "keys/instance.key";
inline constexpr const char* checkpoint_key = "keys/checkpoint.key";  // Signs checkpoints of the audit log.
// Opens the stored secrets; beside keys/, so that no backup holds both.
inline constexpr const char* sealing_key = "secrets.key";
inline constexpr const char* content = "content";    // Xorbs by hash (docs/formats/xorb.md), temporaries.
inline constexpr const char* uploads = "uploads";    // LFS objects that come in parts, until they are whole.
inline constexpr const char* incoming = "incoming";  // Revisions of upstreams, until they are whole.
inline constexpr const char* repositories = "git";   // Bare git repositories by number.
inline constexpr const char* serving = "serving";  // Plain copies of model files for workers; can be rebuilt.
inline constexpr const char* run = "run";          // Sockets and locks of the running server.
inline constexpr const char* views = "run/views";  // What bound tokens may clone; made again at every start.
inline constexpr const char* hooks = "run/hooks";  // Git's hooks folder, shared by all repositories.

inline constexpr const char* restoring =
    "restoring";  // There while a restore goes on: nothing opens the folder.

}  // namespace holdfast::data_layout
