#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>

#include "codec/sha256.h"
#include "content/hash.h"
#include "content/term.h"

namespace holdfast::content {

// Who sends xorbs, as far as the order of their coming matters; 0: nobody that is known.
using Uploader = uint64_t;

class AheadLink;

// The SHA-256 of a large file, computed while its xorbs come: a client sends them in the order of the file
// and the shard that names the file last, so each xorb of one uploader is taken to go on where the one before
// it ended. A guess that proves wrong costs time alone: what is not known when the shard comes is read from
// the disk. Safe from any thread.
class AheadDigests {
 public:
  AheadDigests();
  ~AheadDigests();

  // The next xorb of this uploader. Null when it is not worth following.
  std::shared_ptr<AheadLink> begin(Uploader uploader, const XorbHash& xorb);

  // The SHA-256 of the longest run of first terms that came as whole xorbs one after another.
  struct Prefix {
    size_t terms = 0;
    codec::Sha256 sha256;
  };
  Prefix prefix_of(Uploader uploader, std::span<const Term> terms) const;
  // A shard has come: the next xorb begins another file.
  void end(Uploader uploader);

 private:
  friend class AheadLink;
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

// One xorb on its way in. Used by one thread at a time.
class AheadLink {
 public:
  AheadLink(std::shared_ptr<AheadDigests::Shared> shared, std::shared_ptr<AheadLink> before);
  ~AheadLink();
  AheadLink(const AheadLink&) = delete;
  AheadLink& operator=(const AheadLink&) = delete;

  // The bytes of the next chunk. The first waits for the end of the xorb before, a fifth of a second at most.
  void add(ByteView chunk);
  // All chunks were there, and they are those of the xorb's name.
  void end(uint32_t chunks);
  // No more will come.
  void give_up();

 private:
  friend class AheadDigests;
  enum class State : uint8_t { waiting, hashing, ended, broken };

  void start();

  const std::shared_ptr<AheadDigests::Shared> shared_;
  std::shared_ptr<AheadLink> before_;  // Null: the first of a file.
  State state_ = State::waiting;       // shared_'s mutex guards it and `chunks_`.
  uint32_t chunks_ = 0;
  codec::Sha256 sha256_;  // Final once `state_` is ended.
};

}  // namespace holdfast::content
