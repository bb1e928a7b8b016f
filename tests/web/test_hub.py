from __future__ import annotations

import threading

from edgekit.web.hub import Hub


def test_the_newest_of_each_kind_waits():
    hub = Hub()
    viewer = hub.join()
    for i in range(1000):
        hub.publish("frame", b"frame %d" % i)
        hub.publish("figures", b"figures %d" % i)
    records = viewer.records()
    assert [next(records), next(records)] == [b"frame 999", b"figures 999"]
    hub.close()
    assert list(records) == []


def test_newcomers_get_what_was_published_before():
    hub = Hub()
    hub.publish("hello", b"hello")
    viewer = hub.join()
    hub.close()
    assert list(viewer.records()) == [b"hello"]


def test_viewers_are_bounded_and_may_leave():
    hub = Hub(limit=2)
    first, second = hub.join(), hub.join()
    assert first and second
    assert hub.join() is None
    hub.leave(first)
    hub.leave(first)
    assert len(hub) == 1
    assert hub.join() is not None
    hub.close()
    hub.leave(second)
    assert hub.join() is None


def test_waiting_for_somebody():
    hub, results = Hub(), []
    thread = threading.Thread(target=lambda: results.append(hub.wait_for_viewer()))
    thread.start()
    hub.join()
    thread.join(60)
    assert results == [True]
    hub.close()
    assert hub.wait_for_viewer() is False
