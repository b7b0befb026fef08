"""Commands of signatures: sign, verify-signature."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import StoreUri

Target = Annotated[
    str, typer.Argument(metavar="WHAT", help="A run, NAME@ALIAS, NAME/VERSION, or a folder.")
]


def sign(
    what: Target,
    key: Annotated[Path, typer.Option(metavar="FILE", help="Private Ed25519 key, PEM.")],
    store: StoreUri = None,
) -> None:
    """Sign the artefacts of a run, a model or a folder.

    openssl genpkey -algorithm ed25519 -out key.pem makes a key,
    openssl pkey -in key.pem -pubout -out trusted.pem the file for those who check.
    """
    from pellucid.store.signing import sign as sign_all

    for folder in sign_all(what, key, store=store):
        typer.echo(f"signed {folder}")


def verify_signature(
    what: Target,
    trust: Annotated[Path, typer.Option(metavar="FILE", help="Public Ed25519 keys, PEM.")],
    store: StoreUri = None,
) -> None:
    """Say whether a trusted key signed all artefacts.

    What is not as it was signed is named.
    """
    from pellucid.store.signing import verify_signature as verify_all

    for folder, name in verify_all(what, trust, store=store).items():
        typer.echo(f"{folder} is as the key {name} signed it")
