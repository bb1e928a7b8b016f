import sys

from msgspec.structs import replace

from edgekit.bundle import reader
from edgekit.catalog.cards import load_card
from edgekit.cli.badge import tell_badge


class Bundle:
    def __init__(self, card):
        self.card = card


def told(monkeypatch, capsys, card, terminal):
    monkeypatch.setattr(reader, "open_bundle", lambda path: Bundle(card))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    tell_badge("x.edge")
    return capsys.readouterr()


def test_a_terminal_is_told_what_the_model_knows(monkeypatch, capsys):
    said = told(monkeypatch, capsys, load_card("yolov8s-signature"), True)
    assert (said.out, said.err) == ("", "[YOLOv8s signature detector: signatures only]\n")


def test_pipes_and_cards_without_a_badge_get_nothing(monkeypatch, capsys):
    assert told(monkeypatch, capsys, load_card("yolov8s-signature"), False).err == ""
    assert told(monkeypatch, capsys, replace(load_card("yolov8s-signature"), badge=""), True).err == ""
