"""What a bundle's operations make of a picture, against transformers' own processors (their Pillow backend)."""

import json
import sys

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import CenterCrop, Letterbox, Normalize, ResizeShorter, ResizeStretch
from edgekit.errors import ModelError
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.picture_input import classifier_input, detector_input
from edgekit_export.sources.huggingface.processor_settings import PROCESSORS, read_settings

transformers = pytest.importorskip("transformers")
Image = pytest.importorskip("PIL.Image")

PICTURES = 50
TOLERANCE = 1e-4
CLASSIFIERS = [
    ("ViT", {"size": {"height": 32, "width": 48}}),
    ("ViT", {"size": {"height": 32, "width": 32}, "resample": 0, "do_normalize": False}),
    ("ViT", {"size": {"height": 32, "width": 32}, "resample": 1, "do_rescale": False}),
    ("DeiT", {"size": {"height": 40, "width": 40}, "crop_size": {"height": 33, "width": 31}}),
    ("Bit", {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}),
    ("CLIP", {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}}),
    ("Siglip", {"size": {"height": 32, "width": 32}}),
    ("ConvNext", {"size": {"shortest_edge": 32}}),
    ("ConvNext", {"size": {"shortest_edge": 56}, "crop_pct": 0.95, "resample": 2}),
    ("ConvNext", {"size": {"shortest_edge": 384}}),
    ("EfficientNet", {"size": {"height": 40, "width": 40}, "resample": 0}),
    ("EfficientNet", {"size": {"height": 40, "width": 40}, "rescale_offset": True, "rescale_factor": 1 / 127.5,
                      "include_top": False, "do_normalize": False}),
    ("EfficientNet", {"size": {"height": 40, "width": 40}, "do_center_crop": True,
                      "crop_size": {"height": 32, "width": 32}, "image_std": [0.3, 0.4, 0.5]}),
    ("MobileNetV1", {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
    ("MobileNetV2", {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
]  # fmt: skip
DETECTORS = [
    ("Detr", {"size": {"shortest_edge": 60, "longest_edge": 100}}),
    ("Detr", {"size": {"height": 50, "width": 70}}),
    ("ConditionalDetr", {"size": {"shortest_edge": 60, "longest_edge": 70}}),
    ("DeformableDetr", {"size": {"shortest_edge": 60, "longest_edge": 100}}),
    ("Yolos", {"size": {"shortest_edge": 100, "longest_edge": 133}}),
    ("RTDetr", {"size": {"height": 64, "width": 64}}),
    ("RTDetr", {"size": {"height": 64, "width": 64}, "do_normalize": True, "resample": 3}),
]


def _pictures(seed):
    """Odd sizes, one pixel wide and high among them, of every mode that photos come in."""
    rng = np.random.default_rng(seed)
    modes = ["RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16"]
    for i in range(PICTURES):
        w, h = (int(v) for v in rng.integers(1, 90, 2))
        w, h = {0: (1, h % 20 + 1), 1: (w % 20 + 1, 1)}.get(i, (w, h))
        mode = modes[i % len(modes)]
        if mode == "I;16":
            yield Image.fromarray(rng.integers(0, 65536, (h, w), dtype=np.uint16))
        elif mode == "P":
            yield Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)).quantize(16)
        elif mode == "1":
            yield Image.fromarray(rng.integers(0, 256, (h, w), dtype=np.uint8)).convert("1")
        else:
            channels = len(Image.new(mode, (1, 1)).getbands())
            values = rng.integers(0, 256, (h, w, channels), dtype=np.uint8)
            yield Image.merge(
                mode, [Image.fromarray(np.ascontiguousarray(values[..., c])) for c in range(channels)]
            )


def _settings(folder, stem, settings):
    """The processor, and its settings as they were read from what it wrote."""
    made = getattr(transformers, f"{stem}ImageProcessorPil")(**settings)
    made.save_pretrained(folder)
    return made, read_settings(HfFolder(folder, "x", {}, ("Foo",)))


def _features(picture, found):
    spec = replace(found.input, dtype="float32", layout="nchw")
    return prepare(to_frame(picture), spec).tensor


def _reference(processor, picture, **settings):
    # of 16 bits to_frame takes the high byte, Pillow's own conversion clips: pictures go in as 8 bits
    if picture.mode == "I;16":
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    return processor(picture, return_tensors="np", do_convert_rgb=True, **settings)["pixel_values"]


@pytest.mark.parametrize(("stem", "settings"), CLASSIFIERS, ids=lambda v: v if isinstance(v, str) else "")
def test_classifiers(tmp_path, stem, settings):
    processor, read = _settings(tmp_path, stem, settings)
    found = classifier_input(read)
    differences = [
        np.abs(_features(p, found) - _reference(processor, p)).max() for p in _pictures(len(stem) + 3)
    ]
    sys.stdout.write(f"{stem}: {len(differences)} pictures, largest difference {max(differences):.1e}\n")
    assert len(differences) == PICTURES
    assert max(differences) <= TOLERANCE


@pytest.mark.parametrize(("stem", "settings"), DETECTORS, ids=lambda v: v if isinstance(v, str) else "")
def test_detectors(tmp_path, stem, settings):
    """At the graph's size; and at the processor's own where the picture has the ratio that it was made for."""
    processor, read = _settings(tmp_path, stem, settings)
    found = detector_input(read, None)
    width, height = found.size_wh
    size = {"height": height, "width": width}
    differences = [
        np.abs(_features(p, found) - _reference(processor, p, size=size)).max() for p in _pictures(len(stem))
    ]
    rng = np.random.default_rng(1)
    for side in (1, 7, 20, 33):
        camera = Image.fromarray(rng.integers(0, 256, (3 * side, 4 * side, 3), dtype=np.uint8))
        differences.append(np.abs(_features(camera, found) - _reference(processor, camera)).max())
    sys.stdout.write(f"{stem}: {len(differences)} pictures, largest difference {max(differences):.1e}\n")
    assert len(differences) == PICTURES + 4
    assert max(differences) <= TOLERANCE


def _read(tmp_path, stem="ViT", config=None, **given):
    text = json.dumps({"image_processor_type": f"{stem}ImageProcessor", **given})
    (tmp_path / "preprocessor_config.json").write_text(text)
    return read_settings(HfFolder(tmp_path, "x", config or {}, ("Foo",)))


@pytest.mark.parametrize("stem", PROCESSORS)
def test_what_a_file_does_not_say_is_as_in_its_class(tmp_path, stem):
    processor = getattr(transformers, f"{stem}ImageProcessorPil")()
    usual = PROCESSORS[stem]
    assert dict(processor.size) == {k: usual.size.get(k) for k in dict(processor.size)} or {
        k: v for k, v in dict(processor.size).items() if v is not None
    } == dict(usual.size)
    assert int(processor.resample) == usual.resample
    assert tuple(processor.image_mean) == usual.mean and tuple(processor.image_std) == usual.std
    assert bool(processor.do_center_crop) == (usual.crop is not None)
    assert processor.do_normalize == usual.normalizes


def test_files_of_older_versions(tmp_path):
    (tmp_path / "preprocessor_config.json").write_text(
        json.dumps({"feature_extractor_type": "ViTFeatureExtractor", "size": 224, "resample": 2})
    )
    read = read_settings(HfFolder(tmp_path, "x", {}, ("Foo",)))
    assert classifier_input(read).input.ops == (
        ResizeStretch(width=224, height=224, algorithm="pillow_bilinear"),
        Normalize(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)),
    )
    assert classifier_input(_read(tmp_path, "ConvNext", size=224)).input.ops[:2] == (
        ResizeShorter(256, "pillow_bicubic", "down"),
        CenterCrop(224, 224),
    )
    detr = _read(tmp_path, "DetrImageProcessor".removesuffix("ImageProcessor"), size=800, max_size=1333)
    assert detector_input(detr, None).size_wh == (1066, 800)
    assert detector_input(_read(tmp_path, "Detr", size={"longest_edge": 1000}), None).size_wh == (1000, 750)
    assert detector_input(_read(tmp_path, "Yolos", size=800), None).size_wh == (1056, 800)


