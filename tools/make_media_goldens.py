#!/usr/bin/env python3
"""Writes tests/golden/media: small images and sounds by seed, and what Pillow, transformers, scipy and libsndfile make of them.

usage: PYTHON_WITH_TORCH tools/make_media_goldens.py (Pillow 13, transformers 5.23, torch, scipy, soundfile, safetensors)
"""
import io
import json
import pathlib
import struct
import zlib

import numpy
import scipy.signal
import soundfile
import transformers
from PIL import Image, ImageOps
from safetensors.numpy import save_file

out = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/media"
rng = numpy.random.default_rng(20)
cases, tensors = [], {}
TYPES = ("ViT DeiT CLIP ChineseCLIP Bit Siglip Blip Pvt OwlViT Beit Segformer MobileNetV1 MobileNetV2 MobileViT ConvNext EfficientNet PoolFormer Levit "
         "Perceiver Chameleon Detr ConditionalDetr DeformableDetr Yolos RTDetr").split()
DETR = ("Detr", "ConditionalDetr", "DeformableDetr", "Yolos")


def number(low, high):
    return int(rng.integers(low, high))


def likely(part):
    return rng.random() < part


def add(kind, output, array, **fields):
    tensors[output] = numpy.ascontiguousarray(array)
    cases.append({"kind": kind, "output": output, **fields})


