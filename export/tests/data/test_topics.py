import re

from edgekit.data.dataset import open_data
from edgekit_export.data.topics import TOPICS, write_sentence


def test_the_same_text_for_the_same_numbers():
    assert write_sentence(1, 7) == write_sentence(1, 7)
    assert write_sentence(1, 7) != write_sentence(2, 7)


def test_texts_are_whole_and_mostly_different():
    texts = [write_sentence(1, i)[0] for i in range(400)]
    assert len(set(texts)) > 370
    assert all(re.fullmatch(r"[A-Z][^{}]+[.!?]", text) for text in texts)


def test_topics_take_turns_and_are_labels_of_embedders():
    data = open_data(("rendered:topics?n=30&seed=3",), "embed", (), "text")
    samples = list(data)
    assert [s.truth for s in samples] == [i % len(TOPICS) for i in range(30)]
    assert samples[12].content == write_sentence(3, 12)[0]
    assert len({s.cluster for s in samples}) == 30
