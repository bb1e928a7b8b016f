import pytest

from edgekit.catalog.cards import load_cards
from edgekit.catalog.need import Need, Want, parse_need
from edgekit.errors import UsageError

CARDS = load_cards()


def read(text):
    return parse_need(text, CARDS)


@pytest.mark.parametrize(
    ("text", "kind", "subjects"),
    [
        ("find faces in photos", "detect", ("face",)),
        ("detect people and cars", "detect", ("person", "car")),
        ("is there a dog in the garden", "presence", ("dog",)),
        ("count sheep with a camera", "count", ("sheep",)),
        ("sentiment of tweets", "classify_text", ("sentiment", "tweet")),
        ("who spoke when", "diarize", ()),
        ("speech to text", "transcribe", ()),
        ("read text from labels", "read", ()),
        ("general image classification", "classify", ()),
        ("depth estimation", "depth", ()),
        ("switch the light on when a dog walks in", "presence", ("dog",)),
        ("tell me when someone is at the door", "presence", ("person",)),
        ("warn the nurse if somebody comes in", "presence", ("person",)),
        ("is the dog on the bed", "presence", ("dog",)),
        ("which pages have tables on them", "presence", ("table",)),
        ("check pallets for cracks", "detect", ("crack",)),
        ("count customers that come in", "count", ("customer",)),
        ("keep porn out of the uploads", "classify", ("porn",)),
        ("what is on this photo", "classify", ()),
        ("sort tomatoes and shoes", "classify", ("tomato", "shoe")),
        ("words from a photo", "read", ()),
        ("turn my Dutch voice notes into text", "transcribe", ()),
        ("unlock the door with the guest's face", "identify", ()),
        ("tell which nurse is at the door by her face", "identify", ()),
        ("recognise a cow by its muzzle print", "identify", ()),
        ("cut a table into rows", "detect", ("table row", "table column", "table", "row")),
    ],
)
def test_what_and_about_what(text, kind, subjects):
    assert read(text).wants == (Want(kind, subjects),)


def test_two_things_in_a_sentence():
    both = (Want("detect", ("person",)), Want("read", ("sign",)))
    assert read("find people and read signs").wants == both
    assert [want.kind for want in read("locate the text and read it").wants] == ["read"]


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("transcribe German and French calls", ("de", "fr")),
        ("chat in several languages", ("mul",)),
        ("chat in Mandarin", ("zh",)),
        ("find faces", ()),
    ],
)
def test_languages(text, languages):
    assert read(text).languages == languages


@pytest.mark.parametrize(
    ("text", "device"),
    [
        ("find faces on a Raspberry Pi 4", "pi4"),
        ("find faces, rpi5", "pi5"),
        ("find faces, Pi Zero 2 W", "pi-zero-2"),
        ("find faces on an Android phone", "phone"),
        ("find faces on an ESP32", "microcontroller"),
        ("find faces, GPU server", "server-gpu"),
        ("transcribe phone calls", None),
        ("find faces", None),
    ],
)
def test_devices(text, device):
    assert read(text).device == device


@pytest.mark.parametrize(
    ("text", "prefer"),
    [
        ("most accurate face detection", "accuracy"),
        ("face detection, as small as possible", "small"),
        ("face detection, as fast as possible", "fast"),
        ("face detection with low power", "eco"),
        ("face detection", ""),
    ],
)
def test_preferences(text, prefer):
    need = read(text)
    assert (need.prefer, need.max_ms) == (prefer, None)


def test_limits():
    need = read("find faces, offline, 20 MB, 100 ms, 50 ms a token, 2 GB RAM, Pi 5")
    assert (need.max_bytes, need.memory_bytes) == (20_000_000, 2_000_000_000)
    assert (need.max_ms, need.token_ms, need.offline) == (100.0, 50.0, True)
    assert read("find faces in real time").max_ms == pytest.approx(1000 / 30)
    assert read("find faces, 30 MB, better 20 MB").max_bytes == 20_000_000


def test_models_are_named_whole_or_in_part():
    assert read("SmolVLM in 50 MB").models == ("smolvlm-256m", "smolvlm-500m")
    assert read("smolvlm 256m in 50 MB").models == ("smolvlm-256m",)
    assert read("detect tables on pages").models == ()
    assert read("Whisper large in 200 MB").models == ("whisper-large-v3",)
    assert read("Whisper small").models == ("whisper-small.en",)
    assert read("YOLOv8 on a Pi 5").models == read("YOLO").models == ("yolov8n", "yolov8s-signature")
    assert read("SmolLM in 20 MB").models == ("smollm2-135m",)
    assert read("sentiment of Twitter posts").models == ()


def test_a_need_is_a_sentence_or_a_few():
    assert read("find faces " * 90).wants == (Want("detect", ("face",)),)
    with pytest.raises(UsageError, match="1,008 characters, expected at most 1,000"):
        read("find out " * 112)


def test_nothing_understood_is_no_wish():
    assert read("") == Need()
    assert read("the quick brown fox").wants == ()


def test_told_says_when_a_time_cannot_be_checked():
    assert read("find faces, 100 ms").told() == (
        "object detection of face; at most 100 ms (no device named: not checked)"
    )
    assert read("recognise the characters of one cropped text line, 2 GB RAM").told() == (
        "reading text; 2,000,000,000 bytes of memory; lines that are cut out already"
    )
    assert read("find faces, 100 ms, Pi 5").told() == "object detection of face; on pi5; at most 100 ms"
