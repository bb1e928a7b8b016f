import pytest

from edgekit.errors import OutputError
from edgekit.predictions.file import open_recording
from edgekit.predictions.prediction import Key
from edgekit.predictions.writer import RecordingWriter


def test_an_interrupted_recording_becomes_the_same_file(tmp_path, header, said, recorded):
    path = tmp_path / "again.predictions"
    keys = [Key(number, condition) for number in range(5) for condition in ("", "blur")]
    for upto in (3, 4, 10):
        writer = RecordingWriter(path, header)
        assert len(writer.done) == {3: 0, 4: 3, 10: 4}[upto]
        for key in keys[:upto]:
            if key not in writer.done:
                writer.add(key, f"{key.number}.png", said(key.number))
        writer.close()
        assert not path.exists()
    writer = RecordingWriter(path, header)
    assert writer.finish() == path
    assert path.read_bytes() == recorded.read_bytes()
    assert not path.with_name("again.predictions.part").exists()


def test_killed_before_the_file_got_its_name(tmp_path, header, recorded):
    path = tmp_path / "again.predictions"
    path.with_name(path.name + ".part").write_bytes(recorded.read_bytes())
    writer = RecordingWriter(path, header)
    assert len(writer.done) == 10
    assert open_recording(writer.finish()).sha256 == open_recording(recorded).sha256


def test_nowhere_to_write(tmp_path, header):
    with pytest.raises(OutputError, match="a folder, or in a folder that is not there"):
        RecordingWriter(tmp_path, header)
    with pytest.raises(OutputError, match="name a file"):
        RecordingWriter(tmp_path / "none" / "f", header)
