"""Writes a llama of random numbers as GGUF, its matrices in Q4_K and about a billion parameters, to measure what no cache holds:
generate.py --model FILE measures it beside llama.cpp.

usage: random_llama.py LIKE.gguf OUT.gguf     (the tokenizer is LIKE's; needs bench/requirements-generate.txt)
"""
import sys

import numpy
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter

WIDTH, INNER, LAYERS, HEADS, KEY_HEADS, POSITIONS = 2048, 5632, 20, 32, 8, 4096
SUPER = 256  # Numbers of a block: two binary16, twelve bytes of scales, 128 of codes.


def blocks(random, outputs, inputs):
    """Q4_K blocks whose numbers are about as large as a trained matrix's."""
    out = random.integers(0, 256, (outputs, inputs // SUPER, 144), dtype=numpy.uint8)
    scale = numpy.float16(0.5 / (32 * 8 * inputs ** 0.5))
    out[:, :, 0:2] = numpy.frombuffer(scale.tobytes(), numpy.uint8)
    out[:, :, 2:4] = numpy.frombuffer(numpy.float16(7.5 * scale).tobytes(), numpy.uint8)
    return out.reshape(outputs, inputs // SUPER * 144)


def main():
    like, to = sys.argv[1:]
    reader, writer, random = GGUFReader(like), GGUFWriter(to, "llama"), numpy.random.default_rng(7)
    writer.add_context_length(POSITIONS)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    for name, field in reader.fields.items():
        if name.startswith("tokenizer.ggml"):
            kind = field.types[0]
            writer.add_key_value(name, field.contents(), kind, field.types[-1] if kind == GGUFValueType.ARRAY else None)
    vocabulary = len(reader.fields["tokenizer.ggml.tokens"].data)

    def matrix(name, outputs, inputs):
        writer.add_tensor(name + ".weight", blocks(random, outputs, inputs), raw_dtype=GGMLQuantizationType.Q4_K)

    def norm(name):
        writer.add_tensor(name + ".weight", numpy.ones(WIDTH, numpy.float32))

    matrix("token_embd", vocabulary, WIDTH)
    keys = WIDTH // HEADS * KEY_HEADS
    for layer in range(LAYERS):
        at = f"blk.{layer}."
        norm(at + "attn_norm")
        norm(at + "ffn_norm")
        for name, outputs, inputs in (("attn_q", WIDTH, WIDTH), ("attn_k", keys, WIDTH), ("attn_v", keys, WIDTH),
                                      ("attn_output", WIDTH, WIDTH), ("ffn_gate", INNER, WIDTH), ("ffn_up", INNER, WIDTH),
                                      ("ffn_down", WIDTH, INNER)):
            matrix(at + name, outputs, inputs)
    norm("output_norm")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
