"""Headless Chromium over its own protocol, on a pair of pipes: no driver, no server, no package.

>>> with Chromium.start() as browser:
...     page = browser.open(Path("index.html"), width=375)
...     page.evaluate("document.title")

What the page wrote to its console, every request, and every violated policy are kept, so that tests can ask for none.
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_PATIENCE_SECONDS = 90.0
# The browser reads commands from descriptor 3 and answers on 4.
_LAUNCH = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for target, one in zip((3, 4), ours):
    os.dup2(one, target)
os.execv(sys.argv[3], sys.argv[3:])
"""
# The middle of an element, or nothing if a click there would meet another one.
_FIND_PLACE = """(() => {
  const one = document.querySelector(%s);
  one.scrollIntoView({block: "center", behavior: "instant"});
  const {x, y, width, height} = one.getBoundingClientRect();
  const place = [x + width / 2, y + height / 2], there = document.elementFromPoint(...place);
  return there && (one.contains(there) || there.contains(one)) ? place : [];
})()"""
_CLICKS = 10
_LISTEN = """
globalThis.clicked = false;
document.querySelector(%s).addEventListener("click", () => { globalThis.clicked = true; }, {once: true, capture: true});
"""


def find_chromium() -> str | None:
    """Return the browser's path, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Chromium:
    """One browser process; commands wait for their answers, events are kept by session."""

    def __init__(self, process: "subprocess.Popen[bytes]", to: int, back: int) -> None:
        self._process, self._to, self._back = process, to, back
        self._number, self._buffer = 0, b""
        self._pages: dict[str, Page] = {}

    @classmethod
    @contextlib.contextmanager
    def start(cls) -> Iterator["Chromium"]:
        """Start the browser with a profile of its own and end it afterwards."""
        path = find_chromium()
        if path is None:
            raise FileNotFoundError(f"none of {', '.join(NAMES)}")
        read_commands, to = os.pipe()
        back, write_answers = os.pipe()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            arguments = [
                path,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
            ]
            process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH, str(read_commands), str(write_answers), *arguments],
                pass_fds=(read_commands, write_answers),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            os.close(read_commands)
            os.close(write_answers)
            try:
                yield cls(process, to, back)
            finally:
                os.close(to)
                process.kill()
                process.wait()
                os.close(back)

    def send(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """Return the answer to one command; raises RuntimeError if the browser refuses it."""
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                found: dict[str, Any] = answer["result"]
                return found

    def wait_for(self, page: "Page", method: str) -> None:
        """Wait until an event of that name has come for ``page``."""
        while not any(one == method for one, _ in page.events):
            self._receive()

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._back, 1 << 20)
            if not part:
                raise RuntimeError("the browser has ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        page = self._pages.get(message.get("sessionId", ""))
        if page is not None and "method" in message:
            page.events.append((message["method"], message["params"]))
        return message

    def open(
        self,
        path: Path,
        *,
        address: str = "",
        width: int = 1280,
        height: int = 900,
        dark: bool = False,
        script: bool = True,
    ) -> "Page":
        """Return the page in ``path``, opened as a file, once it has loaded."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, target)
        for domain in ("Page", "Runtime", "Network", "Log"):
            page.send(f"{domain}.enable")
        page.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.send("Emulation.setEmulatedMedia", features=[scheme])
        page.send("Emulation.setScriptExecutionDisabled", value=not script)
        page.send("Page.navigate", url=path.absolute().as_uri() + address)
        self.wait_for(page, "Page.loadEventFired")
        return page


@dataclass(eq=False)
class Page:
    """One tab."""

    browser: Chromium
    session: str
    target: str
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the answer to one command on this tab."""
        return self.browser.send(method, self.session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression, awaited; raises RuntimeError where it throws."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"].get("exception", {}).get("description", answer)))
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        """Return the value of ``expression`` once it is true; raises TimeoutError, naming it, if it never is."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (value := self.evaluate(expression)):
            if time.monotonic() > deadline:
                raise TimeoutError(expression)
            time.sleep(0.05)
        return value

    def press(self, key: str, *, text: str = "") -> None:
        """Press and release a key, such as Tab, Enter or a letter."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39, " ": 32}
        code = codes.get(key, ord(key[0].upper()))
        text = text or {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "code": key if len(key) > 1 else "", "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", **common, **({"text": text} if text else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text: str) -> None:
        """Type ``text`` into what has the focus."""
        self.send("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse, once it rests there and nothing lies over it.

        Raises TimeoutError if it never gets a click.
        """
        for _ in range(_CLICKS):
            box = self._resting_place(selector)
            self.evaluate(_LISTEN % json.dumps(selector))
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)
            if self.evaluate("clicked"):
                return
        raise TimeoutError(f"{selector} is never where the mouse is")

    def _resting_place(self, selector: str) -> list[float]:
        # What is drawn later, such as a chart, moves what stands below it.
        before: list[float] = []
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            place: list[float] = self.evaluate(_FIND_PLACE % json.dumps(selector))
            if place and place == before:
                return place
            if time.monotonic() > deadline:
                raise TimeoutError(f"{selector} does not come to rest where it can be clicked: {place}")
            before = place
            time.sleep(0.05)

    def complaints(self) -> list[str]:
        """Return what went wrong: console errors and warnings, exceptions, violated policies."""
        found = []
        for method, data in self.events:
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(data["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and data["type"] in ("error", "warning", "assert"):
                found.append(json.dumps(data["args"]))
            elif method == "Log.entryAdded" and data["entry"]["level"] in ("error", "warning"):
                found.append(data["entry"]["text"])
        return found

    def requests(self) -> list[str]:
        """Return the address of every request."""
        return [data["request"]["url"] for method, data in self.events if method == "Network.requestWillBeSent"]

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write what is shown, or the whole page, as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """Close the tab."""
        self.browser.send("Target.closeTarget", targetId=self.target)
