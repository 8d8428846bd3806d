"""The configuration file: its shapes, how it is read, and every problem at once with its path.

Pure: text and environment in, :class:`Configuration` out. What only a provider can tell is asked when it
is applied.
"""

from sync.configuration.problems import ConfigurationInvalid, Problem
from sync.configuration.reading import Configuration, load, read
from sync.configuration.shapes import (
    ConnectionConfig,
    FieldConfig,
    MappingConfig,
    plain_credentials,
    rule_names,
)

__all__ = [
    "Configuration",
    "ConfigurationInvalid",
    "ConnectionConfig",
    "FieldConfig",
    "MappingConfig",
    "Problem",
    "load",
    "plain_credentials",
    "read",
    "rule_names",
]
