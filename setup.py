"""What setup.cfg cannot hold: the .pth file by which lm_eval comes to know turnwise's tasks (turnwise/harness/hook.py).

It lies at the root of wheels, editable ones too, so pip puts it into site-packages and removes it with the rest.
"""

import base64
import hashlib
import zipfile
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

HOOK = "turnwise_lm_eval.pth"
# A line of a .pth file is run when Python starts if it begins with "import"; what fails must not be seen there.
LINE = (
    b"import sys; exec('try:\\n import turnwise.harness.hook as hook\\n hook.install()\\nexcept Exception:\\n pass')\n"
)


class BuildWithHook(build_py):
    """Puts the .pth file beside the package."""

    def run(self) -> None:
        """Build the package, then write the file."""
        super().run()
        if not self.editable_mode:
            Path(self.build_lib, HOOK).write_bytes(LINE)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return what is built, the file included."""
        own = [] if self.editable_mode else [str(Path(self.build_lib, HOOK))]
        return [*super().get_outputs(include_bytecode), *own]


class EditableWithHook(editable_wheel):
    """Adds the .pth file to the wheel of an editable installation, which holds no other built file."""

    def run(self) -> None:
        """Make the wheel, then write it again with the file in it and in its RECORD."""
        super().run()
        (path,) = Path(self.dist_dir).glob("*.whl")
        with zipfile.ZipFile(path) as wheel:
            files = {name: wheel.read(name) for name in wheel.namelist()}
        record = next(name for name in files if name.endswith(".dist-info/RECORD"))
        digest = base64.urlsafe_b64encode(hashlib.sha256(LINE).digest()).rstrip(b"=").decode()
        files[record] = f"{HOOK},sha256={digest},{len(LINE)}\n".encode() + files[record]
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for name, data in {HOOK: LINE, **files}.items():
                wheel.writestr(name, data)


setup(cmdclass={"build_py": BuildWithHook, "editable_wheel": EditableWithHook})
