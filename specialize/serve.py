"""A small OpenAI-compatible server for a model folder: `python -m specialize.serve --model FOLDER [--port 8000]`.

It answers /v1/chat/completions and /v1/completions (ChatML, as the model was trained), /v1/models and /health; requests
that come together are computed together. It is for one machine: to try a checkpoint, to point a client or an evaluation at
it, to be the teacher of a test. It listens on this machine alone unless told otherwise, and then asks for a key. No code of
a model folder is run, and no pickled weights are read.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specialize import openai_form
from specialize.listener import Server, is_local
from specialize.openai_form import ApiError
from specialize.sampler import Busy, Sampled, Sampler

if TYPE_CHECKING:
    from specialize.generate import Exported

MAX_WAITING = 256
"""Prompts that wait for the model."""


@dataclass(frozen=True)
class Service:
    """A loaded model, and how it is asked."""

    exported: Exported
    name: str
    context: int
    """Tokens of prompt and reply together."""
    sampler: Sampler
    key: str = ""
    """What clients send as a bearer token; empty asks for none."""

    @classmethod
    def load(
        cls, folder: Path, *, name: str = "", context: int = 2048, batch_size: int = 8, dtype: str, key: str = ""
    ) -> Service:
        """Load a Hugging Face folder, or the `hf` inside an output of this product."""
        from specialize.generate import Exported

        root = find_folder(folder)
        exported = Exported.load(root, dtype=dtype)
        longest = int(getattr(exported.model.config, "max_position_embeddings", context))
        sampler = Sampler(exported, batch_size=batch_size, max_waiting=MAX_WAITING)
        return cls(exported, name or folder.resolve().name, min(context, longest), sampler, key)

    def answer(self, body: bytes, *, is_chat: bool) -> tuple[openai_form.Call, list[Sampled]]:
        """Read a request and sample its replies."""
        call = openai_form.read(
            body, is_chat=is_chat, model=self.name, tokenizer=self.exported.tokenizer, context=self.context
        )
        try:
            return call, self.sampler.sample(call.jobs)
        except Busy:
            raise ApiError(429, f"more than {MAX_WAITING} prompts wait", code="overloaded", retry_seconds=1) from None


def find_folder(folder: Path) -> Path:
    """Find the Hugging Face folder; what cannot be served is refused with the reason."""
    root = next((one for one in (folder, folder / "hf") if (one / "config.json").is_file()), None)
    if root is None:
        raise ValueError(f"{folder} has no config.json, nor has {folder / 'hf'}; give the folder of an exported model")
    if not any(root.glob("*.safetensors")):
        raise ValueError(f"{root} has no .safetensors file; this product reads no pickled weights")
    if not (root / "tokenizer.json").is_file():
        raise ValueError(f"{root} has no tokenizer.json; save the model with its fast tokenizer")
    return root


def main(arguments: list[str] | None = None) -> int:
    """Load the model and serve until a signal."""
    given = _parser().parse_args(arguments)
    key = os.environ.get(given.key_variable, "") if given.key_variable else ""
    try:
        if given.key_variable and not key:
            raise ValueError(f"--key-variable names {given.key_variable!r}, which is not set; set it or leave it out")
        if not is_local(given.host) and not key:
            raise ValueError(
                f"--host {given.host} lets others in; set a key in the environment and name it with --key-variable"
            )
        if given.threads:
            _set_threads(given.threads)
        service = Service.load(
            given.model,
            name=given.name,
            context=given.context,
            batch_size=given.batch_size,
            dtype=given.dtype,
            key=key,
        )
        server = Server((given.host, given.port), service)
    except (ValueError, OSError) as error:
        print(f"serve: {error}", file=sys.stderr)
        return 1
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        print(f"{service.name} at {server.url}, context {service.context} tokens; Ctrl-C ends it", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print("ended", flush=True)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the batch under way ends first
        server.server_close()
        service.sampler.close()
    return 0


def _set_threads(count: int) -> None:
    import torch

    torch.set_num_threads(count)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m specialize.serve", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--model", type=Path, required=True, help="a Hugging Face folder, or an output folder with hf/ in it")
    add("--host", default="127.0.0.1", help="another than this machine's own needs --key-variable")
    add("--port", type=int, default=8000, help="0 takes a free one")
    add("--name", default="", help="what clients call the model; the folder's name otherwise")
    add("--context", type=_count, default=2048, help="tokens of prompt and reply, at most the model's own")
    add("--batch-size", type=_count, default=8, help="replies computed at a time; 1 makes them the same to the bit")
    add("--threads", type=_count, help="of a CPU; fewer than cores where others compute too, which slows threads most")
    add("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    add("--key-variable", default="", help="environment variable with the key that clients must send")
    return parser


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
