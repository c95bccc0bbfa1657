import asyncio
import stat
from pathlib import Path

import pytest

from evolvent.memory.errors import UnavailableError
from evolvent.training.serving import address
from evolvent.training.serving.host import hosting
from evolvent.training.serving.server import RECORD
from evolvent.training.serving.wire import Wire


@pytest.fixture
def url() -> str:
    return address.new()


async def listen(url: str) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_unix_server(serve, address.path_of(url))


async def test_a_server_answers_at_a_socket_in_a_folder_that_only_its_user_enters(url: str) -> None:
    folder = address.path_of(url).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    async with await listen(url), Wire(url) as wire:
        assert await wire.get("/v1", seconds=5) == {}
    address.remove(url)
    assert not folder.exists()


async def test_nobody_at_a_socket_is_said(url: str) -> None:
    async with Wire(url) as wire:
        with pytest.raises(UnavailableError, match=r"unix:.*socket/v1 cannot be reached"):
            await wire.get("/v1", seconds=5)
    address.remove(url)


def test_a_folder_whose_name_is_too_long_for_a_socket_names_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with pytest.raises(UnavailableError, match="set TMPDIR to a shorter one"):
        address.new()
    assert not list(deep.iterdir())


def test_what_is_no_socket_of_ours_is_not_removed(tmp_path: Path) -> None:
    kept = tmp_path / "socket"
    kept.write_text("not a socket")
    address.remove(f"unix:{kept}")
    address.remove(f"unix:{tmp_path}")
    assert kept.exists()


async def test_a_host_removes_the_socket_that_a_killed_session_left(tmp_path: Path, url: str) -> None:
    async with await listen(url):
        pass
    with hosting(tmp_path):
        (tmp_path / "student").mkdir()
        (tmp_path / "student" / RECORD).write_text(f'{{"url": "{url}", "identity": ""}}')
    assert not address.path_of(url).parent.exists()
