"""Run experiments: `python -m evolvent.benchmarks.lab NAME [--seeds N]`, or all of them without a name."""

import argparse
import sys
from collections.abc import Sequence

from ...memory.errors import suggest
from ..bench import page, running


def main(argv: Sequence[str] | None = None) -> int:
    """Run what is named and give the exit code: 1 where a promise was not kept."""
    known = running.known()
    parser = argparse.ArgumentParser(prog="evolvent bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(known))
    parser.add_argument("--seeds", type=int, help="how many, from 0 on; an experiment's own number by default")
    parser.add_argument("--list", action="store_true", help="say only what there is")
    parser.add_argument("--page", action="store_true", help="write the page of what was found, and run nothing")
    options = parser.parse_args(argv)
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no experiment called {unknown[0]!r}; known: {', '.join(known)}{suggest(unknown[0], known)}")
    if options.list:
        print("\n".join(f"{name:<20} {running.load(name).claim}" for name in known))
        return 0
    if options.page:
        page.PAGE.write_text(page.page())
        print(f"written to {page.PAGE}")
        return 0
    checks = [check for name in options.names or known for check in running.run(name, seeds=options.seeds)]
    return int(any(not check.met for check in checks))


if __name__ == "__main__":
    sys.exit(main())
