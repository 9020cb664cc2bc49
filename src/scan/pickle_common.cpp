#include "scan/pickle_common.h"

#include <algorithm>

namespace holdfast::scan {
namespace {

using Kind = Value::Kind;

// No opcode that is done here has more bytes before its text.
constexpr ptrdiff_t opcode_bytes_max = 9;

uint32_t number_of_4(const uint8_t* at) {
  return at[0] | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

// The stack while it is in our hands: `top` is past its last value.
struct Hand {
  Value* const values;
  Value* top;
  Value* mark;

  void push(Value value) { *top++ = value; }
  // Whether so many values lie above the last mark.
  bool holds(ptrdiff_t count) const { return top - 1 - mark >= count; }
  bool has_mark() const { return mark != values; }
  void drop_to_mark() {
    top = mark;
    mark = values + mark->number();
  }
};

}  // namespace

CommonRun run_common(ByteView bytes, uint64_t position, uint64_t opcodes_max, bool texts_within,
                     ValueStack& stack, ValueMemo& memo) {
  const auto* const begin = reinterpret_cast<const uint8_t*>(bytes.data());
  const uint8_t* const end = begin + bytes.size();
  const uint8_t* at = begin;
  const uint64_t most = std::min<uint64_t>(opcodes_max, bytes.size());
  const auto lent = stack.lend(most);
  Hand hand{lent.values, lent.values + lent.size, lent.values + lent.mark};

  // Whether the bytes of a text or of bytes lie whole at hand and are not for the machine.
  const auto whole = [&](const uint8_t* text, uint64_t length) {
    return length <= static_cast<uint64_t>(end - text) &&
           (!texts_within || length < 3 || (text[0] != 0x80 && text[0] != 'g'));
  };
  uint64_t done = 0;
  for (; done < most && end - at >= opcode_bytes_max; ++done) {
    switch (*at) {
      case 'N':
      case 0x88:
      case 0x89:
      case ')':
      case ']':
      case '}':
      case 0x8f:
        hand.push({});
        at += 1;
        continue;
      case 'K':
        hand.push({});
        at += 2;
        continue;
      case 'M':
        hand.push({});
        at += 3;
        continue;
      case 'J':
        hand.push({});
        at += 5;
        continue;
      case 'G':
        hand.push({});
        at += 9;
        continue;
      case 0x95:
        at += 9;
        continue;
      case 0x8a:
        if (end - at < 2 + at[1]) break;
        hand.push({});
        at += 2 + at[1];
        continue;
      case 'C':
        if (!whole(at + 2, at[1])) break;
        hand.push({});
        at += 2 + at[1];
        continue;
      case 'U':
      case 0x8c:
        if (!whole(at + 2, at[1])) break;
        hand.push(Value::text_at(position + static_cast<uint64_t>(at + 2 - begin), at[1]));
        at += 2 + at[1];
        continue;
      case 'X': {
        const uint32_t length = number_of_4(at + 1);
        if (!whole(at + 5, length)) break;
        hand.push(Value::text_at(position + static_cast<uint64_t>(at + 5 - begin), length));
        at += 5 + uint64_t{length};
        continue;
      }
      case '(':
        hand.push({Kind::mark, static_cast<uint64_t>(hand.mark - hand.values)});
        hand.mark = hand.top - 1;
        at += 1;
        continue;
      case 0x94:
        if (!hand.holds(1)) break;
        memo.put(memo.size(), hand.top[-1]);
        at += 1;
        continue;
      case 'q':
        if (!hand.holds(1)) break;
        memo.put(at[1], hand.top[-1]);
        at += 2;
        continue;
      case 'r':
        if (!hand.holds(1)) break;
        memo.put(number_of_4(at + 1), hand.top[-1]);
        at += 5;
        continue;
      case 'h': {
        const Value* found = memo.find(at[1]);
        if (found == nullptr) break;
        hand.push(*found);
        at += 2;
        continue;
      }
      case 'j': {
        const Value* found = memo.find(number_of_4(at + 1));
        if (found == nullptr) break;
        hand.push(*found);
        at += 5;
        continue;
      }
      case 0x85:
      case 0x86:
      case 0x87: {
        const ptrdiff_t count = *at - 0x84;
        if (!hand.holds(count)) break;
        hand.top -= count;
        hand.push({});
        at += 1;
        continue;
      }
      case 't':
      case 'l':
      case 'd':
      case 0x91:
        if (!hand.has_mark()) break;
        hand.drop_to_mark();
        hand.push({});
        at += 1;
        continue;
      case 'a':
      case 's':
      case 'b': {
        // Items or state into what lies below them.
        const ptrdiff_t count = *at == 's' ? 2 : 1;
        if (!hand.holds(count + 1) || hand.top[-1 - count].kind() == Kind::global) break;
        hand.top -= count;
        at += 1;
        continue;
      }
      case 'e':
      case 'u':
      case 0x90: {
        if (!hand.has_mark()) break;
        const Kind target = hand.mark[-1].kind();
        if (target == Kind::mark || target == Kind::global) break;
        hand.drop_to_mark();
        at += 1;
        continue;
      }
      case 'R':
      case 0x81:
        if (!hand.holds(2) || hand.top[-2].kind() != Kind::global) break;
        hand.top -= 2;
        hand.push({Kind::computed, 0});
        at += 1;
        continue;
      case 'Q':
        if (!hand.holds(1)) break;
        hand.top[-1] = {Kind::computed, 0};
        at += 1;
        continue;
      case '0':
        if (!hand.holds(1)) break;
        --hand.top;
        at += 1;
        continue;
      default:
        break;
    }
    break;
  }
  stack.take_back(static_cast<size_t>(hand.top - hand.values), static_cast<size_t>(hand.mark - hand.values));
  return {.bytes = static_cast<uint64_t>(at - begin), .opcodes = done};
}

}  // namespace holdfast::scan
