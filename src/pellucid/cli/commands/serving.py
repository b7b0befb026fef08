"""Commands of serving: serve, bundle."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pellucid.cli.arguments import StoreUri, TrustedKeys


class Exactness(StrEnum):
    """How exact the types of cells must be."""

    lenient = "lenient"
    strict = "strict"


Target = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="NAME, NAME@ALIAS, NAME/VERSION, or a model's folder."),
]


def serve(
    model: Target,
    host: Annotated[str, typer.Option(help="0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(help="Processes; one that dies is replaced.")] = 1,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="API keys, one a line. [also: $PELLUCID_API_KEYS]"),
    ] = None,
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="Let other machines in without a key.")
    ] = False,
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM file.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="PEM file.")] = None,
    host_name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name that clients ask for. Repeatable."),
    ] = None,
    policy: Annotated[
        Exactness, typer.Option(help="strict: only columns and types of training.")
    ] = Exactness.lenient,
    max_body: Annotated[int, typer.Option(help="Bytes of a request.")] = 10_000_000,
    max_rows: Annotated[int, typer.Option(help="Rows of a request.")] = 10_000,
    timeout: Annotated[float, typer.Option(help="Seconds to answer.")] = 30.0,
    max_wait: Annotated[
        float, typer.Option(help="Seconds in the queue after which a request is refused.")
    ] = 0.5,
    reload: Annotated[
        float, typer.Option(help="Seconds between looks at the alias; 0: never.")
    ] = 2.0,
    log: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep rows, predictions and reasons for monitor."),
    ] = None,
    log_share: Annotated[float, typer.Option(help="Share of requests to keep.")] = 1.0,
    log_omit: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A column whose cells are not kept. Repeatable."),
    ] = None,
    log_mb: Annotated[float, typer.Option(help="Megabytes; the oldest rows go.")] = 1000.0,
    name: Annotated[
        str | None, typer.Option(help="What to call the model. [default: its own name]")
    ] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Serve predictions and their reasons over HTTP.

    Only this machine can ask unless --host says otherwise. When the alias moves, the service
    changes over without losing a request. Ctrl-C ends it.
    """
    from pellucid.serve.server import run_server
    from pellucid.serve.settings import Kept, Limits, Settings

    settings = Settings(
        target=model,
        store=store,
        name=name,
        host=host,
        port=port,
        workers=workers,
        keys_file=None if keys is None else str(keys),
        open_to_all=no_auth,
        certificate=None if tls_cert is None else str(tls_cert),
        private_key=None if tls_key is None else str(tls_key),
        hosts=tuple(host_name or ()),
        policy=policy.value,
        reload_seconds=reload,
        limits=Limits(body=max_body, rows=max_rows, seconds=timeout, queue_seconds=max_wait),
        log=None
        if log is None
        else Kept(str(log), share=log_share, omit=tuple(log_omit or ()), megabytes=log_mb),
        trust=None if trust is None else str(trust.absolute()),
    )
    run_server(settings)


def bundle(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME, NAME@ALIAS or NAME/VERSION.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="A new folder.")],
    image: Annotated[
        str | None, typer.Option(help="Name of the image. [default: NAME:VERSION]")
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Pellucid as a wheel, to install from the bundle."),
    ] = None,
    store: StoreUri = None,
    trust: TrustedKeys = None,
) -> None:
    """Write a model with all that serves it elsewhere.

    Pinned requirements, a Dockerfile, manifests for Kubernetes and KServe, and a README.
    """
    from pellucid.serve.bundle import write_bundle

    found = write_bundle(model, output, store=store, image=image, wheel=wheel, trust=trust)
    typer.echo(f"{output}: {found}; its README.md says how to run it")
