from __future__ import annotations

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.processing.thumbnail import thumbnail
from edgekit.triggers import Above, Holds, Rule, Triggers, check_rules, parse_rule
from edgekit.types import Classification, Detections, Embedding, TextRegions

S = 1_000_000_000
LABELS = ("person", "dog", "traffic light")


def objects(*pairs, labels=LABELS):
    """Objects ``(label, score)``, the i-th at left ``10 i``."""
    xyxy = np.array([[10 * i, 0, 10 * i + 5, 5] for i in range(len(pairs))], np.float32).reshape(-1, 4)
    index = np.array([labels.index(label) for label, _ in pairs], np.int32)
    return Detections(xyxy, np.array([score for _, score in pairs], np.float32), index, labels)


def classes(*scores, labels=LABELS):
    return Classification(np.array(scores, np.float32), labels)


def lines(*texts):
    quads = np.array(
        [[[0, 10 * i], [50, 10 * i], [50, 10 * i + 8], [0, 10 * i + 8]] for i in range(len(texts))]
    )
    scores = np.linspace(0.9, 0.8, len(texts)).astype(np.float32)
    return TextRegions(quads.astype(np.float32).reshape(-1, 4, 2), texts, scores)


def grey(value):
    return thumbnail(np.full((32, 32, 3), value, np.uint8))


def half(value):
    pixels = np.full((32, 32, 3), 100, np.uint8)
    pixels[:16] = value
    return thumbnail(pixels)


