"""Upload to the Hugging Face Hub, through its own client and with its own login: private unless that is asked for.

Everything is first written to a folder as an export would be, so what a dry run lists is what goes.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...memory.errors import UnavailableError, UsageError
from ...memory.reading import Run
from ..quiet import quiet
from ..reports.summary import Json
from .dataset import Format
from .exporting import export_data, export_model
from .pick import pick

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Kind = Literal["model", "dataset"]


class Parcel(NamedTuple):
    """A folder that goes into one repository."""

    kind: Kind
    folder: Path

    def files(self) -> list[Json]:
        """Names and sizes of what goes."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [{"file": p.relative_to(self.folder).as_posix(), "bytes": p.stat().st_size} for p in found]


def push(
    run: Run,
    repo: str,
    *,
    which: str,
    merge: bool,
    base: str,
    data: bool,
    format: Format,
    public: bool,
    dry_run: bool,
    tainted: bool = False,
) -> Json:
    """Upload a student, and with `data` the samples it comes from, each with its card.

    Args:
        run: of the session.
        repo: `OWNER/NAME`, of the model and of the data set alike.
        which: see `pick`.
        merge: merge an adapter into its base.
        base: what the base of an adapter is called on the Hub.
        data: upload the kept samples as a data set, too.
        format: of the samples.
        public: let everybody see it.
        dry_run: only say what would go.
        tainted: whether the student may have learned from what was withdrawn.

    Raises:
        UsageError: no such student, no name for a repository, or one that everybody sees already.
        UnavailableError: no login, no network, or refused.
    """
    quiet()
    _check(run, repo, which=which, merge=merge, base=base, tainted=tainted)
    api = None if dry_run else _login()
    with tempfile.TemporaryDirectory(prefix="evolvent-") as place:
        folder = Path(place)
        named = repo if data else ""
        export_model(run, which, folder / "model", merge=merge, base=base, force=False, data=named, tainted=tainted)
        parcels = [Parcel("model", folder / "model")]
        if data:
            export_data(run, format, folder / "data", rejected=False, force=False)
            parcels.append(Parcel("dataset", folder / "data"))
        urls = {parcel.kind: _send(api, repo, parcel, public=public) for parcel in parcels} if api else {}
        sent = [{"kind": p.kind, "url": urls.get(p.kind), "files": p.files()} for p in parcels]
    return {"event": "push", "run": run.name, "repo": repo, "public": public, "dry_run": dry_run, "parcels": sent}


def _check(run: Run, repo: str, *, which: str, merge: bool, base: str, tainted: bool) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UsageError(f"{repo!r} names no repository: {str(error).rstrip('.')}; write it as OWNER/NAME") from None
    if "/" not in repo:
        raise UsageError(f"{repo!r} names no owner; write it as OWNER/NAME")
    if pick(run, which, tainted=tainted).adapter and not (merge or base):
        raise UsageError(
            f"model {which!r} is an adapter, and its base lies on this machine alone; "
            "name the base with --base OWNER/NAME, or send full weights with --merge"
        )


def _login() -> "HfApi":
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise UnavailableError("no login for the Hugging Face Hub; try: hf auth login, or set HF_TOKEN")
    return HfApi()


def _send(api: "HfApi", repo: str, parcel: Parcel, *, public: bool) -> str:
    """Upload one folder in one commit; give its address."""
    # what the client of the Hub itself is built on, and raises where no answer comes
    from httpx import HTTPError

    try:
        if not api.repo_exists(repo, repo_type=parcel.kind):
            api.create_repo(repo, repo_type=parcel.kind, private=not public)
        elif not public and not api.repo_info(repo, repo_type=parcel.kind).private:
            raise UsageError(f"{parcel.kind} {repo} exists and everybody sees it; say so with --public")
        done = api.upload_folder(
            repo_id=repo, folder_path=parcel.folder, repo_type=parcel.kind, commit_message="Upload from Evolvent"
        )
    except (HTTPError, OSError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UnavailableError(
            f"{parcel.kind} {repo} cannot be sent to {api.endpoint} ({reason}); "
            "see whether there is a network, and who is logged in: hf auth whoami"
        ) from None
    return str(done.commit_url)
