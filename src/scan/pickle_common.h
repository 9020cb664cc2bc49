#pragma once

#include "base/bytes.h"
#include "scan/pickle_values.h"

namespace holdfast::scan {

// What pickles are mostly made of, done where it lies: values, texts, the memo, collections, calls of what is
// not named by the source itself. Everything that adds a finding, fails, or reaches a limit is left to the
// machine, which is the plain twin of this: the two agree on every pickle.
struct CommonRun {
  uint64_t bytes = 0,
           opcodes = 0;  // Done; the opcode behind them is one for the machine, or too few bytes are left.
};
// `hand` lies at `position` of the source. Does `opcodes_max` at most, each of which puts at most one value
// on the stack and one into the memo. Texts that may hold a pickle are left alone where `texts_within` says
// so.
CommonRun run_common(ByteView hand, uint64_t position, uint64_t opcodes_max, bool texts_within,
                     ValueStack& stack, ValueMemo& memo);

}  // namespace holdfast::scan
