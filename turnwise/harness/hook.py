"""Makes lm_eval know turnwise's tasks: no --include_path, no file of lm_eval changed.

lm_eval has no entry point for tasks. The wheel carries turnwise_lm_eval.pth, which imports this module when
Python starts. ``install`` puts a finder in front of the import system that waits for ``lm_eval.tasks``; once
that is imported, TaskManager looks into our definitions, too, and the finder is gone. Without lm_eval nothing
happens. TURNWISE_NO_LM_EVAL_HOOK=1 turns it off, ``pip uninstall turnwise`` removes it, and nothing here may
stop Python or lm_eval: whatever fails leaves lm_eval as it is.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

SWITCH = "TURNWISE_NO_LM_EVAL_HOOK"
WAITED_FOR = "lm_eval.tasks"


class _Finder:
    """Finds nothing itself: when lm_eval.tasks is looked for, its loader is told to add our definitions."""

    @classmethod
    def find_spec(cls, name: str, path: object = None, target: object = None) -> "ModuleSpec | None":  # noqa: ARG003 - as import calls it
        """Return the spec that the other finders have for lm_eval.tasks, with our loader around theirs."""
        if name != WAITED_FOR:
            return None
        try:
            sys.meta_path.remove(cls)
            from turnwise.harness.patching import spec_with_definitions

            return spec_with_definitions(name)
        except Exception:  # whatever fails, lm_eval is to be imported as if we were not here
            return None


def install() -> None:
    """Wait for lm_eval.tasks, unless that is switched off or waited for already."""
    if os.environ.get(SWITCH, "") in ("", "0") and _Finder not in sys.meta_path and WAITED_FOR not in sys.modules:
        sys.meta_path.insert(0, _Finder)
