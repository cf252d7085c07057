"""The one part of the package that is compiled; all else is in setup.cfg.

Without a compiler, and with ``TWISTEDVOICE_PURE=1``, the package is built without it.
A free-threaded Python has no stable interface in C, and gets none.
"""

import os
import sysconfig

from setuptools import Extension, setup

_pure = os.environ.get("TWISTEDVOICE_PURE") == "1"
_scanner = Extension(
    "twistedvoice._scan",
    ["ext/scan.c"],
    define_macros=[("Py_LIMITED_API", "0x030B0000")],
    py_limited_api=True,
    optional=True,
)

if _pure or sysconfig.get_config_var("Py_GIL_DISABLED"):
    setup()
else:
    setup(
        ext_modules=[_scanner],
        options={"bdist_wheel": {"py_limited_api": "cp311"}},
    )