def png(width, height, depth, colours, interlaced, transparent=False, palette=None):
    """Any PNG the format allows, since Pillow cannot write them all."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    values = rng.integers(0, (300 if colours == 0 and depth == 16 else 1 << depth), (height, width, channels))

    def packed(row):
        flat = row.reshape(-1)
        if depth == 16:
            return flat.astype(">u2").tobytes()
        bits = ((flat[:, None] >> numpy.arange(depth - 1, -1, -1)) & 1).reshape(-1).astype(numpy.uint8)
        return numpy.packbits(bits).tobytes()

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)) if interlaced else ((0, 0, 1, 1),)
    parts = [values[y::down, x::right] for x, y, right, down in passes]
    raw = b"".join(b"\0" + packed(row) for part in parts if part.size for row in part)
    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, interlaced))
    if colours == 3:
        made += chunk(b"PLTE", rng.integers(0, 256, 3 * (palette or 1 << depth), dtype=numpy.uint8).tobytes())
    if transparent:
        made += chunk(b"tRNS", {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: b"\0\x80"}[colours])
    return made + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def picture(height, width):
    """Smooth with some noise, so that JPEG and filters have both to work on."""
    y, x = numpy.mgrid[:height, :width]
    waves = numpy.stack([60 * (numpy.sin(x / (3 + i)) + numpy.cos(y / (2 + i))) + 128 for i in range(3)], -1)
    return (waves + rng.normal(0, 12, waves.shape)).clip(0, 255).astype(numpy.uint8)


def decode(name, data):
    (out / name).write_bytes(data)
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    add("decode", f"rgb.{name}", numpy.array(image.convert("RGB")), file=name)


def saved(image, form, **options):
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def decoding():
    for colours, depths in ((0, (1, 2, 4, 8, 16)), (2, (8, 16)), (3, (1, 2, 4, 8)), (4, (8, 16)), (6, (8, 16))):
        for depth in depths:
            interlaced = int(likely(0.5))
            decode(f"colours{colours}_{depth}.png", png(11, 7, depth, colours, interlaced, colours in (0, 2, 3) and likely(0.5)))
    decode("short_palette.png", png(6, 5, 8, 3, 0, palette=20))
    image = Image.fromarray(picture(19, 26))
    for subsampling, progressive in ((0, False), (1, True), (2, False), (2, True)):
        decode(f"subsampled{subsampling}{'_progressive' * progressive}.jpg", saved(image, "JPEG", quality=80, subsampling=subsampling, progressive=progressive))
    decode("grey.jpg", saved(image.convert("L"), "JPEG"))
    decode("cmyk.jpg", saved(image.convert("CMYK"), "JPEG", quality=60))
    for orientation in range(2, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        form = ("PNG", "JPEG", "WEBP")[orientation % 3]
        decode(f"turned{orientation}.{form.lower()}", saved(Image.fromarray(picture(4, 6)), form, exif=exif))
    decode("turned_by_xmp.jpg", saved(Image.fromarray(picture(4, 6)), "JPEG", xmp=b'<rdf:Description tiff:Orientation="6"/>'))
    clear = Image.fromarray(numpy.dstack([picture(9, 12), rng.integers(0, 2, (9, 12), dtype=numpy.uint8) * 255]))
    decode("lossy.webp", saved(image, "WEBP", quality=70))
    decode("lossless_alpha.webp", saved(clear, "WEBP", lossless=True))
    decode("animated.webp", saved(clear, "WEBP", lossless=True, save_all=True, append_images=[image.resize((12, 9))]))


def resampling():
    """Sizes on both sides of where Pillow turns its passes around."""
    sizes = ((13, 9), (21, 24), (19, 7), (5, 26), (10, 25), (3, 28), (18, 26), (1, 1), (8, 20))
    source = Image.open(out / "subsampled0.jpg")
    for number_of_filter in range(6):
        for index, (height, width) in enumerate(sizes):
            box = None
            if index % 3 == 1:
                box = [round(float(value), 3) for value in (rng.random() * 5, rng.random() * 5, 20 + rng.random() * 6, 14 + rng.random() * 5)]
            if index % 3 == 2 and number_of_filter % 2:
                box = [2, 3, 21, 17]
            made = source.resize((width, height), number_of_filter, box=box)
            add("resample", f"resampled.{number_of_filter}.{index}", numpy.array(made), file="subsampled0.jpg", size=[height, width], filter=number_of_filter, box=box)


def processor(name):
    config = {"image_processor_type": f"{name}ImageProcessor" + ("Fast" if likely(0.3) else "")}
    if likely(0.2):
        config = {"feature_extractor_type": f"{name}FeatureExtractor"}
    config["size"] = [number(6, 16), {"height": number(6, 16), "width": number(6, 16)}, {"shortest_edge": number(6, 16)},
                      {"shortest_edge": number(6, 12), "longest_edge": number(10, 18)}, {"max_height": number(6, 16), "max_width": number(6, 16)},
                      [number(6, 16), number(6, 16)]][number(0, 6)]
    if name == "ConvNext":
        config["size"] = {"shortest_edge": number(6, 16)}
    if name in DETR and likely(0.8):
        config["size"] = {"shortest_edge": number(8, 20), "longest_edge": number(9, 18)}
    for key, value in (("resample", number(0, 6)), ("do_center_crop", likely(0.5)), ("crop_size", {"height": number(4, 16), "width": number(4, 16)}),
                       ("do_rescale", likely(0.5)), ("rescale_factor", float(rng.random())), ("do_normalize", likely(0.5)), ("image_mean", list(rng.random(3))),
                       ("image_std", list(rng.random(3) + 0.1)), ("do_pad", likely(0.5)), ("crop_pct", 0.5 + rng.random() / 2), ("rescale_offset", likely(0.5)),
                       ("include_top", likely(0.5)), ("do_flip_channel_order", likely(0.5)), ("pad_and_return_pixel_mask", likely(0.5)), ("max_size", number(15, 30))):
        if likely(0.35):
            config[key] = value
    if config.get("do_center_crop", True) and likely(0.9):
        config["crop_size"] = {"height": number(4, 16), "width": number(4, 16)}
    return config


def processing():
    files = ["subsampled0.jpg", "cmyk.jpg", "colours2_8.png", "lossless_alpha.webp"]
    images = {file: ImageOps.exif_transpose(Image.open(out / file)).convert("RGB") for file in files}
    for name in TYPES:
        made = 0
        while made < 2:
            config = processor(name)
            chosen = [files[i] for i in rng.permutation(len(files))[:1 if likely(0.6) else 2]]
            arguments = {key: value for key, value in config.items() if not key.endswith("_type")}
            try:
                answer = getattr(transformers, f"{name}ImageProcessorPil")(**arguments)([images[file] for file in chosen], return_tensors="np")
            except (ValueError, TypeError, RuntimeError, AttributeError):
                continue
            pixels = answer["pixel_values"].astype(numpy.float32)
            if pixels.size > 360:
                continue
            output = f"pixels.{name}.{made}"
            fields = {"config": config, "files": chosen}
            if "pixel_mask" in answer:
                fields["mask"] = f"{output}.mask"
                tensors[fields["mask"]] = answer["pixel_mask"].astype(numpy.int64)
            add("pixels", output, pixels, **fields)
            made += 1


def sound(count, rate):
    t = numpy.arange(count) / rate
    return (0.3 * numpy.sin(2 * numpy.pi * number(100, 3000) * t) + rng.normal(0, 0.05, count)).astype(numpy.float32)


def hearing():
    for name, form, subtype, rate, channels in (("bytes.wav", "WAV", "PCM_U8", 8000, 1), ("shorts.wav", "WAV", "PCM_16", 16000, 2), ("three_bytes.wav", "WAVEX", "PCM_24", 11025, 1),
                                                ("whole.wav", "WAV", "PCM_32", 16000, 1), ("floats.wav", "WAV", "FLOAT", 16000, 1), ("doubles.wav", "WAV", "DOUBLE", 16000, 1),
                                                ("two.flac", "FLAC", "PCM_16", 44100, 2), ("vorbis.ogg", "OGG", "VORBIS", 16000, 1), ("opus.ogg", "OGG", "OPUS", 16000, 1),
                                                ("layer3.mp3", "MP3", "MPEG_LAYER_III", 16000, 1)):
        data = io.BytesIO()
        soundfile.write(data, numpy.stack([sound(400, rate) for _ in range(channels)], 1), rate, format=form, subtype=subtype)
        (out / name).write_bytes(data.getvalue())
        heard, told = soundfile.read(io.BytesIO(data.getvalue()), dtype="float32", always_2d=True)
        add("sound", f"mono.{name}", heard.mean(1), file=name, rate=told)
    tensors["long"] = sound(2500, 16000)
    for source, target in ((44100, 16000), (8000, 16000), (48000, 16000), (16000, 11025), (16000, 16000)):
        common = numpy.gcd(source, target)
        add("rate", f"rate.{source}.{target}", scipy.signal.resample_poly(tensors["long"][:600], target // common, source // common), tensor="long", count=600,
            source=source, target=target)


def features():
    rows = [("Whisper", {"feature_size": 5, "chunk_length": 1, "hop_length": hop, "n_fft": n_fft, "sampling_rate": rate, "padding_value": value, "padding_side": side})
            for hop, n_fft, rate, value, side in ((800, 400, 16000, 0.0, "right"), (700, 401, 16000, 0.1, "left"), (500, 254, 8000, 0.0, "right"), (999, 1022, 16000, 0.0, "right"))]
    rows += [("Wav2Vec2", {"do_normalize": norm, "return_attention_mask": mask, "padding_value": value, "padding_side": side})
             for norm, mask, value, side in ((True, True, 0.0, "right"), (True, False, 0.5, "right"), (False, True, 0.5, "left"), (True, True, 0.0, "left"))]
    rows += [("AST", {"num_mel_bins": mels, "max_length": frames, "do_normalize": norm, "sampling_rate": rate}) for mels, frames, norm, rate in ((16, 20, True, 16000), (9, 5, False, 8000))]
    for index, (name, config) in enumerate(rows):
        counts = [300, 171] if name == "Wav2Vec2" else [2500] if index % 2 else [900, 431]
        options = {"return_attention_mask": True} if name == "Whisper" else {"padding": True} if name == "Wav2Vec2" else {}
        made = getattr(transformers, f"{name}FeatureExtractor")(**config)
        answer = made([tensors["long"][:count] for count in counts], sampling_rate=made.sampling_rate, return_tensors="np", **options)
        fields = {"config": {"feature_extractor_type": f"{name}FeatureExtractor", **config}, "tensor": "long", "counts": counts}
        output = f"features.{name}.{index}"
        if "attention_mask" in answer:
            fields["mask"] = f"{output}.mask"
            tensors[fields["mask"]] = answer["attention_mask"].astype(numpy.int64)
        add("features", output, answer[made.model_input_names[0]].astype(numpy.float32), **fields)


out.mkdir(exist_ok=True)
decoding()
resampling()
processing()
hearing()
features()
save_file(tensors, out / "golden.safetensors")
(out / "golden.safetensors").chmod(0o644)
rows = ",\n".join(json.dumps(row) for row in cases)
(out / "golden.json").write_text('{"cases": [\n' + rows + "\n]}\n")
