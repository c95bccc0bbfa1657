"""Commands around a session: pause one that runs, and try what one made."""

import typer

app = typer.Typer(add_completion=False)
