"""Imports that no list in a file can name, because a new connector must not need an entry in one.

The rest of the rules is in pyproject.toml ("importlinter").
"""

from __future__ import annotations

from collections.abc import Iterator

import grimp
import pytest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("connectors", "sync", include_external_packages=True, cache_dir=None)


def folder_of(module: str) -> str | None:
    """``connectors.github.client`` -> ``github``: the folder, or the file of the kit."""
    parts = module.split(".")
    return parts[1] if parts[0] == "connectors" and len(parts) > 1 else None


def is_test(module: str) -> bool:
    return module.rpartition(".")[2].startswith(("test_", "conftest"))


def imports(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            yield importer, imported


def connectors(graph: grimp.ImportGraph) -> set[str]:
    """Folders with a connector in them; the other folders belong to the kit."""
    return {str(folder_of(module)) for module in graph.modules if module.endswith(".connector")}


def test_connectors_do_not_know_each_other_and_the_kit_knows_none(graph: grimp.ImportGraph) -> None:
    folders = connectors(graph)
    strangers = [
        f"{importer} -> {imported}"
        for importer, imported in imports(graph)
        if importer.startswith("connectors.")
        and folder_of(imported) in folders
        and folder_of(imported) != folder_of(importer)
    ]
    assert len(folders) >= 3
    assert strangers == []


def test_sync_names_no_connector(graph: grimp.ImportGraph) -> None:
    folders = connectors(graph)
    named = [
        f"{importer} -> {imported}"
        for importer, imported in imports(graph)
        if importer.startswith("sync.") and folder_of(imported) in folders
    ]
    assert named == []


def test_only_demo_and_simulators_know_what_simulates(graph: grimp.ImportGraph) -> None:
    def simulates(module: str) -> bool:
        return module.startswith("connectors.") and module.rpartition(".")[2].startswith("simulat")

    strangers = [
        f"{importer} -> {imported}"
        for importer, imported in imports(graph)
        if simulates(imported)
        and not simulates(importer)
        and not importer.startswith("sync.demo")
        and not is_test(importer)
    ]
    assert strangers == []


def test_httpx_stands_behind_the_one_outbound_client(graph: grimp.ImportGraph) -> None:
    importers = {each for each in graph.find_modules_that_directly_import("httpx") if not is_test(each)}
    below = {"connectors.exchange", "connectors.fetching", "connectors.wire"}
    client = {"connectors.http", "connectors.notify"}
    assert importers <= below | client | {"connectors.simulation_webhooks"}, "the latter plays the provider"
    for module in below:
        assert graph.find_modules_that_directly_import(module) <= below | client
