import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
import os, sys
from evolvent.scenarios import worker
place = sys.argv[1]
worker._narrow()
for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT):
    for name in ("kept", "made"):
        try:
            os.open(os.path.join(place, name), flags)
            print(name, "opened with", flags)
        except OSError:
            pass
print(open(os.path.join(place, "kept")).read())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_a_process_that_reads_texts_of_a_model_can_neither_make_a_file_nor_empty_one(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("as it was")
    said = subprocess.run([sys.executable, "-c", TRY, str(tmp_path)], capture_output=True, text=True, check=True)
    assert said.stdout == "as it was\n"
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
