import pytest

from edgekit.errors import ModelError
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import HfFolder

pytest.importorskip("yaml")


def _card(tmp_path, readme=None):
    if readme is not None:
        (tmp_path / "README.md").write_text(readme)
    folder = HfFolder(tmp_path, "someone/some-model@0123", {}, ("FooForBar",))
    return card_of(folder, "classify", 7, domain="a", input_range="b", cannot=("c",))


def test_what_a_readme_states(tmp_path):
    card = _card(
        tmp_path, "---\nlicense: mit\nlanguage:\n- en\n- no\ndatasets: [imagenet-1k, coco]\n---\n# Model"
    )
    assert (card.license, card.languages, card.trained_on) == ("mit", ("en", "no"), "imagenet-1k, coco")
    assert (card.title, card.source, card.parameters, card.notes) == (
        "some-model",
        "someone/some-model@0123",
        7,
        "",
    )
    assert card.cannot[0] == "c"


def test_of_a_folder_here_the_name_alone_is_told(tmp_path):
    folder = HfFolder(tmp_path, str(tmp_path), {}, ("FooForBar",))
    card = card_of(folder, "classify", 7, domain="a", input_range="b")
    assert (card.title, card.source) == (tmp_path.name, tmp_path.name)


@pytest.mark.parametrize("readme", [None, "", "# Model", "---\nlicense: mit\n", "---\n- a\n---\n"])
def test_what_none_states_is_said(tmp_path, readme):
    card = _card(tmp_path, readme)
    assert (card.license, card.trained_on, card.languages) == ("not stated", "not stated", ())
    has = "its README does not" if readme is not None else "it has no README, which would"
    assert card.notes == f"{has} state: license, datasets"
    assert card.cannot[0] == "c"
    assert card.cannot[1].startswith(f"{has} say what it cannot do")


def test_a_license_of_its_own_name(tmp_path):
    assert _card(tmp_path, "---\nlicense: other\nlicense_name: acme\n---\n").license == "acme"


@pytest.mark.parametrize(
    "told", ["a: [", "a: " + "[" * 100_000, "released: 2024-02-31", "a: !!python/object:os.x {}"]
)
def test_damaged_metadata(tmp_path, told):
    with pytest.raises(ModelError, match="no YAML"):
        _card(tmp_path, f"---\n{told}\n---\n")


def test_what_a_terminal_obeys_stays_out(tmp_path):
    told = '---\nlicense: "mit\\e[2J\\u202Etim"\ndatasets: ["a\\nb", "' + "c" * 9000 + '"]\n---\n'
    card = _card(tmp_path, told)
    assert card.license == "mit [2J tim"
    assert card.trained_on.startswith("a b, ccc")
    assert len(card.trained_on) == 300


def test_a_long_readme_is_read_at_its_beginning(tmp_path):
    assert _card(tmp_path, "---\nlicense: mit\n---\n" + "x" * (1 << 21)).license == "mit"
