import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import File
from edgekit_export.reproduction import Tool, other_tools, reproduction
from tests.bundle.samples import DIGEST, MODEL_PATH, WEIGHTS_PATH, manifest, members, sizes

OTHER = "cd" * 32


def whole(**changed):
    """The sample bundle; ``changed`` are digests of its members, by the last part of their names."""
    files = []
    for path, size in sizes(members()).items():
        digest = next((d for name, d in changed.items() if name in path), DIGEST)
        files.append(File(path, size, digest, path in (MODEL_PATH, WEIGHTS_PATH)))
    return manifest(files=tuple(files))


def test_the_same_files_are_reproduced_whatever_else_differs():
    made = whole(labels=OTHER)
    found = reproduction(whole(), replace(made, card=replace(made.card, notes="later")), ())
    assert (found.holds, found.members, found.differs, found.causes) == (True, 2, (), ())
    assert str(found) == "reproduced: 2 model files, byte for byte"
    assert found.as_json() == {"reproduced": True, "differs": [], "tools": [], "causes": []}


def test_a_file_that_differs_is_named_with_both_sides():
    tools = (Tool("numpy", "1.0", "2.0"), Tool("scipy", "1.1", None))
    found = reproduction(whole(), whole(weights=OTHER), tools)
    size = sizes(members())[WEIGHTS_PATH]
    assert not found.holds
    assert found.as_json()["differs"] == [
        {
            "member": WEIGHTS_PATH,
            "locked": {"sha256": DIGEST, "bytes": size},
            "made": {"sha256": OTHER, "bytes": size},
        }
    ]
    assert str(found).splitlines() == [
        "not reproduced: 1 of 2 model files differ",
        f"{WEIGHTS_PATH}: got {size} bytes, SHA-256 {OTHER[:16]}…, expected {size} bytes, SHA-256 {DIGEST[:16]}…",
        "likely cause: numpy 2.0 (the lock: 1.0), scipy missing (the lock: 1.1)",
    ]


def test_a_file_that_is_missing_on_one_side():
    less = whole()
    model = less.variants[0].models["model"]
    variant = replace(less.variants[0], models={"model": replace(model, external=())})
    less = replace(less, variants=(variant,), files=tuple(f for f in less.files if f.path != WEIGHTS_PATH))
    for locked, made, side in ((whole(), less, "made"), (less, whole(), "locked")):
        found = reproduction(locked, made, ())
        assert (found.members, [one.member for one in found.differs]) == (2, [WEIGHTS_PATH])
        assert found.as_json()["differs"][0][side] is None
        assert "no such file" in str(found)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda m: m, "those of the lock: the lock or the files were changed"),
        (
            lambda m: replace(m, lock=replace(m.lock, cpu_features=())),
            "CPU features none (the lock: avx2 fma)",
        ),
        (
            lambda m: replace(
                m,
                variants=tuple(
                    replace(
                        v,
                        models={
                            role: replace(one, input=replace(one.input, color="bgr"))
                            for role, one in v.models.items()
                        },
                    )
                    for v in m.variants
                ),
            ),
            "input or head of model is described otherwise",
        ),
    ],
)
def test_what_may_be_to_blame(change, cause):
    found = reproduction(whole(), change(whole(model=OTHER)), ())
    assert len(found.causes) == 1
    assert cause in found.causes[0]


def test_nothing_written_is_neither_the_same_nor_different():
    found = reproduction(whole(), None, ())
    assert not found.holds
    assert (found.as_json()["reproduced"], found.as_json()["differs"]) == (None, [])
    assert str(found) == "not compared: nothing was written"


def test_tools_that_differ():
    assert other_tools({"a": "1", "b": "1"}, {"a": "1", "b": "1"}) == ()
    assert other_tools({"a": "1", "b": "1"}, {"b": "2", "c": "3"}) == (
        Tool("a", "1", None),
        Tool("b", "1", "2"),
        Tool("c", None, "3"),
    )
