"""Chromium without a window, driven over the two pipes of its DevTools protocol: no package and no port is needed.

The browser reads commands from its descriptor 3 and writes replies and events to 4, each a JSON text that ends in NUL
(https://chromedevtools.github.io/devtools-protocol, `--remote-debugging-pipe`).
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0  # seconds until a reply counts as missing


def executable() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser refused a command, or a script in the page raised."""


class Browser:
    """One process with one page."""

    def __init__(self, command: int, reply: int) -> None:
        self._command = command
        self._reply = reply
        self._text = b""
        self._number = 0
        self._session: str | None = None

    def open_page(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        return self

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and return its result; events that come before it are passed over."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._command, json.dumps(message).encode() + b"\0")
        for answer in self._messages():
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
        raise BrowserError(f"{method}: the browser ended")

    def _messages(self) -> Iterator[dict[str, Any]]:
        while True:
            while b"\0" not in self._text:
                piece = os.read(self._reply, 1 << 16)
                if not piece:
                    return
                self._text += piece
            line, _, self._text = self._text.partition(b"\0")
            yield json.loads(line)

    def show(
        self, page: Path, *, width: int = 1280, height: int = 900, script: bool = True, dark: bool = False
    ) -> None:
        """Load a file in a window of this size and wait until it is complete."""
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=page.resolve().as_uri())
        end = time.monotonic() + PATIENCE
        while self.value("document.readyState + location.protocol") != "completefile:":
            if time.monotonic() > end:
                raise BrowserError(f"{page} is not complete after {PATIENCE:g} s")
            time.sleep(0.02)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{expression}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """One key, such as Tab or Enter; `text` is what it types."""
        code = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38}.get(key, 0)
        known = {"key": key, "code": "Space" if key == " " else key, "windowsVirtualKeyCode": code}
        down = {"type": "keyDown", "text": text} if text else {"type": "rawKeyDown"}
        self.call("Input.dispatchKeyEvent", **known, **down)
        self.call("Input.dispatchKeyEvent", **known, type="keyUp")

    def type_text(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def picture(self, file: Path, height: int | None = None) -> None:
        """The page as PNG, whole or its first `height` pixels."""
        layout = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": layout["width"], "height": height or layout["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)["data"]
        file.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])


@contextmanager
def browser(name: str) -> Iterator[Browser]:
    """A browser with a profile of its own, which ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command_read, command = os.pipe()
        reply, reply_write = os.pipe()
        process = _start([name, *FLAGS, f"--user-data-dir={profile}", "about:blank"], command_read, reply_write)
        try:
            yield Browser(command, reply).open_page()
        finally:
            os.kill(process, signal.SIGTERM)
            os.waitpid(process, 0)
            os.close(command)
            os.close(reply)


def _start(arguments: list[str], command_read: int, reply_write: int) -> int:
    """The process number of a browser with these pipes as 3 and 4; both are closed here."""
    spare = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (command_read, reply_write)]  # neither is 3 or 4
    with Path(os.devnull).open("wb") as nothing:
        wanted = {spare[0]: 3, spare[1]: 4, nothing.fileno(): 1}
        actions = [(os.POSIX_SPAWN_DUP2, one, other) for one, other in wanted.items()]
        actions.append((os.POSIX_SPAWN_DUP2, 1, 2))
        path = shutil.which(arguments[0]) or arguments[0]
        process = os.posix_spawn(path, arguments, os.environ, file_actions=actions)
    for end in (command_read, reply_write, *spare):
        os.close(end)
    return process
