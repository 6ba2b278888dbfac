"""numpy, loaded when the first array is made: every start of a server, a worker or a command would pay for it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["Array", "ArrayLike", "np"]

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[Any]
else:
    Array = ArrayLike = Any

    class _Late:
        def __getattr__(self, name: str) -> Any:
            found = getattr(import_module("numpy"), name)
            setattr(self, name, found)  # asked for once
            return found

    np = _Late()