def asked(triggers, frames, fps=10):
    """Numbers of the frames that are asked about; each is a result, or a result with a thumbnail."""
    found = []
    for number, frame in enumerate(frames):
        result, small = frame if isinstance(frame, tuple) else (frame, grey(100))
        if triggers.decide(result, lambda small=small: small, number * S // fps) is not None:
            found.append(number)
    return found


PERSON = parse_rule("person>0.5")


class TestRules:
    @pytest.mark.parametrize(
        ("text", "conditions", "scene"),
        [
            ("person>0.5", (Above("person", 0.5),), None),
            (" traffic light > .25 ", (Above("traffic light", 0.25),), None),
            ("person", (Above("person", 0.5),), None),
            ("any>0.6", (Above("any", 0.6),), None),
            ("text>0.9", (Above("text", 0.9),), None),
            ("text~Total: 3 > 2", (Holds("Total: 3 > 2"),), None),
            ("scene>0.2", (), 0.2),
            ("scene", (), 0.1),
            ("person>0.5 & scene>0.1", (Above("person", 0.5),), 0.1),
            ("person>0&dog>1", (Above("person", 0.0), Above("dog", 1.0)), None),
            ("tabby, tabby cat>0.3", (Above("tabby, tabby cat", 0.3),), None),
        ],
    )
    def test_as_they_are_written(self, text, conditions, scene):
        assert parse_rule(text) == Rule(conditions, scene)

    @pytest.mark.parametrize(
        ("text", "match"),
        [
            ("", "got ''"),
            ("person>", "got 'person>'"),
            ("person<0.5", "write person>0.5"),
            (">0.5", "got '>0.5'"),
            ("person>0.5 &", "got ''"),
            ("person>1.5", "expected a share from 0 to 1, got 1.5"),
            ("person>=0.5", "got"),
            ("text~", "got 'text~'"),
            ("person>nan", "got"),
        ],
    )
    def test_that_cannot_be_understood(self, text, match):
        with pytest.raises(UsageError, match=match):
            parse_rule(text)

    def test_classes_are_found_by_one_of_their_names(self):
        rules = [parse_rule("Tabby Cat>0.5"), parse_rule("TABBY"), parse_rule("any & scene")]
        labels = ("tabby, tabby cat", "dog")
        assert check_rules(rules, labels, False) == (
            Rule((Above("tabby, tabby cat", 0.5),)),
            Rule((Above("tabby, tabby cat", 0.5),)),
            Rule((Above("any", 0.5),), 0.1),
        )

    @pytest.mark.parametrize(
        ("text", "labels", "reads", "match"),
        [
            ("cat>0.5", LABELS, False, "no class 'cat' .it has dog, person, traffic light"),
            ("cat>0.5", (), False, "it has no classes: use scene, or --every"),
            ("any>0.5", (), False, "it has no classes"),
            ("text~a", LABELS, False, "reads no text"),
            ("text>0.5", LABELS, False, "reads no text"),
            ("person>0.5", (), True, "no class 'person'"),
        ],
    )
    def test_that_the_bundle_cannot_fulfil(self, text, labels, reads, match):
        with pytest.raises(UsageError, match=match):
            check_rules([parse_rule(text)], labels, reads)

    def test_what_fulfils_a_rule(self):
        found = objects(("dog", 0.9), ("person", 0.6), ("person", 0.8))
        match = PERSON.match(found, 1.0)
        assert (match.why, match.label, match.box.tolist()) == ("person 0.80", "person", [20, 0, 25, 5])
        assert parse_rule("any>0.5").match(found, 1.0).label == "dog"
        assert PERSON.match(objects(("person", 0.5)), 1.0) is None  # above, not at
        assert PERSON.match(objects(), 1.0) is None
        both = parse_rule("person>0.5 & dog>0.5").match(found, 1.0)
        assert (both.why, both.label) == ("person 0.80 & dog 0.90", "person")
        assert parse_rule("person>0.5 & dog>0.95").match(found, 1.0) is None

    def test_of_classes(self):
        assert PERSON.match(classes(0.6, 0.7, 0), 1.0).why == "person 0.60"
        assert parse_rule("any>0.5").match(classes(0.6, 0.7, 0), 1.0).label == "dog"
        assert parse_rule("any>0.7").match(classes(0.6, 0.7, 0), 1.0) is None

    def test_of_lines(self):
        read = lines("Shop", "TOTAL 3")
        match = parse_rule("text~total").match(read, 1.0)
        assert (match.why, match.label, match.box.tolist()) == ("text 'TOTAL 3'", "TOTAL 3", [0, 10, 50, 18])
        assert parse_rule("text>0.85").match(read, 1.0).label == "Shop"
        assert parse_rule("text~sum").match(read, 1.0) is None
        assert parse_rule("any>0.5").match(lines(), 1.0) is None

    def test_of_a_result_without_classes(self):
        assert parse_rule("any>0").match(Embedding(np.ones(3, np.float32)), 1.0) is None


class TestTriggers:
    def test_a_thing_that_stays_is_asked_about_once(self):
        frames = [objects()] * 5 + [objects(("person", 0.9))] * 50
        assert asked(Triggers([PERSON]), frames) == [5]

    def test_a_trembling_score_does_not_ask_again(self):
        """Down to 0.8 of the threshold it holds, and below it for less than a second too."""
        scores = [0.6, 0.45, 0.51, 0.41, 0.3, 0.2, 0.6] * 20
        assert asked(Triggers([PERSON], cooldown_ns=0), [objects(("person", s)) for s in scores]) == [0]

    def test_it_begins_again_after_a_second_without(self):
        present, absent = objects(("person", 0.9)), objects()
        nine = [present, *[absent] * 9]  # from frame to frame it holds 1 s apart
        assert asked(Triggers([PERSON], cooldown_ns=0), [*nine, present]) == [0]
        assert asked(Triggers([PERSON], cooldown_ns=0), [*nine, absent, present]) == [0, 11]

    def test_after_a_release_the_whole_score_counts(self):
        faint = objects(("person", 0.45))
        frames = [objects(("person", 0.9)), *[objects()] * 10, faint, faint, objects(("person", 0.51))]
        assert asked(Triggers([PERSON], cooldown_ns=0), frames) == [0, 13]

    def test_what_begins_in_the_cooldown_is_asked_about_after_it(self):
        rules = [PERSON, parse_rule("dog>0.5")]
        both = objects(("person", 0.9), ("dog", 0.9))
        frames = [objects(("person", 0.9)), *[both] * 40]
        assert asked(Triggers(rules, cooldown_ns=2 * S), frames) == [0, 20]
        gone = [objects(("person", 0.9)), both, *[objects(("person", 0.9))] * 40]
        assert asked(Triggers(rules, cooldown_ns=2 * S), gone) == [0]

    def test_any_of_several_and_both_at_once_are_one_question(self):
        rules = [PERSON, parse_rule("dog>0.5")]
        both = objects(("person", 0.9), ("dog", 0.9))
        assert asked(Triggers(rules, cooldown_ns=0), [both] * 10) == [0]

    def test_again_while_it_holds(self):
        frames = [objects(("person", 0.9))] * 35 + [objects()] * 30 + [objects(("person", 0.9))] * 5
        assert asked(Triggers([PERSON], every_ns=S, cooldown_ns=0), frames) == [0, 10, 20, 30, 65]

    def test_at_all_times(self):
        triggers = Triggers([Rule()], every_ns=2 * S)
        assert asked(triggers, [objects()] * 45) == [0, 20, 40]
        match = Triggers([Rule()], every_ns=S).decide(objects(), lambda: grey(0), 0)
        assert (match.why, match.label, match.box) == ("start", "", None)

    def test_a_scene_that_changes(self):
        rule = parse_rule("scene>0.3")
        small = [grey(100), grey(100), half(180), half(180), half(100), grey(100)]
        frames = [(objects(), one) for one in small]
        assert asked(Triggers([rule], cooldown_ns=0), frames) == [0, 2, 4]
        assert asked(Triggers([parse_rule("scene>0.5")], cooldown_ns=0), frames) == [0]

    def test_slow_changes_add_up(self):
        """Each is small against the frame before; what counts is the frame that was asked about."""
        frames = [(objects(), grey(value)) for value in range(100, 200, 5)]
        assert asked(Triggers([parse_rule("scene>0.5")], cooldown_ns=0), frames) == [0, 5, 10, 15]

    def test_a_scene_that_never_rests_is_asked_about_after_each_cooldown(self):
        frames = [(objects(), grey(100 * (number % 2))) for number in range(50)]
        assert asked(Triggers([parse_rule("scene")], cooldown_ns=S), frames) == [0, 11, 22, 33, 44]

    def test_a_class_and_a_change_together(self):
        rule = parse_rule("person>0.5 & scene>0.3")
        there, away = objects(("person", 0.9)), objects()
        frames = [(away, grey(0)), (there, grey(0)), (there, grey(0)), (there, half(200)), (away, grey(200))]
        assert asked(Triggers([rule], cooldown_ns=0), frames) == [1, 3]
        assert asked(Triggers([rule], every_ns=S, cooldown_ns=0), [(there, grey(0))] * 25) == [0, 10, 20]

    def test_the_picture_is_looked_at_only_where_a_rule_needs_it(self):
        def never():
            raise AssertionError

        triggers = Triggers([PERSON, parse_rule("dog>0.5 & scene")], cooldown_ns=S)
        assert triggers.decide(objects(), never, 0) is None
        assert Triggers([PERSON]).decide(objects(("person", 0.9)), never, 0).why == "person 0.90"

    def test_why(self):
        triggers = Triggers([parse_rule("person & scene>0.3")], every_ns=S, cooldown_ns=0)
        there = objects(("person", 0.9))
        whys = [triggers.decide(there, lambda: grey(0), at * S // 2) for at in range(3)]
        assert [match and match.why for match in whys] == ["person 0.90 & scene 1.00", None, "person 0.90"]
        every = Triggers([Rule()], every_ns=S, cooldown_ns=0)
        assert [m and m.why for m in (every.decide(there, lambda: grey(0), at * S) for at in (0, 1))] == [
            "start",
            "interval",
        ]
