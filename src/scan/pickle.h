#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scan/finding.h"
#include "scan/source.h"

namespace holdfast::scan {

struct PickleLimits {
  uint64_t opcodes_max = 200'000'000;
  size_t stack_max = 8'000'000;
  size_t memo_max = 8'000'000;
  size_t text_bytes_max =
      64 << 20;          // Of texts with escapes, which are kept because a name may be made of them.
  int depth_max = 4;     // Of pickles within strings of pickles.
  bool plainly = false;  // Every opcode by the machine itself, as tests compare it with the fast way.
};

// How the reading of one pickle ended.
enum class PickleEnd : uint8_t {
  stop,    // At its STOP: all of it was followed.
  broken,  // At bytes that are no opcode, or the end. What came before would have run all the same.
  limit,   // At one of our limits: the rest is unknown.
};

// Follows one pickle without running it: every opcode of protocols 0 to 5 moves symbolic values on a stack
// and in a memo as the real machine would, so a name is known however it reached the stack. Adds to `report`
// what it looks up and calls, with the offset of the opcode. `end` is where the next pickle would begin.
struct PickleOutcome {
  PickleEnd how = PickleEnd::broken;
  uint64_t end = 0;
  uint64_t opcodes = 0;
  uint64_t globals = 0;
  std::string detail{};  // Why it did not reach its STOP.
};
PickleOutcome follow_pickle(Source& source, uint64_t at, const Place& place, const PickleLimits& limits,
                            FileReport& report);

// Whether bytes begin with the mark of a protocol, as pickles of protocol 2 and above do.
bool has_pickle_magic(ByteView first);

}  // namespace holdfast::scan
