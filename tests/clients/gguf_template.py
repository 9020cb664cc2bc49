"""A GGUF file with another chat template: the same bytes but for one value of its head."""
import struct

SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
KEY = b"tokenizer.chat_template"


def text_at(data, at):
    length = struct.unpack_from("<Q", data, at)[0]
    return data[at + 8:at + 8 + length], at + 8 + length


def value_end(data, at, kind):
    if kind in SIZES:
        return at + SIZES[kind]
    if kind == 8:
        return text_at(data, at)[1]
    assert kind == 9, kind
    inner, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if inner in SIZES:
        return at + count * SIZES[inner]
    for _ in range(count):
        at = value_end(data, at, inner)
    return at


def with_template(data, template):
    """The head is as long as before, up to the alignment: the tensors' bytes follow where they must."""
    magic, version, tensors, pairs = struct.unpack_from("<4sIQQ", data, 0)
    assert magic == b"GGUF" and version == 3
    at, head, alignment = 24, [], 32
    for _ in range(pairs):
        begin = at
        key, at = text_at(data, at)
        kind = struct.unpack_from("<I", data, at)[0]
        end = value_end(data, at + 4, kind)
        if key == b"general.alignment":
            alignment = struct.unpack_from("<I", data, at + 4)[0]
        if key != KEY:
            head.append(data[begin:end])
        at = end
    text = template.encode()
    head.append(struct.pack("<Q", len(KEY)) + KEY + struct.pack("<IQ", 8, len(text)) + text)
    infos = at
    for _ in range(tensors):
        _, at = text_at(data, at)
        dimensions = struct.unpack_from("<I", data, at)[0]
        at += 4 + 8 * dimensions + 4 + 8
    body = -(-at // alignment) * alignment
    out = struct.pack("<4sIQQ", magic, version, tensors, len(head)) + b"".join(head) + data[infos:at]
    return out + bytes(-len(out) % alignment) + data[body:]
