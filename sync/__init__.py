"""asana-sync: keeps Asana tasks and the objects of other tools in step."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("asana-sync")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.0.0"