def test_a_processor_among_others_and_one_without_a_name(tmp_path):
    inner = {"image_processor_type": "SiglipImageProcessorFast", "size": {"height": 64, "width": 64}}
    (tmp_path / "processor_config.json").write_text(json.dumps({"image_processor": inner}))
    read = read_settings(HfFolder(tmp_path, "x", {}, ("Foo",)))
    assert (read.stem, classifier_input(read).size_wh) == ("Siglip", (64, 64))
    (tmp_path / "preprocessor_config.json").write_text("{}")
    assert read_settings(HfFolder(tmp_path, "x", {"model_type": "swin"}, ("Foo",))).stem == "ViT"


def test_a_detector_with_a_size_of_its_own(tmp_path):
    read = _read(tmp_path, "Detr")
    assert detector_input(read, 320).size_wh == (320, 320)
    assert detector_input(read, 320, "letterbox").input.ops[0] == Letterbox(
        width=320, height=320, pad=114, place="start", algorithm="pillow_bilinear"
    )


@pytest.mark.parametrize(
    ("stem", "given", "field"),
    [
        ("ViT", {"resample": 4}, "resample: expected 0 nearest"),
        ("ViT", {"do_resize": False}, "do_resize"),
        ("ViT", {"do_resize": "yes"}, "do_resize: expected true or false, got 'yes'"),
        ("ViT", {"size": {"shortest_edge": 224}}, "size: expected a crop or both sides"),
        (
            "ViT",
            {"size": {"max_height": 3, "max_width": 4}},
            "size: expected shortest_edge, or height and width",
        ),
        ("ViT", {"size": {"height": 0, "width": 4}}, "size: expected sides of 1 to 16384"),
        ("ViT", {"size": "big"}, "size: expected sides in pixels"),
        ("ViT", {"image_mean": [0.5]}, "image_mean: expected one number a channel"),
        ("ViT", {"image_std": [0.5, 0, 0.5]}, "image_std: expected numbers above 0"),
        ("ViT", {"rescale_factor": 0}, "rescale_factor: expected a number above 0"),
        ("ViT", {"do_pad": True}, "do_pad"),
        ("DeiT", {"crop_size": {"height": 300, "width": 20}}, "crop_size: expected no more than size gives"),
        ("ConvNext", {"crop_pct": 1.5, "size": {"shortest_edge": 224}}, "crop_pct"),
        ("ConvNext", {"size": {"height": 4, "width": 4}}, "size: expected shortest_edge"),
        ("ConvNext", {"do_center_crop": True}, "do_center_crop"),
    ],
)
def test_what_no_operation_does_is_refused_by_name(tmp_path, stem, given, field):
    with pytest.raises(ModelError, match=field):
        classifier_input(_read(tmp_path, stem, **given))


def test_padding_with_a_mask_is_refused(tmp_path):
    padded = _read(tmp_path, "Detr", do_pad=True, pad_size={"height": 800, "width": 800})
    with pytest.raises(ModelError, match="pad_size"):
        detector_input(padded, None)


def test_processors_that_are_missing_or_unknown(tmp_path):
    with pytest.raises(ModelError, match=r"expected preprocessor_config\.json"):
        read_settings(HfFolder(tmp_path, "x", {}, ("Foo",)))
    with pytest.raises(ModelError, match="'FooImageProcessor', which edgekit does not know"):
        _read(tmp_path, "Foo")
    (tmp_path / "preprocessor_config.json").write_text("{}")
    with pytest.raises(ModelError, match="names no image_processor_type"):
        read_settings(HfFolder(tmp_path, "x", {"model_type": "foo"}, ("Foo",)))
