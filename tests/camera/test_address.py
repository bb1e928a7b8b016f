from __future__ import annotations

import pytest

from edgekit.camera.address import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://me:secret@cam:554/1", "rtsp://cam:554/1"),
        ("rtsp://cam/1", "rtsp://cam/1"),
        ("http://u:p@ss@cam", "http://cam"),
        ("http://u:sec/ret@cam/x", "http://cam/x"),
        ("http://cam:80/a@b", "http://cam:80/a@b"),
        ("rtsp://cam/user=me&password=secret&channel=1", "rtsp://cam/user=me&password=***&channel=1"),
        ("http://cam/v?pwd=secret", "http://cam/v?pwd=***"),
        ("http://cam/v?access_token=secret&fps=5", "http://cam/v?access_token=***&fps=5"),
        ("rtsp:/me:secret@cam/1", "rtsp:cam/1"),
        ("clips/me@home.mp4", "clips/me@home.mp4"),
    ],
)
def test_passwords_are_not_shown(url, shown):
    assert without_password(url) == shown
